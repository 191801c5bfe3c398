//! What the endpoint reports.

use std::fmt;

use offhook_sansio::Flow;
use offhook_sip::{CallId, End};
use offhook_sip_message::{StatusCode, Uri, ValidRequest};

use crate::CallStatistics;

/// What happened to a call.
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
    /// The call is over. Its id is stale from now on.
    Ended {
        /// The call.
        call: CallId,
        /// Why.
        ending: Ending,
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
