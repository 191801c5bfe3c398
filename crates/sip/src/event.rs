//! What a user agent tells its owner.

use std::time::Duration;

use bytes::Bytes;
use offhook_sansio::Flow;
use offhook_sip_message::{
    AnswerMode, InfoPackage, NameAddr, PrivAnswerMode, Reason, StatusCode, Text, Uri, ValidRequest,
    ValidResponse,
};

use crate::{
    CallId, IncomingId, InfoId, PublicationEvent, PublicationId, ReferEvent, ReferId,
    ReferralEvent, ReferralId, RegistrationEvent, RegistrationId, RequestFailure, RequestId,
    SubscriberEvent, SubscriberId, SubscriptionEvent, SubscriptionId,
};

/// Something that happened to a call, or outside of calls.
#[derive(Clone, Debug)]
pub enum Event {
    /// Someone calls. 100 (Trying) was sent.
    Incoming {
        /// The new call.
        call: CallId,
        /// The INVITE; its top `Via` has `received` and `rport` filled in.
        request: ValidRequest,
        /// The path it came on.
        flow: Flow,
        /// The call that it wants to take the place of (RFC 3891 §3). Answering it hangs up that one:
        /// first make sure that the caller may do so, by its credentials or its `Referred-By`.
        replaces: Option<CallId>,
        /// The call that it wants to join (RFC 3911 §4), with the same care.
        joins: Option<CallId>,
        /// Who calls, as the network vouches for it (RFC 3325): one SIP URI, one tel URI or both.
        /// Empty unless [`Config::trusted`](crate::Config::trusted) names the sender.
        asserted: Vec<NameAddr>,
        /// Who or what is to answer (RFC 5373), if [`Config::answer_mode`](crate::Config::answer_mode)
        /// is set.
        answer_mode: Option<AnswerMode>,
        /// The same, whatever the user prefers: only for callers who have a right to it.
        priv_answer_mode: Option<PrivAnswerMode>,
    },
    /// A provisional response, 101 to 199, to our first INVITE.
    ///
    /// If it was sent reliably it is acknowledged, unless it brings an offer: that is answered with
    /// [`UserAgent::prack`](crate::UserAgent::prack) (RFC 3262 §5).
    Progress {
        /// The call it belongs to.
        call: CallId,
        /// Which of those who were called speaks.
        fork: Fork,
        /// What its session description is.
        description: Description,
        /// The response.
        response: ValidResponse,
    },
    /// Our first INVITE was redirected, or has failed where a redirect had pointed (RFC 3261
    /// §8.1.3.4). The call waits for [`UserAgent::follow`](crate::UserAgent::follow), 64*T1 long;
    /// then it ends with the last failure. Told only if [`Config::max_redirects`](crate::Config::max_redirects) allows.
    Redirected {
        /// The call that may go on elsewhere.
        call: CallId,
        /// The targets not tried so far, the most wanted first. A `sip` target in place of a `sips`
        /// one is not secure: ask the user.
        targets: Vec<Uri>,
    },
    /// A 2xx to our first INVITE.
    ///
    /// The ACK was sent, unless the response brings an offer: the answer is given with
    /// [`UserAgent::acknowledge`](crate::UserAgent::acknowledge).
    Answered {
        /// The call that stands now.
        call: CallId,
        /// Who answered.
        fork: Fork,
        /// What its session description is.
        description: Description,
        /// The response.
        response: ValidResponse,
    },
    /// The ACK to a 2xx of ours has come, be it to the first INVITE or to a re-INVITE.
    Established {
        /// The call that stands now.
        call: CallId,
        /// What the ACK carried: the answer, if our 2xx carried the offer.
        body: Option<Body>,
    },
    /// The peer asks to modify the session (RFC 3261 §14): answer or reject it.
    Reinvited {
        /// The call to modify.
        call: CallId,
        /// The re-INVITE.
        request: ValidRequest,
    },
    /// The re-INVITE last told of is withdrawn or has expired; 487 was sent. Or nobody has
    /// acknowledged our provisional response to it; 504 was sent. The call goes on.
    ReinviteCancelled {
        /// The call that stays as it was.
        call: CallId,
    },
    /// A provisional response, 101 to 199, to our re-INVITE; as to its acknowledgement see
    /// [`Progress`](Self::Progress).
    ReinviteProgress {
        /// The call to modify.
        call: CallId,
        /// What its session description is.
        description: Description,
        /// The response.
        response: ValidResponse,
    },
    /// A 2xx to our re-INVITE; as to the ACK see [`Answered`](Self::Answered).
    ReinviteAnswered {
        /// The call that is modified.
        call: CallId,
        /// What its session description is.
        description: Description,
        /// The response.
        response: ValidResponse,
    },
    /// Our re-INVITE was refused: the session stays as it was (RFC 3261 §14.1).
    ReinviteRejected {
        /// The call that stays as it was.
        call: CallId,
        /// The final status; 503 if the transport failed.
        status: StatusCode,
        /// After 491: how long to wait before another try (RFC 3261 §14.1).
        retry_after: Option<Duration>,
    },
    /// The PRACK to a reliable provisional response of ours has come (RFC 3262 §3). An offer in it
    /// waits for [`UserAgent::answer_offer`](crate::UserAgent::answer_offer).
    ProgressAcknowledged {
        /// The call whose INVITE or re-INVITE waits.
        call: CallId,
        /// What its session description is: the answer to our offer, or an offer.
        description: Description,
        /// The PRACK.
        request: ValidRequest,
    },
    /// The peer asks to modify the session with the offer of an UPDATE (RFC 3311 §5.2). It waits for
    /// [`UserAgent::answer_offer`](crate::UserAgent::answer_offer) or
    /// [`UserAgent::reject_offer`](crate::UserAgent::reject_offer), and not for long.
    ///
    /// An UPDATE without offer refreshes the target, is answered with 200, and not told of.
    Updated {
        /// The call to modify.
        call: CallId,
        /// The dialog it came in.
        fork: Fork,
        /// The UPDATE.
        request: ValidRequest,
    },
    /// The offer last told of was not answered in time; its UPDATE got 504, its PRACK 200.
    OfferExpired {
        /// The call that stays as it was.
        call: CallId,
        /// The dialog it came in.
        fork: Fork,
    },
    /// A 2xx to our UPDATE.
    UpdateAnswered {
        /// The call that is modified.
        call: CallId,
        /// The dialog that it was sent in.
        fork: Fork,
        /// What its session description is: the answer, if the UPDATE had an offer.
        description: Description,
        /// The response.
        response: ValidResponse,
    },
    /// Our UPDATE was refused: the session stays as it was (RFC 3311 §5.3).
    UpdateRejected {
        /// The call that stays as it was.
        call: CallId,
        /// The dialog that it was sent in.
        fork: Fork,
        /// The final status; 408 if nobody answered, 503 if the transport failed.
        status: StatusCode,
        /// After 491: how long to wait before another try (RFC 3311 §5.3).
        retry_after: Option<Duration>,
    },
    /// The peer tells something by INFO: of an info package that the settings list, or without one
    /// (RFC 6086). 200 was sent.
    Info {
        /// The call it belongs to.
        call: CallId,
        /// The dialog it came in.
        fork: Fork,
        /// Its package; `None` for the ways of old, such as `application/dtmf-relay`.
        package: Option<InfoPackage>,
        /// What it says.
        body: Option<Body>,
        /// The INFO.
        request: ValidRequest,
    },
    /// The final response to an INFO of ours, whatever its status. The id is stale from now on.
    InfoAnswered {
        /// The call it was sent in.
        call: CallId,
        /// The INFO.
        info: InfoId,
        /// The response; 469: the peer does not take the package (any more).
        response: ValidResponse,
    },
    /// An INFO of ours has had no final response. The id is stale from now on.
    InfoFailed {
        /// The call it was sent in.
        call: CallId,
        /// The INFO.
        info: InfoId,
        /// The status that stands for it: 408 if nobody answered, 503 if the transport failed.
        status: StatusCode,
    },
    /// The session was refreshed by this side, since its session timer wanted it so (RFC 4028 §10).
    ///
    /// Nobody has to do anything, unless the peer has changed its session description. Refreshes
    /// that fail are tried again, or end the call.
    Refreshed {
        /// The call that goes on.
        call: CallId,
        /// What the session description of the response is: the answer to our last description, if
        /// the refresh was a re-INVITE.
        description: Description,
        /// The 2xx.
        response: ValidResponse,
    },
    /// The call is over. Told exactly once; the id is stale from now on.
    Ended {
        /// The call that was.
        call: CallId,
        /// How it ended.
        end: End,
        /// Why, as the peer says in its BYE, its CANCEL or its refusal (RFC 3326).
        reasons: Vec<Reason>,
    },
    /// The first final response to a request of ours outside of dialogs, whatever its status. The
    /// id is stale from now on.
    Response {
        /// The request.
        request: RequestId,
        /// The response. 401 and 407: there was no login for the realm, or it was refused.
        response: ValidResponse,
    },
    /// A request of ours outside of dialogs has had no final response. The id is stale from now on.
    Failed {
        /// The request.
        request: RequestId,
        /// Why.
        failure: RequestFailure,
    },
    /// Someone asks with a method of [`Config::answered_by_owner`](crate::Config): answer with
    /// [`UserAgent::respond`](crate::UserAgent::respond). After 32*T1 (16 s) it is answered with 480.
    Requested {
        /// The request that waits.
        incoming: IncomingId,
        /// The request; its top `Via` has `received` and `rport` filled in.
        request: ValidRequest,
        /// The path it came on.
        flow: Flow,
        /// The call that it was sent in, if any.
        call: Option<CallId>,
    },
    /// Something happened to a registration.
    Registration {
        /// The registration.
        registration: RegistrationId,
        /// What happened.
        event: RegistrationEvent,
    },
    /// Something happened to a publication.
    Publication {
        /// The publication.
        publication: PublicationId,
        /// What happened.
        event: PublicationEvent,
    },
    /// Something happened to a subscription of ours.
    Subscription {
        /// The subscription.
        subscription: SubscriptionId,
        /// What happened.
        event: SubscriptionEvent,
    },
    /// Something happened to a REFER of ours.
    Refer {
        /// The REFER.
        refer: ReferId,
        /// What happened.
        event: ReferEvent,
    },
    /// Something happened to a subscription of another to something of ours.
    Subscriber {
        /// The subscription.
        subscriber: SubscriberId,
        /// What happened.
        event: SubscriberEvent,
    },
    /// Something happened to a REFER of another.
    Referral {
        /// The REFER.
        referral: ReferralId,
        /// What happened.
        event: ReferralEvent,
    },
}

