//! The refusal to loop forever.

use std::{fmt, time::Duration};

use crate::HostId;

/// A machine breaks the contract of [`Machine`](offhook_sansio::Machine), so that the clock would
/// stand still forever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stuck {
    /// The machine asks for a deadline that has passed, however often it is told that it has.
    Deadline {
        /// Whose machine it is.
        host: HostId,
        /// The virtual time since the start.
        at: Duration,
        /// How long the deadline has passed by.
        overdue: Duration,
        /// How often the machine was told.
        told: u32,
    },
    /// The machine has more to send or to report than anything could need.
    Output {
        /// Whose machine it is.
        host: HostId,
        /// The virtual time since the start.
        at: Duration,
    },
    /// Packets go round between hosts without any time passing.
    Packets {
        /// Where the last one arrived.
        host: HostId,
        /// The virtual time since the start.
        at: Duration,
    },
}

impl fmt::Display for Stuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deadline { host, at, overdue, told } => write!(
                f,
                "{host} makes no progress at {at:?}: poll_timeout is {overdue:?} in the past \
                 after {told} calls of handle_timeout"
            ),
            Self::Output { host, at } => write!(
                f,
                "{host} makes no progress at {at:?}: poll_transmit or poll_event never gives None"
            ),
            Self::Packets { host, at } => write!(
                f,
                "{host} makes no progress at {at:?}: packets keep arriving without any time \
                 passing (a link without delay?)"
            ),
        }
    }
}

impl std::error::Error for Stuck {}
