//! How a subscription of this side stands.

use std::{fmt, time::Instant};

use offhook_sip::SubscriptionLoss;
use offhook_sip_message::{EventReason, StatusCode};

/// How a subscription of this side stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscriptionStatus {
    /// Nothing has been told yet.
    Subscribing,
    /// It is open whether the subscription is allowed (RFC 6665 §4.1.3).
    Pending,
    /// The state is told whenever it changes.
    Active,
    /// The subscription does not stand, and is asked for again.
    Lost {
        /// Why.
        fault: SubscriptionFault,
        /// When it is asked for again, at the latest.
        next_try: Instant,
    },
    /// It is over.
    Ended {
        /// Why; `None`: as this side wanted.
        fault: Option<SubscriptionFault>,
    },
}

impl SubscriptionStatus {
    /// Whether it is active or pending.
    pub const fn stands(&self) -> bool {
        matches!(self, Self::Active | Self::Pending)
    }

    /// Whether it is over.
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Ended { .. })
    }
}

/// Why a subscription does not stand.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscriptionFault {
    /// A SUBSCRIBE was answered with this status. 401 and 407: there is no login for the realm, or
    /// it was refused. 408: a refresh was not answered; 503 stands for a transport that failed, too.
    Refused(StatusCode),
    /// The notifier has ended it, for this reason (RFC 6665 §4.1.3).
    Terminated(Option<EventReason>),
    /// Nothing was told in 64*T1, whether it was accepted or not even answered (RFC 6665 §4.1.2.4).
    NotNotified,
    /// It could not be refreshed in time.
    Expired,
    /// No server can be reached: why the last one cannot.
    Unreachable(String),
    /// This side has ended it.
    Unsubscribed,
    /// The SUBSCRIBE cannot be made: why.
    Other(String),
}

impl From<SubscriptionLoss> for SubscriptionFault {
    fn from(why: SubscriptionLoss) -> Self {
        match why {
            SubscriptionLoss::Refused { status, .. } => Self::Refused(status),
            SubscriptionLoss::Terminated { reason } => Self::Terminated(reason),
            SubscriptionLoss::NotNotified => Self::NotNotified,
            SubscriptionLoss::Expired => Self::Expired,
        }
    }
}

impl fmt::Display for SubscriptionFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(status) => {
                write!(f, "the notifier says {} {}", status.as_u16(), status.reason())
            }
            Self::Terminated(Some(reason)) => {
                write!(f, "the notifier has ended it: {}", reason.as_str())
            }
            Self::Terminated(None) => f.write_str("the notifier has ended it"),
            Self::NotNotified => f.write_str("nothing was told"),
            Self::Expired => f.write_str("it could not be refreshed in time"),
            Self::Unreachable(why) => write!(f, "no notifier can be reached: {why}"),
            Self::Unsubscribed => f.write_str("this side has unsubscribed"),
            Self::Other(why) => f.write_str(why),
        }
    }
}
