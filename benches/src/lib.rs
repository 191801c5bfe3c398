//! What the benches and the count of allocations share: messages, the jobs that are done on them,
//! and two legs on one wire.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod accounts;
pub use accounts::Accounts;

mod agents;
pub use agents::Agents;

mod crowd;
pub use crowd::Crowd;

pub mod linear;

mod messages;
pub use messages::{CARRIER_INVITE, INVITE, MESSAGES, OK, REGISTER};

pub mod open_loop;

pub mod sip;

mod wire;
pub use wire::{FRAME, Wire, leg, tone};
