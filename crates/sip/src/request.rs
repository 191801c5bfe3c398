//! Requests outside of dialogs: those that this side sends (RFC 3261 §8.1), and those of others
//! that the owner answers (§8.2).

mod incoming;
pub(crate) use incoming::Incoming;
pub use incoming::IncomingId;
pub(crate) use incoming::until_t2;
mod outgoing;
pub(crate) use outgoing::Sent;
pub use outgoing::{OutgoingRequest, RequestFailure, RequestId};
