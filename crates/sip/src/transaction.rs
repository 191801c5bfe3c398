//! The transaction layer: retransmissions end here, in both directions (RFC 3261 §17, RFC 6026).
//!
//! Four machines, one a file, live in a table; the layer finds the machine of each message, and
//! tells the calls only what is new.

mod invite_client;
mod invite_server;
mod key;
mod layer;
mod non_invite_client;
mod non_invite_server;
mod table;
mod timing;

pub(crate) use layer::{Notice, TransactionLayer};
pub(crate) use table::TransactionId;
pub(crate) use timing::Timing;

/// Why a transaction came to nothing (RFC 3261 §8.1.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Nobody answered: as if 408 had come.
    TimedOut,
    /// The message could not be sent: as if 503 had come.
    Transport,
}

#[cfg(test)]
mod figures;
#[cfg(test)]
pub(crate) mod fixture;
