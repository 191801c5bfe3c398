//! One call leg's media: from frames of samples to RTP packets and back.
//!
//! A [`Leg`] is made from what offer and answer agreed on. Each frame time its owner hands it a
//! captured frame and fetches one to play; packets pass through the verbs of
//! [`Machine`](offhook_sansio::Machine), whose contract it obeys.
//!
//! ```
//! use std::{net::SocketAddr, time::{Duration, Instant, SystemTime}};
//! use offhook_media::{Leg, Settings};
//! use offhook_rtp::Wallclock;
//! use offhook_sansio::{Machine, Random};
//! use offhook_sdp::{Codec, Direction, NegotiatedMedia};
//!
//! let now = Instant::now();
//! let negotiated = NegotiatedMedia {
//!     codec: Codec::pcmu(),
//!     send_payload_type: 0,
//!     receive_payload_type: 0,
//!     direction: Direction::SendRecv,
//!     remote_rtp: "192.0.2.2:4000".parse()?,
//!     remote_rtcp: "192.0.2.2:4001".parse()?,
//!     rtcp_mux: true,
//!     ptime: Duration::from_millis(20),
//!     reasons: Vec::new(),
//! };
//! let local: SocketAddr = "192.0.2.1:4000".parse()?;
//! let settings = Settings::new(negotiated, local, local, Wallclock::new(now, SystemTime::UNIX_EPOCH));
//! let mut leg = Leg::new(now, settings, Random::from_seed(1))?;
//!
//! leg.send_audio(now, &vec![1000; leg.frame()])?;
//! let sent = leg.poll_transmit().ok_or("nothing to send")?;
//! assert_eq!((sent.flow.remote.port(), sent.payload.len()), (4000, 12 + 160));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod error;
pub use error::Error;

mod event;
pub use event::Event;

mod incoming;
pub use incoming::Heard;

mod leg;
pub use leg::{Leg, supports};

mod outgoing;

mod path;

mod settings;
pub use settings::{PlayoutDelay, Settings};

mod statistics;
pub use statistics::{Frames, Interval, LegStatistics};
