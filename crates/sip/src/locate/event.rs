//! What a locator tells its owner.

use super::{LocateError, LookupId, Target};

/// What came of a lookup.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LocatorEvent {
    /// Send the message to `target`, and tell whether it [failed](super::Locator::failed) or was
    /// [reached](super::Locator::reached).
    Try {
        /// The lookup.
        lookup: LookupId,
        /// Where to send the message.
        target: Target,
    },
    /// There is no target, or none any more. The lookup is over.
    Refused {
        /// The lookup.
        lookup: LookupId,
        /// Why.
        error: LocateError,
    },
}

impl LocatorEvent {
    /// The lookup that the event is about.
    pub const fn lookup(&self) -> LookupId {
        match self {
            Self::Try { lookup, .. } | Self::Refused { lookup, .. } => *lookup,
        }
    }
}
