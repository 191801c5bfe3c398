//! The playout buffer: packets come in as the network brings them and leave at an even pace.
//!
//! [`buffer`] holds the packets and decides when each is played, [`delay`] estimates how long
//! they must wait for it, [`adaptation`] says when the wait is to change, [`slots`] is the
//! storage.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod adaptation;

mod buffer;
pub use buffer::{Inserted, JitterBuffer, Taken};

mod config;
pub use config::JitterConfig;

mod counts;
pub use counts::JitterCounts;

mod delay;

mod order;

mod slots;
