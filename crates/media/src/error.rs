//! Why a leg refused something.

use std::time::Duration;

use offhook_codec::CodecError;
use offhook_sansio::NoRoom;
use offhook_sdp::Codec;
use thiserror::Error;

/// A verb of a leg could not be carried out. The leg is as it was.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no encoder or decoder for what was negotiated.
    #[error("the codec {0} is not there")]
    NoCodec(String),
    /// The codec refused a frame.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A frame has another length than the one negotiated.
    #[error("a frame has {expected} samples, not {given}")]
    FrameLength {
        /// What [`Leg::frame`](crate::Leg::frame) says.
        expected: usize,
        /// What came.
        given: usize,
    },
    /// A packet did not fit its buffer.
    #[error("packet: {0}")]
    NoRoom(#[from] NoRoom),
    /// A packet cannot carry so much sound, or none (RFC 3551 §4.2).
    #[error("a packet of {0:?} is not above 0 and up to 200 ms")]
    FrameTime(Duration),
    /// A running leg cannot change its clock rate (RFC 3550 §5.1 ties timestamps to it).
    #[error("the clock rate is {running}, it cannot become {new} in mid-call")]
    ClockRate {
        /// The rate of the leg, in Hz.
        running: u32,
        /// The rate of the new agreement, in Hz.
        new: u32,
    },
    /// The leg is closed.
    #[error("the leg is closed")]
    Closed,
}

impl Error {
    pub(crate) fn no_codec(codec: &Codec) -> Self {
        Self::NoCodec(codec.to_string())
    }
}
