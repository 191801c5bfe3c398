//! What the endpoint reports.

use std::fmt;

use bytes::Bytes;
use offhook_sansio::Flow;
use offhook_sip::{
    Body, CallId, Description, End, Fork, IncomingId, InfoId, PublicationEvent, PublicationId,
    ReferEvent, ReferId, ReferralEvent, ReferralId, RegistrationEvent, RegistrationId,
    RequestFailure, RequestId, SubscriberEvent, SubscriberId, SubscriptionEvent, SubscriptionId,
};
use offhook_sip_message::{
    AnswerMode, InfoPackage, NameAddr, PrivAnswerMode, Reason, StatusCode, Uri, ValidRequest,
    ValidResponse,
};

use crate::{CallStatistics, Hold};

/// What happened to a call, or outside of calls.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// Someone calls. Answer, ring or reject it; its offer is one that can be answered.
    Incoming {
        /// The new call.
        call: CallId,
        /// The INVITE. Its `From` says who calls, its `To` whom.
        request: Box<ValidRequest>,
        /// The flow it came on.
        flow: Flow,
        /// The registration that it is for, if the Request-URI names the contact of one.
        registration: Option<RegistrationId>,
        /// The call of ours whose place it takes when it is answered (RFC 3891).
        replaces: Option<CallId>,
        /// The call of ours that it wants to take part in (RFC 3911), if
        /// [`join`](offhook_sip::Config::join) takes that.
        joins: Option<CallId>,
        /// Who calls, as a trusted network vouches for it (RFC 3325); empty without
        /// [`trusted`](offhook_sip::Config::trusted) servers.
        asserted: Vec<NameAddr>,
        /// Who or what is to answer (RFC 5373), if `Config::sip` takes that.
        answer_mode: Option<AnswerMode>,
        /// The same, whatever the user prefers: only for callers who have a right to it.
        priv_answer_mode: Option<PrivAnswerMode>,
    },
    /// The far side is at work: a provisional response from 180 to 199.
    Progress {
        /// The call.
        call: CallId,
        /// 180 when the phone rings.
        status: StatusCode,
        /// Whether there is sound to hear already.
        early_media: bool,
    },
    /// The call may go on elsewhere: [`Endpoint::follow`](crate::Endpoint::follow) it there in time,
    /// or hang up. Told only if `Config::sip` allows redirects.
    Redirected {
        /// The call.
        call: CallId,
        /// Where to, the most wanted first. A `sip` target in place of a `sips` one is not secure.
        targets: Vec<Uri>,
    },
    /// The far side answered. Sound flows from now on.
    Answered {
        /// The call.
        call: CallId,
    },
    /// The caller has acknowledged our answer. Sound flows both ways.
    Established {
        /// The call.
        call: CallId,
    },
    /// The PRACK has brought the answer to our offer: sound flows before the call is answered.
    EarlyMedia {
        /// The call.
        call: CallId,
    },
    /// A session description of the peer, in a call whose media is elsewhere. An offer waits for
    /// [`Endpoint::reply_with`](crate::Endpoint::reply_with), unless it came in the INVITE.
    Described {
        /// The call.
        call: CallId,
        /// The early dialog it belongs to, if there may be several.
        fork: Option<Fork>,
        /// What it is.
        kind: Description,
        /// The description.
        content: Bytes,
    },
    /// The peer asks to change the session of a call whose media is elsewhere, and wants our offer:
    /// give it with [`Endpoint::reply_with`](crate::Endpoint::reply_with).
    OfferWanted {
        /// The call.
        call: CallId,
    },
    /// What waited for [`Endpoint::reply_with`](crate::Endpoint::reply_with) waits no more.
    OfferWithdrawn {
        /// The call.
        call: CallId,
        /// The dialog it was told of in.
        fork: Option<Fork>,
    },
    /// Someone holds the call, or holds it no more.
    Hold {
        /// The call.
        call: CallId,
        /// Who holds it now.
        hold: Hold,
    },
    /// The peer has agreed to the change that we asked for.
    Changed {
        /// The call.
        call: CallId,
    },
    /// The peer has refused the change that we asked for: the session is as it was.
    NotChanged {
        /// The call.
        call: CallId,
        /// The final status.
        status: StatusCode,
    },
    /// The peer tells something by INFO; 200 was sent.
    Info {
        /// The call.
        call: CallId,
        /// Its package; `None` for the ways of old, such as `application/dtmf-relay`.
        package: Option<InfoPackage>,
        /// What it says.
        body: Option<Body>,
    },
    /// What an INFO of ours was answered with. Its id is stale from now on.
    InfoAnswered {
        /// The call.
        call: CallId,
        /// The INFO.
        info: InfoId,
        /// The final status; 408 if nobody answered, 503 if it could not be sent.
        status: StatusCode,
    },
    /// Something happened to a REFER of ours.
    Refer {
        /// The REFER.
        refer: ReferId,
        /// What happened.
        event: Box<ReferEvent>,
    },
    /// Something happened to a REFER of another: `Config::sip` has to take them.
    Referral {
        /// The REFER.
        referral: ReferralId,
        /// What happened.
        event: Box<ReferralEvent>,
    },
    /// Something happened to a registration.
    Registration {
        /// The registration.
        registration: RegistrationId,
        /// What happened.
        event: Box<RegistrationEvent>,
    },
    /// Something happened to a publication.
    Publication {
        /// The publication.
        publication: PublicationId,
        /// What happened.
        event: Box<PublicationEvent>,
    },
    /// Something happened to a subscription of ours.
    Subscription {
        /// The subscription.
        subscription: SubscriptionId,
        /// What happened.
        event: Box<SubscriptionEvent>,
    },
    /// Something happened to a subscription of another to something of ours.
    Subscriber {
        /// The subscription.
        subscriber: SubscriberId,
        /// What happened.
        event: Box<SubscriberEvent>,
        /// The registration that it is for, if it is new and the Request-URI names the contact of
        /// one.
        registration: Option<RegistrationId>,
    },
    /// The final response to a request of ours outside of calls. Its id is stale from now on.
    Response {
        /// The request.
        request: RequestId,
        /// The response.
        response: Box<ValidResponse>,
    },
    /// A request of ours outside of calls has had no final response. Its id is stale from now on.
    Failed {
        /// The request.
        request: RequestId,
        /// Why.
        failure: RequestFailure,
    },
    /// Someone asks with a method that `Config::sip` leaves to the owner: answer with
    /// [`Endpoint::respond`](crate::Endpoint::respond).
    Requested {
        /// The request that waits.
        incoming: IncomingId,
        /// The request.
        request: Box<ValidRequest>,
        /// The flow it came on.
        flow: Flow,
        /// The call that it was sent in, if any.
        call: Option<CallId>,
        /// The registration that it is for, if the Request-URI names the contact of one.
        registration: Option<RegistrationId>,
    },
    /// The call is over. Its id is stale from now on.
    Ended {
        /// The call.
        call: CallId,
        /// Why.
        ending: Ending,
        /// Why, as the peer says (RFC 3326).
        reasons: Vec<Reason>,
        /// Its last figures.
        statistics: Box<CallStatistics>,
    },
}

