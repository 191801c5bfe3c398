//! Session descriptions and the offer/answer exchange of RFC 3264.
//!
//! Two parties agree on a codec: one makes an offer, the other reads it and answers, and both
//! then hold the same agreement, each seen from its own side.
//!
//! ```
//! use std::{net::SocketAddr, time::Duration};
//! use offhook_sdp::{Capabilities, Codec, Direction, LocalMedia, Negotiation};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let capabilities = Capabilities {
//!     codecs: vec![Codec::pcmu(), Codec::pcma()],
//!     ptime: Duration::from_millis(20),
//!     rtcp_mux: true,
//!     direction: Direction::SendRecv,
//! };
//! let place = |rtp: &str, rtcp: &str| -> Result<LocalMedia, std::net::AddrParseError> {
//!     Ok(LocalMedia { rtp: rtp.parse()?, rtcp: rtcp.parse()? })
//! };
//! let alice_media = place("192.0.2.1:4000", "192.0.2.1:4001")?;
//! let bob_media = place("198.51.100.9:5000", "198.51.100.9:5001")?;
//! let mut alice = Negotiation::new(capabilities.clone(), alice_media, 1);
//! let mut bob = Negotiation::new(capabilities, bob_media, 2);
//!
//! let offer = alice.offer()?;
//! bob.receive_offer(&offer)?;
//! let (answer, at_bob) = bob.answer()?;
//! let at_alice = alice.receive_answer(&answer)?;
//!
//! assert_eq!(at_alice.codec.encoding, "PCMU");
//! assert_eq!(at_alice.remote_rtp, "198.51.100.9:5000".parse::<SocketAddr>()?);
//! assert_eq!(at_bob.send_payload_type, at_alice.receive_payload_type);
//! # Ok(())
//! # }
//! ```
//!
//! A description alone is a [`SessionDescription`]: every line stays in its place, unknown ones
//! too, and what nobody touched is written back byte for byte.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod codec;
pub use codec::Codec;

mod description;
pub use description::{
    Address, Attribute, Connection, Direction, Field, FormatParameters, Line, MediaDescription,
    MediaLine, Origin, Rtcp, RtpMap, SessionDescription,
};

mod error;
pub use error::{Error, ParseError, Pending, Unwritable};

mod negotiation;
pub use negotiation::{Capabilities, LocalMedia, NegotiatedMedia, Negotiation};
