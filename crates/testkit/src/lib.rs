//! A virtual network and clock for testing programs that are built on offhook, and an auditor of SIP
//! traces.
//!
//! A [`Network`] carries datagrams between hosts. Each host is one
//! [`Machine`](offhook_sansio::Machine) with its addresses. Each direction between two hosts has
//! its own [`Impairment`]: delay, jitter, loss, duplication and reordering. The clock stands still
//! while machines work, then jumps to the next arrival or deadline: an hour of calls takes as long
//! as its computing does. Chance comes from one seed, so that every run can be repeated.
//!
//! A network that is [`audited`](Network::audited) tells at the end which host broke which rule of
//! SIP; an [`Auditor`] reads other traces too.
//!
//! The same impairments work on a real path too: an [`Impairer`] says when a packet arrives.
//!
//! ```
//! use std::{net::{IpAddr, SocketAddr}, time::{Duration, Instant}};
//! use offhook_sansio::{Datagram, Flow, Machine, Transmit};
//! use offhook_testkit::{Impairment, Network, Stopped};
//!
//! /// Returns every datagram that is not an echo, and reports what it got.
//! #[derive(Default)]
//! struct Echo { out: Vec<Transmit>, got: Vec<usize> }
//!
//! impl Machine for Echo {
//!     type Event = usize;
//!     fn receive(&mut self, _now: Instant, Datagram { flow, payload }: Datagram) {
//!         self.got.push(payload.len());
//!         if &payload[..] == b"ping" {
//!             self.out.push(Transmit { flow, payload: "echo".into() });
//!         }
//!     }
//!     fn handle_timeout(&mut self, _now: Instant) {}
//!     fn poll_transmit(&mut self) -> Option<Transmit> { self.out.pop() }
//!     fn poll_event(&mut self) -> Option<usize> { self.got.pop() }
//!     fn poll_timeout(&self) -> Option<Instant> { None }
//! }
//!
//! let start = Instant::now();
//! let [a, b] = ["10.0.0.1:5060", "10.0.0.2:5060"].map(|text| text.parse::<SocketAddr>().unwrap());
//! let mut network = Network::new(start, 7);
//! let alice = network.host(Echo::default(), &[a.ip()]);
//! let bob = network.host(Echo::default(), &[b.ip()]);
//! network.link(alice, bob, Impairment { delay: Duration::from_millis(30), ..Impairment::NONE });
//!
//! let ping = Transmit { flow: Flow::udp(a, b), payload: "ping".into() };
//! network.host_mut(alice).out.push(ping);
//! let mut heard = Vec::new();
//! let limit = start + Duration::from_secs(1);
//! let stopped = network.run_until_idle(limit, |happened| {
//!     heard.push((happened.host, happened.at - start));
//! })?;
//! assert_eq!(stopped, Stopped::Idle);
//! assert_eq!(heard, [(bob, Duration::from_millis(30)), (alice, Duration::from_millis(60))]);
//! assert_eq!(network.counters().delivered, 2);
//! # Ok::<(), offhook_testkit::Stuck>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod audit;
pub use audit::{AuditConfig, Auditor, Breach, Rule};

mod impairment;
pub use impairment::{Arrivals, Impairer, Impairment};

mod network;
pub use network::{Event, Happened, HostId, Network, Stopped};

mod on_the_way;

mod sound;
pub use sound::SoundCheck;

mod stuck;
pub use stuck::Stuck;

mod tap;
pub use tap::{Counters, Loss, Passage, Seen};
