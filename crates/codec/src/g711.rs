//! G.711: one byte a sample, in the µ-law of North America and Japan (PCMU) and the A-law of the
//! rest of the world (PCMA). RFC 3551 §4.5.14 carries both over RTP.
//!
//! Both laws quantise the magnitude like a tiny floating point number: three bits of exponent
//! (the segment) and four of mantissa (the interval in it). Samples are 16 bits wide here; the
//! values of G.711, 14 bits for µ-law and 13 for A-law, are scaled by 4 and 8.
//!
//! G.711 leaves open which interval a sample exactly on a decision value belongs to. Here it is
//! the upper one, seen in the direction of rising samples.

use crate::codec::{CodecError, Decoder, Encoder};

/// The sample rate and clock rate of G.711, in hertz.
pub const SAMPLE_RATE: u32 = 8000;

/// The two companding laws of G.711.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Law {
    /// µ-law: PCMU.
    Mu,
    /// A-law: PCMA.
    A,
}

impl Law {
    /// The law with this encoding name of RFC 3551, in any case.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Mu, Self::A].into_iter().find(|law| law.name().eq_ignore_ascii_case(name))
    }

    /// The encoding name of RFC 3551.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mu => "PCMU",
            Self::A => "PCMA",
        }
    }
}

/// G.711 as an [`Encoder`] and a [`Decoder`]. It keeps no state between frames.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct G711 {
    law: Law,
}

impl G711 {
    /// The codec of this law.
    pub const fn new(law: Law) -> Self {
        Self { law }
    }

    /// The law it follows.
    pub const fn law(&self) -> Law {
        self.law
    }
}

impl Encoder for G711 {
    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn encode(&mut self, samples: &[i16], payload: &mut [u8]) -> Result<usize, CodecError> {
        match self.law {
            Law::Mu => convert(samples, payload, encode_mulaw),
            Law::A => convert(samples, payload, encode_alaw),
        }
    }
}

impl Decoder for G711 {
    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn decode(&mut self, payload: &[u8], samples: &mut [i16]) -> Result<usize, CodecError> {
        match self.law {
            Law::Mu => convert(payload, samples, decode_mulaw),
            Law::A => convert(payload, samples, decode_alaw),
        }
    }
}

/// Inlined with its `each`, so that the compiler makes one vector loop of both.
#[inline]
fn convert<I: Copy, O>(
    input: &[I],
    output: &mut [O],
    each: impl Fn(I) -> O,
) -> Result<usize, CodecError> {
    let room = output.len();
    let output =
        output.get_mut(..input.len()).ok_or(CodecError::NoRoom { needed: input.len(), room })?;
    for (out, item) in output.iter_mut().zip(input) {
        *out = each(*item);
    }
    Ok(input.len())
}

/// The µ-law code of a sample. Zero is 0xff.
#[inline]
pub const fn encode_mulaw(sample: i16) -> u8 {
    let sign = if sample < 0 { SIGN } else { 0 };
    let magnitude = if magnitude(sample) < MULAW_CLIP { magnitude(sample) } else { MULAW_CLIP };
    // The bias makes each segment start at a power of two: the first one at 2^7.
    let code = exponent_and_mantissa(magnitude + MULAW_BIAS) - (7 << 4);
    !(sign | code as u8)
}

/// The sample of a µ-law code: -32 124 to 32 124.
#[inline]
pub const fn decode_mulaw(code: u8) -> i16 {
    let code = !code;
    let (segment, interval) = (code >> 4 & 7, (code & 15) as i16);
    let magnitude = (((interval << 3) + MULAW_BIAS) << segment) - MULAW_BIAS;
    if code & SIGN == 0 { magnitude } else { -magnitude }
}

/// The A-law code of a sample, with the even bits inverted as G.711 sends it. Zero is 0xd5.
#[inline]
pub const fn encode_alaw(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { SIGN };
    let magnitude = magnitude(sample);
    let code = if magnitude < 256 {
        // The lowest segment is linear and has no leading one.
        magnitude as i32 >> 4
    } else {
        // Segment 1 starts at 2^8.
        exponent_and_mantissa(magnitude) - (7 << 4)
    };
    (sign | code as u8) ^ ALAW_EVEN_BITS
}

/// The sample of an A-law code as it was sent: -32 256 to 32 256, never zero.
#[inline]
pub const fn decode_alaw(code: u8) -> i16 {
    let code = code ^ ALAW_EVEN_BITS;
    let (segment, interval) = (code >> 4 & 7, (code & 15) as i16);
    let middle = (interval << 4) + 8;
    let magnitude = if segment == 0 { middle } else { (middle + 256) << segment.saturating_sub(1) };
    if code & SIGN == 0 { -magnitude } else { magnitude }
}

/// The magnitude in one's complement: -1 counts as 0, and -32 768 has a magnitude.
const fn magnitude(sample: i16) -> i16 {
    sample ^ (sample >> 15)
}

/// ⌊log2⌋ of the value in the upper bits, the four bits behind its leading one in the lower four.
///
/// That is how an `f32` is laid out. Every `i16` is exact in it, and unlike counting leading
/// zeros the conversion is one vector instruction everywhere.
const fn exponent_and_mantissa(value: i16) -> i32 {
    const MANTISSA_BITS: i32 = 23;
    const EXPONENT_BIAS: i32 = 127;
    ((value as f32).to_bits() as i32 >> (MANTISSA_BITS - 4)) - (EXPONENT_BIAS << 4)
}

const SIGN: u8 = 0x80;
/// 33 of the 14-bit scale of G.711, table 2.
const MULAW_BIAS: i16 = 33 << 2;
/// The virtual decision value 8159 of the 14-bit scale: what is above belongs to the last interval.
const MULAW_CLIP: i16 = (8159 << 2) - 1;
/// G.711 §3.2: the even bits of an A-law code are inverted on the line.
const ALAW_EVEN_BITS: u8 = 0x55;

#[cfg(test)]
mod tests;
