//! The dialect that every state machine of offhook speaks.
//!
//! A machine owns no socket, reads no clock and starts no thread. Bytes, time and randomness come
//! in as values; what is to be sent, what happened and when to wake up come out through the same
//! few verbs. The contract stands once, on [`Machine`]. This crate holds the values that pass
//! between machines, and the small parts that they are built from.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use offhook_sansio::Timers;
//!
//! #[derive(Clone, Copy, PartialEq, Eq, Debug)]
//! enum Timer { Retransmit, GiveUp }
//!
//! let now = Instant::now();
//! let mut timers = Timers::new();
//! timers.set(Timer::Retransmit, now + Duration::from_millis(500));
//! timers.set(Timer::GiveUp, now + Duration::from_secs(32));
//! assert_eq!(timers.next(), Some(now + Duration::from_millis(500)));
//! assert_eq!(timers.expired(now), None);
//! assert_eq!(timers.expired(now + Duration::from_secs(1)), Some(Timer::Retransmit));
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod datagram;
pub use datagram::{Datagram, Transmit};

mod deadlines;
pub use deadlines::Deadlines;

mod flow;
pub use flow::{Flow, Protocol};

mod ids;
pub use ids::{IdHasher, IdMap};

mod machine;
pub use machine::Machine;

mod random;
pub use random::Random;

mod reader;
pub use reader::{Reader, TooShort};

mod secret;
pub use secret::{Secret, Wipe};

mod table;
pub use table::{Key, Table};

mod timers;
pub use timers::Timers;

mod writer;
pub use writer::{NoRoom, Writer};
