//! What the benches and the count of allocations share: messages, and two legs on one wire.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod messages;
pub use messages::{CARRIER_INVITE, INVITE, OK};

mod wire;
pub use wire::{FRAME, Wire, leg, tone};
