//! How the subscription of another stands.

use std::time::Instant;

use offhook_sip::SubscriberEnd;

/// How the subscription of another stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubscriberStatus {
    /// It waits to be accepted, pended or rejected.
    Waiting,
    /// It waits for permission.
    Pending {
        /// When it expires, unless it is refreshed.
        until: Instant,
    },
    /// It is told the state.
    Active {
        /// When it expires, unless it is refreshed.
        until: Instant,
    },
    /// It is over.
    Ended(SubscriberEnd),
}
