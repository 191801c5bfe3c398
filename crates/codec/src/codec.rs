//! What every codec offers, and how one is found by the name that SDP negotiated.

use crate::g711::{self, G711};

/// Turns samples into the payload of a packet.
pub trait Encoder: Send {
    /// The rate of the samples it takes, in hertz.
    fn sample_rate(&self) -> u32;

    /// Encodes all `samples` into the front of `payload` and returns the bytes written.
    ///
    /// # Errors
    ///
    /// [`CodecError::NoRoom`] when `payload` is too short; nothing was written then.
    fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> Result<usize, CodecError>;
}

/// Turns the payload of a packet into samples.
pub trait Decoder: Send {
    /// The rate of the samples it gives, in hertz.
    fn sample_rate(&self) -> u32;

    /// Decodes the whole `payload` into the front of `samples` and returns the samples written.
    ///
    /// # Errors
    ///
    /// [`CodecError::NoRoom`] when `samples` is too short; nothing was written then.
    fn decode(&mut self, payload: &[u8], samples: &mut [i16]) -> Result<usize, CodecError>;
}

/// The encoder for an encoding name and clock rate of `a=rtpmap`.
///
/// Encoding names do not depend on case (RFC 4855 §3). `None`: there is no such codec here.
pub fn encoder(name: &str, clock_rate: u32) -> Option<Box<dyn Encoder>> {
    g711(name, clock_rate).map(|codec| Box::new(codec) as Box<dyn Encoder>)
}

/// The decoder for an encoding name and clock rate of `a=rtpmap`.
///
/// Encoding names do not depend on case (RFC 4855 §3). `None`: there is no such codec here.
pub fn decoder(name: &str, clock_rate: u32) -> Option<Box<dyn Decoder>> {
    g711(name, clock_rate).map(|codec| Box::new(codec) as Box<dyn Decoder>)
}

fn g711(name: &str, clock_rate: u32) -> Option<G711> {
    let law = g711::Law::named(name)?;
    (clock_rate == g711::SAMPLE_RATE).then(|| G711::new(law))
}

/// Why a codec refused its input.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CodecError {
    /// The buffer for the result is too short.
    #[error("the result needs {needed} items, the buffer has room for {room}")]
    NoRoom {
        /// What the result takes: bytes of payload, or samples.
        needed: usize,
        /// What the buffer holds.
        room: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codec_is_found_by_name_in_any_case_and_by_rate() {
        for name in ["PCMU", "pcmu", "PCMA", "pcmA"] {
            assert_eq!(encoder(name, 8000).map(|codec| codec.sample_rate()), Some(8000));
            assert_eq!(decoder(name, 8000).map(|codec| codec.sample_rate()), Some(8000));
        }
        assert!(encoder("PCMU", 16_000).is_none());
        assert!(decoder("PCM", 8000).is_none());
        assert!(decoder("", 0).is_none());
    }

    #[test]
    fn the_two_laws_are_not_mixed_up() {
        let mut payload = [0; 1];
        for (name, code_of_zero) in [("PCMU", 0xff), ("PCMA", 0xd5)] {
            let written = encoder(name, 8000).unwrap().encode(&[0], &mut payload);
            assert_eq!((written, payload), (Ok(1), [code_of_zero]));
        }
    }
}
