//! SIP behaviour without input or output: transactions, dialogs and calls of a user agent
//! (RFC 3261, RFC 3262, RFC 3311, RFC 6026, RFC 3581, RFC 4320) with session timers (RFC 4028), INFO
//! (RFC 6086), calls that replace or join others (RFC 3891, RFC 3911), identities and privacy
//! (RFC 3325, RFC 3323), its registrations (RFC 3261 §10, RFC 5626), publications (RFC 3903), event
//! subscriptions in both roles (RFC 6665), REFER (RFC 3515) and other requests outside of calls, the
//! location of servers (RFC 3263), and digest authentication (RFC 7616, RFC 8760) by
//! [`Authenticator`] and [`Challenger`].
//!
//! A [`UserAgent`] takes datagrams, time and verbs, and gives datagrams and events. It opens no
//! socket and reads no clock; bodies stay opaque. Two of them, wired together, make a call:
//!
//! ```
//! use std::{net::SocketAddr, time::Instant};
//! use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};
//! use offhook_sip::{Config, End, Event, Invite, UserAgent};
//! use offhook_sip_message::NameAddr;
//!
//! let now = Instant::now();
//! let addresses: [SocketAddr; 2] = ["192.0.2.1:5060".parse()?, "192.0.2.2:5060".parse()?];
//! let mut agents = [1, 2].map(|seed| UserAgent::new(Config::default(), Random::from_seed(seed)));
//! for (agent, address) in agents.iter_mut().zip(addresses) {
//!     agent.listen(Protocol::Udp, address, address);
//! }
//! let alice = NameAddr::new("sip:alice@example.com".parse()?);
//! let flow = Flow::udp(addresses[0], addresses[1]);
//! agents[0].invite(now, Invite::new("sip:bob@192.0.2.2".parse()?, alice, flow))?;
//! let mut ends = Vec::new();
//! while ends.len() < 2 {
//!     for side in [0, 1] {
//!         while let Some(sent) = agents[side].poll_transmit() {
//!             let flow = Flow::udp(addresses[1 - side], addresses[side]);
//!             let payload = sent.payload.as_ref().into();
//!             agents[1 - side].receive(now, Datagram { flow, payload });
//!         }
//!         while let Some(event) = agents[side].poll_event() {
//!             match event {
//!                 Event::Incoming { call, .. } => agents[side].answer(now, call, None)?,
//!                 Event::Answered { call, .. } => agents[side].hang_up(now, call)?,
//!                 Event::Ended { end, .. } => ends.push(end),
//!                 _ => {}
//!             }
//!         }
//!     }
//! }
//! assert!(ends.contains(&End::HungUp) && ends.contains(&End::PeerHungUp));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod auth;
pub use auth::{
    A1Hash, Authenticated, Authenticator, ChallengeError, Challenged, Challenger, Claim,
    CredentialsError, HashFunction, Login, OfferError, Role, ServerProof, User, Verdict,
};

mod call;
pub use call::{CallId, Info, InfoId, Invite};

mod config;
pub use config::{Config, Refreshes, ReliableProvisionals, SessionTimer, TimerUse};

mod dialog;

mod error;
pub use error::Error;

mod event;
pub use event::{Body, Description, End, Event, Fork};

mod locate;
pub use locate::{
    DnsAnswer, DnsName, DnsQuestion, DnsRecord, DnsValue, Failure, Families, InvalidName,
    LocateError, Locator, LocatorConfig, LocatorEvent, LocatorStatistics, LookupId, Naptr, NextHop,
    QuestionId, RecordType, ServerOrder, Srv, Target,
};

mod publication;
pub use publication::{Publication, PublicationEvent, PublicationId};

mod registration;
pub use registration::{Push, Registered, Registration, RegistrationEvent, RegistrationId};

mod request;
pub use request::{IncomingId, OutgoingRequest, RequestFailure, RequestId};

mod statistics;
pub use statistics::{Dropped, Statistics};

mod subscription;
pub use subscription::{
    EventPackage, Refer, ReferEnd, ReferEvent, ReferId, ReferOutside, Referral, ReferralEnd,
    ReferralEvent, ReferralId, SubscriberEnd, SubscriberEvent, SubscriberId, Subscription,
    SubscriptionEvent, SubscriptionId, SubscriptionLoss,
};

mod transaction;

mod transport;

mod usage;
pub use usage::BackOff;

mod user_agent;
pub use user_agent::UserAgent;
