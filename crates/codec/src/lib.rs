//! Audio codecs and packet loss concealment for telephony.
//!
//! An [`Encoder`] turns samples into the payload of a packet, a [`Decoder`] turns it back. Both
//! are looked up by the encoding name and clock rate that SDP negotiated. A [`Concealer`] stands
//! behind the decoder and fills the place of frames that did not come. Nothing here allocates
//! once it is made.
//!
//! ```
//! use offhook_codec::{Concealer, decoder, encoder};
//!
//! let mut encoder = encoder("PCMU", 8000).ok_or("no such codec")?;
//! let mut decoder = decoder("PCMU", 8000).ok_or("no such codec")?;
//! let mut concealer = Concealer::new(8000);
//!
//! let spoken = [1000_i16; 160]; // 20 ms
//! let mut payload = [0_u8; 160];
//! let bytes = encoder.encode(&spoken, &mut payload)?;
//! assert_eq!(bytes, 160);
//!
//! let mut heard = [0_i16; 160];
//! let samples = decoder.decode(&payload, &mut heard)?;
//! concealer.received(&mut heard); // remembers, and changes nothing while nothing is lost
//! assert_eq!((samples, heard), (160, [988; 160]));
//!
//! concealer.conceal(&mut heard); // the next packet is missing
//! assert!(concealer.concealing());
//! assert_eq!(heard.first(), Some(&988));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod codec;
pub use codec::{CodecError, Decoder, Encoder, decoder, encoder};

mod concealer;
pub use concealer::Concealer;

mod repetition;

pub mod g711;
