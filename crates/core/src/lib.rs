//! The endpoint without input or output: SIP signalling and media composed into calls.
//!
//! An [`Endpoint`] takes datagrams and time, and gives datagrams, events and deadlines; the
//! contract is [`Machine`](offhook_sansio::Machine)'s. It owns the SIP
//! [`UserAgent`](offhook_sip::UserAgent), and for each call the offer/answer state and the media
//! [`Leg`](offhook_media::Leg). Sound goes in and comes out a frame at a time.
//!
//! Two endpoints in memory, handing each other their datagrams:
//!
//! ```
//! use std::time::Instant;
//! use bytes::BytesMut;
//! use offhook_core::{Config, Endpoint, Event, MediaSockets, Outgoing};
//! use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};
//!
//! fn deliver(now: Instant, from: &mut Endpoint, to: &mut Endpoint) {
//!     while let Some(sent) = from.poll_transmit() {
//!         let flow = Flow::udp(sent.flow.remote, sent.flow.local);
//!         to.receive(now, Datagram { flow, payload: BytesMut::from(&sent.payload[..]) });
//!     }
//! }
//! let now = Instant::now();
//! let (a, b) = ("192.0.2.1:5060".parse()?, "192.0.2.2:5060".parse()?);
//! let mut alice = Endpoint::new(now, Config::new("sip:alice@192.0.2.1".parse()?), Random::from_seed(1));
//! let mut bob = Endpoint::new(now, Config::new("sip:bob@192.0.2.2".parse()?), Random::from_seed(2));
//! alice.listen(Protocol::Udp, a, a);
//! bob.listen(Protocol::Udp, b, b);
//!
//! let sockets = MediaSockets::pair("192.0.2.1:4000".parse()?);
//! alice.call(now, Outgoing::new("sip:bob@192.0.2.2".parse()?, Flow::udp(a, b)), sockets)?;
//! deliver(now, &mut alice, &mut bob);
//! let Some(Event::Incoming { call, .. }) = bob.poll_event() else { panic!("no call came") };
//! bob.answer(now, call, MediaSockets::pair("192.0.2.2:4000".parse()?))?;
//! deliver(now, &mut bob, &mut alice);
//! assert!(matches!(alice.poll_event(), Some(Event::Answered { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod accounts;

mod call;

mod config;
pub use config::{Config, MediaSockets, Outgoing};

mod demux;

mod early_media;

mod elsewhere;

mod endpoint;
pub use endpoint::Endpoint;

mod error;
pub use error::Error;

mod event;
pub use event::{Ending, Event};

mod hold;
pub use hold::Hold;

mod info;

mod requests;

mod signalling;

mod statistics;
pub use statistics::{CallStatistics, Statistics};

mod subscriptions;
mod transfer;

pub use offhook_sip::{CallId, Description, Fork};