/// Why a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The signalling ended it.
    Signalling(End),
    /// The far side's session description could not be used; the call was hung up.
    BadDescription(String),
}

impl Ending {
    /// The status that a failed call is known by: 486, 408, 503 … `None` for a call that was hung
    /// up after it had been established.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Signalling(end) => end.status(),
            Self::BadDescription(_) => Some(StatusCode::NOT_ACCEPTABLE_HERE),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signalling(End::Rejected { status, reason }) => {
                write!(f, "the far side refused: {} {reason}", status.as_u16())
            }
            Self::Signalling(End::Refused { status }) => write!(f, "refused by us: {status}"),
            Self::Signalling(End::TimedOut) => f.write_str("no answer in time (408)"),
            Self::Signalling(End::TransportFailed) => f.write_str("could not be sent (503)"),
            Self::Signalling(End::Cancelled) => f.write_str("given up before the answer (487)"),
            Self::Signalling(End::PeerCancelled) => f.write_str("the caller gave up (487)"),
            Self::Signalling(End::HungUp) => f.write_str("hung up"),
            Self::Signalling(End::PeerHungUp) => f.write_str("the far side hung up"),
            Self::Signalling(End::Expired) => f.write_str("the session was not refreshed in time"),
            Self::Signalling(End::NotAcknowledged) => {
                f.write_str("the far side never acknowledged the answer")
            }
            Self::BadDescription(reason) => write!(f, "hung up: {reason}"),
        }
    }
}
