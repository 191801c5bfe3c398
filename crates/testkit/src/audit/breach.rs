//! What an audit reports.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use offhook_sansio::Flow;

/// A rule that a party broke, and where.
#[derive(Clone, PartialEq, Eq)]
pub struct Breach {
    /// The rule.
    pub rule: Rule,
    /// Who broke it.
    pub party: usize,
    /// When: the message was sent, or something was due and did not come.
    pub at: Instant,
    /// The same, counted from the start of the audit.
    pub elapsed: Duration,
    /// The path of the message, as its party sees it.
    pub flow: Flow,
    /// The first line of the message, or of the one that asked for what did not come.
    pub line: Arc<str>,
    /// What was expected.
    pub expected: String,
    /// The messages around it, of the same call and as its party saw them; one line each.
    pub around: Vec<String>,
}

impl Breach {
    /// The clause that the rule stands in, such as `RFC 3261 §9.1`.
    pub const fn clause(&self) -> &'static str {
        self.rule.clause()
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, party, elapsed, flow, line, expected, around, .. } = self;
        let seconds = elapsed.as_secs_f64();
        write!(f, "{seconds:.3} s: party {party}, {flow}: {line:?}: expected {expected} ")?;
        write!(f, "({rule:?}, {})", self.clause())?;
        around.iter().try_for_each(|line| write!(f, "\n    {line}"))
    }
}

impl fmt::Debug for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A breach before its party is known.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) rule: Rule,
    pub(super) expected: String,
    pub(super) at: Instant,
    pub(super) flow: Flow,
    pub(super) line: Arc<str>,
}

impl Finding {
    pub(super) fn of(
        rule: Rule,
        expected: impl Into<String>,
        at: Instant,
        flow: Flow,
        line: Arc<str>,
    ) -> Self {
        Self { rule, expected: expected.into(), at, flow, line }
    }
}

