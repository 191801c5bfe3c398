//! Where to send a message: from the URI of the next hop to protocol, address and port (RFC 3263,
//! with RFC 2782, RFC 3403 §4, RFC 5922 §4, RFC 5630 §3.1.4, RFC 7118 §5.5, RFC 4321 §1.3).
//!
//! A [`Locator`] asks DNS through its owner and hands out targets one by one. Here `example.com` is
//! resolved by hand:
//!
//! ```
//! use std::time::{Duration, Instant};
//! use offhook_sansio::{Protocol, Random};
//! use offhook_sip::{
//!     DnsAnswer, DnsName, DnsRecord, DnsValue, Locator, LocatorConfig, LocatorEvent, NextHop,
//!     RecordType, Srv,
//! };
//!
//! let now = Instant::now();
//! let config = LocatorConfig::new([Protocol::Udp, Protocol::Tcp]);
//! let mut locator = Locator::new(config, Random::from_seed(1));
//! let lookup = locator.locate(now, &NextHop::of_uri(&"sip:bob@example.com".parse()?)?)?;
//! let host: DnsName = "sip1.example.com".parse()?;
//! while let Some(question) = locator.poll_question() {
//!     let value = match (question.record_type, question.name.as_str()) {
//!         (RecordType::Srv, "_sip._udp.example.com") => {
//!             Some(DnsValue::Srv(Srv { priority: 0, weight: 0, port: 5070, target: host.clone() }))
//!         }
//!         (RecordType::A, "sip1.example.com") => Some(DnsValue::Address([192, 0, 2, 1].into())),
//!         _ => None,
//!     };
//!     let ttl = Duration::from_secs(60);
//!     let records = value.into_iter().map(|value| DnsRecord { ttl, value }).collect();
//!     locator.answer(now, question.id, DnsAnswer::Records(records));
//! }
//! let Some(LocatorEvent::Try { target, .. }) = locator.poll_event() else { panic!("no target") };
//! assert_eq!((target.protocol, target.address), (Protocol::Udp, ([192, 0, 2, 1], 5070).into()));
//! assert_eq!(target.domain.to_string(), "example.com");
//! locator.reached(lookup)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![deny(clippy::arithmetic_side_effects)]

use std::time::{Duration, Instant};

mod answer;
pub use answer::{DnsAnswer, DnsRecord, DnsValue, Naptr, Srv};

mod asked;

mod cache;

mod config;
pub use config::{Families, LocatorConfig, ServerOrder};

mod error;
pub use error::LocateError;

mod event;
pub use event::LocatorEvent;

mod failures;

mod locator;
pub use locator::{Locator, LookupId};

mod lookup;

mod name;
pub use name::{DnsName, InvalidName};

mod naptr;

mod next_hop;
pub use next_hop::NextHop;

mod question;
pub use question::{DnsQuestion, QuestionId, RecordType};

mod selection;

mod srv;

mod statistics;
pub use statistics::LocatorStatistics;

mod target;
pub use target::{Failure, Target};

mod targets;

/// `time` after `now`; more than a day counts as a day.
fn later(now: Instant, time: Duration) -> Instant {
    now.checked_add(time.min(DAY)).unwrap_or(now)
}

/// The longest time that anything is waited for or remembered.
const DAY: Duration = Duration::from_secs(24 * 3600);
