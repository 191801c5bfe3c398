//! Who owes whom an answer in a dialog.
//!
//! Bodies are opaque here, so what a session description is follows from the message that carries
//! it and from what was said before (RFC 3261 §13.2.1, RFC 3262 §5, RFC 3311 §5):
//!
//! | offer | answer |
//! |---|---|
//! | INVITE | first reliable 1xx, or 2xx |
//! | first reliable 1xx | PRACK |
//! | 2xx to INVITE | ACK |
//! | PRACK | 2xx to PRACK |
//! | UPDATE | 2xx to UPDATE |

use offhook_sip_message::{ContentDisposition, Headers, StatusCode};

use crate::Description;

/// The offer that waits for its answer; there is at most one (RFC 3264 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offers {
    /// An INVITE without an offer is under way: its callee has to make one.
    Wanted,
    /// We have offered.
    Ours(Carrier),
    /// The peer has offered.
    Theirs(Carrier),
    /// No offer waits.
    Settled,
}

/// What an offer was sent in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// INVITE, first or later.
    Invite,
    /// A reliable provisional response.
    Progress,
    /// The 2xx to an INVITE.
    Accepted,
    /// PRACK.
    Prack,
    /// UPDATE.
    Update,
}

impl Offers {
    /// After an INVITE of ours.
    pub(crate) const fn of_caller(offered: bool) -> Self {
        if offered { Self::Ours(Carrier::Invite) } else { Self::Wanted }
    }

    /// After an INVITE of the peer.
    pub(crate) const fn of_callee(offered: bool) -> Self {
        if offered { Self::Theirs(Carrier::Invite) } else { Self::Wanted }
    }

    /// Whether a response to the INVITE may describe the session: it has an offer to answer, or to
    /// make (RFC 3261 §13.2.1).
    pub(crate) const fn may_describe(self) -> bool {
        matches!(self, Self::Theirs(Carrier::Invite) | Self::Wanted)
    }

    /// What an unreliable provisional response describes: an answer in it may change until the
    /// reliable one (RFC 3261 §13.2.1).
    pub(crate) fn preview(self, described: bool) -> Description {
        match self {
            Self::Ours(Carrier::Invite) if described => Description::Preview,
            _ => Description::Nothing,
        }
    }

    /// A reliable provisional response or a 2xx to our INVITE has come. What describes a session
    /// after the answer is to be ignored (RFC 3261 §13.2.1).
    pub(crate) fn receive_response(&mut self, carrier: Carrier, described: bool) -> Description {
        let (next, description) = match (*self, described) {
            (Self::Ours(Carrier::Invite), true) => (Self::Settled, Description::Answer),
            (Self::Wanted, true) => (Self::Theirs(carrier), Description::Offer),
            // The last chance for an answer, or for an offer, is gone.
            (Self::Ours(Carrier::Invite) | Self::Wanted, false) if carrier == Carrier::Accepted => {
                (Self::Settled, Description::Nothing)
            }
            (same, _) => (same, Description::Nothing),
        };
        *self = next;
        description
    }

    /// A reliable provisional response or a 2xx of ours goes out.
    pub(crate) fn send_response(&mut self, carrier: Carrier, described: bool) {
        *self = match (*self, described) {
            (Self::Theirs(Carrier::Invite), true) => Self::Settled,
            (Self::Wanted, true) => Self::Ours(carrier),
            (Self::Theirs(Carrier::Invite) | Self::Wanted, false)
                if carrier == Carrier::Accepted =>
            {
                Self::Settled
            }
            (same, _) => same,
        };
    }

    /// A PRACK has come: with the answer to our offer, or with an offer of its own.
    pub(crate) fn receive_prack(&mut self, described: bool) -> Description {
        let (next, description) = match (*self, described) {
            (Self::Ours(Carrier::Progress), true) => (Self::Settled, Description::Answer),
            (Self::Ours(Carrier::Progress), false) => (Self::Settled, Description::Nothing),
            (Self::Settled, true) => (Self::Theirs(Carrier::Prack), Description::Offer),
            (same, _) => (same, Description::Nothing),
        };
        *self = next;
        description
    }

    /// A 2xx to our UPDATE has come.
    pub(crate) fn receive_update_answer(&mut self, described: bool) -> Description {
        if self.our_update_is_over() && described {
            Description::Answer
        } else {
            Description::Nothing
        }
    }

    /// Our UPDATE has its final answer; says whether it had an offer. A peer's offer still waits.
    pub(crate) fn our_update_is_over(&mut self) -> bool {
        let waited = *self == Self::Ours(Carrier::Update);
        if waited {
            *self = Self::Settled;
        }
        waited
    }

    /// Why an UPDATE with an offer, or a re-INVITE, cannot be taken now (RFC 3311 §5.2).
    pub(crate) const fn refusal(self) -> Option<StatusCode> {
        match self {
            Self::Settled => None,
            // It is we who have to offer; the peer may try again after that.
            Self::Ours(_) | Self::Wanted => Some(StatusCode::REQUEST_PENDING),
            Self::Theirs(_) => Some(StatusCode::SERVER_INTERNAL_ERROR),
        }
    }

    /// An offer in `carrier` was answered, or refused.
    pub(crate) fn settle(&mut self, carrier: Carrier) {
        if matches!(*self, Self::Ours(waits) | Self::Theirs(waits) if waits == carrier) {
            *self = Self::Settled;
        }
    }

    /// The INVITE under way was refused, and with it what it or its responses have offered.
    pub(crate) fn roll_back(&mut self) {
        if *self == Self::Wanted {
            *self = Self::Settled;
        }
        [Carrier::Invite, Carrier::Progress].into_iter().for_each(|carrier| self.settle(carrier));
    }
}

/// Whether a message with these fields and this body describes a session: that is the use of a body
/// that names no other (RFC 3261 §20.11).
pub(crate) fn describes(headers: &Headers, body: &[u8]) -> bool {
    let disposition = headers.header::<ContentDisposition>().ok().flatten();
    let session = |use_of: ContentDisposition| use_of.disposition.eq_ignore_ascii_case(SESSION);
    !body.is_empty() && disposition.is_none_or(session)
}

/// RFC 3261 §20.11.
const SESSION: &str = "session";
