//! What happened in a call, for people.
//!
//! A [`Recording`] takes in the packets of one or more parties, and figures on how well the sound
//! came through. From it come a ladder of the messages ([`ladder::text`], [`ladder::svg`]), capture
//! files for Wireshark ([`pcap::write`]) and a page that tells the whole call at a glance
//! ([`Report::html`]). Text from the network is made harmless at each of these places.
//!
//! ```
//! use std::time::{Duration, UNIX_EPOCH};
//! use offhook_sansio::Flow;
//! use offhook_trace::{Direction, Recording, ladder, pcap};
//!
//! let mut recording = Recording::new();
//! let [alice, bob] = ["Alice", "Bob"].map(|name| recording.party(name));
//! let [a, b] = ["10.0.0.1:5060", "10.0.0.2:5060"].map(|text| text.parse().unwrap());
//! let ms = Duration::from_millis;
//!
//! let invite = b"INVITE sip:bob@10.0.0.2 SIP/2.0\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n";
//! recording.packet(ms(0), alice, Direction::Sent, Flow::udp(a, b), invite);
//! recording.packet(ms(500), alice, Direction::Sent, Flow::udp(a, b), invite);
//! recording.packet(ms(520), bob, Direction::Received, Flow::udp(b, a), invite);
//!
//! let text = ladder::text(&recording);
//! assert!(text.contains("INVITE (1)") && text.contains("lost") && text.contains("again"));
//! let mut file = Vec::new();
//! let written = pcap::write(&recording, alice, UNIX_EPOCH, &mut file)?;
//! assert_eq!(written.packets, 2);
//! # Ok::<(), std::io::Error>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod escape;

pub mod ladder;

mod packet_kind;

pub mod pcap;

mod quality;
pub use quality::{QualityRow, quality_table};

mod recording;
pub use recording::{Direction, Figures, Omitted, Packet, PartyId, Recording};

mod report;
pub use report::{PartyReport, Report};