macro_rules! rules {
    ($($(#[$doc:meta])* $rule:ident $clause:literal;)*) => {
        /// A rule that the auditor knows.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Rule {
            $($(#[$doc])* #[doc = concat!(" ", $clause, ".")] $rule,)*
        }

        impl Rule {
            /// All rules.
            pub const ALL: &[Self] = &[$(Self::$rule),*];

            /// The clause that the rule stands in.
            pub const fn clause(self) -> &'static str {
                match self {
                    $(Self::$rule => $clause,)*
                }
            }
        }
    };
}

rules! {
    /// What is sent can be read.
    Readable "RFC 3261 §7";
    /// The branch of a request begins with the magic cookie.
    BranchCookie "RFC 3261 §8.1.1.7";
    /// The branch of a new request was never used before.
    BranchIsNew "RFC 3261 §8.1.1.7";
    /// A retransmission is the same bytes.
    SameBytes "RFC 3261 §17.1.1.2";
    /// A CANCEL repeats the branch, Request-URI, Call-ID, To, From and CSeq number of its request.
    CancelCopies "RFC 3261 §9.1";
    /// The ACK to a failure repeats the Request-URI, From, Call-ID, CSeq number and Routes of its
    /// INVITE, and the To of the response.
    AckToFailure "RFC 3261 §17.1.1.3";
    /// The ACK to a 2xx has a branch of its own.
    AckToSuccess "RFC 3261 §13.2.2.4";
    /// An ACK acknowledges a final response to an INVITE that was received.
    AckHasFinal "RFC 3261 §17.1.1.3";
    /// Every final response to an INVITE is acknowledged.
    FinalIsAcked "RFC 3261 §13.2.2.4";
    /// From has a tag.
    FromTag "RFC 3261 §8.1.1.3";
    /// To has a tag in every response but 100.
    ToTag "RFC 3261 §8.2.6.2";
    /// All responses of a server to one request have the same To tag.
    SameToTag "RFC 3261 §8.2.6.2";
    /// A request that belongs in a dialog carries the tags of one.
    DialogTags "RFC 3261 §12.2.1.1";
    /// The method of CSeq is that of the request.
    CSeqMethod "RFC 3261 §8.1.1.5";
    /// The number of CSeq rises with each request of a dialog.
    CSeqRises "RFC 3261 §12.2.1.1";
    /// A response answers a request that was received.
    ResponseHasRequest "RFC 3261 §8.2.6";
    /// A response repeats Via, From, To, Call-ID and CSeq of its request.
    ResponseCopies "RFC 3261 §8.2.6.2";
    /// A response goes back on the connection of its request, or to where its topmost Via and the
    /// source of the request say (RFC 3581 §4 too).
    ResponseDestination "RFC 3261 §18.2.2";
    /// There is one final response to a request.
    OneFinal "RFC 3261 §17.2.1";
    /// No provisional response follows a final one.
    ProvisionalFirst "RFC 3261 §13.3.1.1";
    /// A CANCEL waits for a provisional response.
    CancelWaits "RFC 3261 §9.1";
    /// No CANCEL follows a final response.
    CancelInTime "RFC 3261 §9.1";
    /// A BYE ends a dialog that is there.
    ByeInDialog "RFC 3261 §15.1.1";
    /// The callee sends no BYE before the ACK or the end of 64*T1.
    CalleeWaitsForAck "RFC 3261 §15";
    /// No request but an ACK follows the end of its dialog.
    NothingAfterBye "RFC 3261 §15.1.1";
    /// No INVITE is sent in a dialog while another one is in progress.
    OneInvite "RFC 3261 §14.1";
    /// A request has Max-Forwards.
    MaxForwards "RFC 3261 §8.1.1.6";
    /// The Request-URI in a dialog is the remote target.
    RequestUri "RFC 3261 §12.2.1.1";
    /// The Routes of a request in a dialog are its route set.
    RouteSet "RFC 3261 §12.2.1.1";
    /// Requests are sent again after T1, then after twice the time before (Timers A and E).
    RequestInterval "RFC 3261 §17.1.1.2";
    /// Final responses to an INVITE are sent again after T1, then after twice the time before, at
    /// most T2, until the ACK comes (Timer G, and the core for a 2xx).
    ResponseInterval "RFC 3261 §13.3.1.4";
    /// Nothing is sent again once it was answered.
    StopsWhenAnswered "RFC 3261 §17.1.1.2";
    /// Nothing but a 2xx to an INVITE is sent again over a reliable transport.
    OnceWhenReliable "RFC 3261 §17.1.1.2";
    /// A reliable provisional response is sent only to who supports it.
    ReliableIsSupported "RFC 3262 §3";
    /// RSeq rises by one, and the second response waits for the PRACK to the first.
    RSeqRises "RFC 3262 §3";
    /// A reliable provisional response is sent again after T1, then after twice the time before,
    /// until the PRACK comes.
    ReliableInterval "RFC 3262 §3";
    /// The RAck of a PRACK names a response that was received and not acknowledged before.
    RAckMatches "RFC 3262 §4";
    /// Every reliable provisional response that comes in order is acknowledged.
    ReliableIsPracked "RFC 3262 §4";
    /// No offer is made while another one is open.
    OneOffer "RFC 3264 §4";
    /// Every offer is answered or refused, once.
    OfferIsAnswered "RFC 3261 §13.2.1";
    /// An answer has as many media as its offer, of the same kinds.
    AnswerMedia "RFC 3264 §6";
    /// A later offer has at least as many media as the description before.
    OfferMedia "RFC 3264 §8";
    /// The version of a description rises by one when the description changes, and stays when not.
    OriginVersion "RFC 3264 §8";
    /// Session-Expires and Min-SE are at least 90 seconds.
    SessionMinimum "RFC 4028 §4";
    /// Session-Expires is at least Min-SE, and not raised by the answer.
    SessionInterval "RFC 4028 §9";
    /// A 422 says which interval would do: it has Min-SE.
    SessionRefusal "RFC 4028 §6";
    /// A 2xx names the refresher as its request allows, and requires `timer` of a caller who is to
    /// refresh; one that requires `timer`, or whose request does, has Session-Expires.
    SessionRefresher "RFC 4028 §9";
    /// The refresher refreshes the session before it expires.
    SessionRefresh "RFC 4028 §10";
    /// Whoever has heard no refresh hangs up before the session expires.
    SessionEnd "RFC 4028 §10";
}