/// Names one dialog of a call. A call of ours may ring at several phones, and has an early dialog
/// with each (RFC 3261 §12.1.2); any other call has one dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fork(pub(crate) u32);

/// What the session description in a message is, by the message and by what went before
/// (RFC 3261 §13.2.1, RFC 3262 §5, RFC 3311 §5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Description {
    /// There is none, or there was one too many, which is to be ignored.
    Nothing,
    /// An answer that is not sent reliably: it may still change.
    Preview,
    /// An offer that waits for an answer.
    Offer,
    /// The answer.
    Answer,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The peer's final answer was not 2xx. 401 and 407: there was no login for the realm, or it was
    /// refused (RFC 3261 §22.1).
    Rejected {
        /// The peer's status.
        status: StatusCode,
        /// The peer's words for it.
        reason: Text,
    },
    /// No answer came: Timer B, or a re-INVITE that nobody answered. Counts as 408.
    TimedOut,
    /// The INVITE could not be sent, or the responses to that of the peer before it was answered.
    /// Counts as 503 (RFC 3261 §8.1.3.1, §17.2.4).
    TransportFailed,
    /// We gave up before the peer answered. Counts as 487.
    Cancelled,
    /// The caller gave up before we answered, or the INVITE expired. Counts as 487.
    PeerCancelled,
    /// We rejected it.
    Refused {
        /// The status we sent.
        status: StatusCode,
    },
    /// We hung up, and the BYE was answered or timed out.
    HungUp,
    /// The peer hung up.
    PeerHungUp,
    /// No ACK came within 64*T1 of our 2xx; a BYE was sent (RFC 3261 §13.3.1.4).
    NotAcknowledged,
    /// Nobody has refreshed the session in time; a BYE was sent (RFC 4028 §10).
    Expired,
}

impl End {
    /// The final status that stands for this end; `None` if a call that stood was hung up.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Rejected { status, .. } | Self::Refused { status } => Some(*status),
            Self::TimedOut => Some(StatusCode::REQUEST_TIMEOUT),
            Self::TransportFailed => Some(StatusCode::SERVICE_UNAVAILABLE),
            Self::Cancelled | Self::PeerCancelled => Some(StatusCode::REQUEST_TERMINATED),
            Self::HungUp | Self::PeerHungUp | Self::NotAcknowledged | Self::Expired => None,
        }
    }
}

/// A message body and its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// The `Content-Type` field.
    pub content_type: Text,
    /// The bytes, opaque to this crate.
    pub content: Bytes,
}
