//! RTP and RTCP without input or output: packets, sender, receiver, jitter buffer, statistics.
//!
//! A [`Session`] is what one leg of a call needs. It writes packets into the caller's buffers and
//! reads those that the caller received; time comes in with each call. Underneath are parts that
//! stand alone: [`Packet`] and [`Header`] for the bytes, [`Sender`], [`Receiver`],
//! [`JitterBuffer`], the [`rtcp`] packets with their [schedule](rtcp::Schedule), and the
//! [`quality`] of what was heard.
//!
//! ```
//! use std::time::{Duration, Instant, SystemTime};
//! use offhook_rtp::{Session, SessionConfig, Taken, Wallclock};
//! use offhook_sansio::Random;
//!
//! let start = Instant::now();
//! let frame = Duration::from_millis(20);
//! let wallclock = Wallclock::new(start, SystemTime::now());
//! let session = |cname, seed| {
//!     let config = SessionConfig::new(cname, 0, 8000, frame, wallclock);
//!     Session::new(start, &config, Random::from_seed(seed))
//! };
//! let (mut alice, mut bob) = (session("alice", 1), session("bob", 2));
//!
//! let mut room = [0; 1500];
//! let mut heard = 0;
//! for n in 0..50 {
//!     let now = start + frame * n;
//!     // A frame of silence in G.711 µ-law, written in place.
//!     let length = alice.send(now, 160, &mut room, |payload| {
//!         payload[..160].fill(0xff);
//!         160
//!     })?;
//!     bob.receive_rtp(now, &room[..length])?;
//!     if let Taken::Frame { payload, .. } = bob.take(now) {
//!         heard += payload.len();
//!     }
//! }
//! assert!(heard >= 40 * 160);
//! assert_eq!(bob.statistics(start + frame * 50).lost, 0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod clock;

mod dropped;
pub use dropped::Dropped;

mod jitter;
pub use jitter::{Inserted, JitterBuffer, JitterConfig, JitterCounts, Taken};

mod malformed;
pub use malformed::Malformed;

mod ntp;
pub use ntp::{NtpTime, Wallclock};

mod packet;
pub use packet::{Element, Extension, Header, Packet, is_rtcp};

pub mod quality;

mod receiver;
pub use receiver::{Received, Receiver, Source, Totals};

pub mod rtcp;

mod sender;
pub use sender::Sender;

mod session;
pub use session::{Session, SessionConfig};

mod statistics;
pub use statistics::{Drops, RemoteReport, Statistics};

#[cfg(test)]
mod test_vectors;
