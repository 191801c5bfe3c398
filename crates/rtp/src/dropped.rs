//! Why a datagram was dropped on arrival.

use thiserror::Error;

use crate::{Drops, Malformed};

/// The reason for which a session dropped a datagram. Nothing else has happened: the session goes
/// on, and the reason is counted in [`Drops`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Dropped {
    /// No RTP packet.
    #[error("no RTP packet: {0}")]
    Malformed(#[source] Malformed),
    /// No RTCP compound packet.
    #[error("no RTCP packet: {0}")]
    MalformedRtcp(#[source] Malformed),
    /// The payload type was not negotiated.
    #[error("payload type {0} was not negotiated (RFC 3550 §A.1)")]
    PayloadType(u8),
    /// The source has not shown enough packets in sequence.
    #[error("source is not validated yet (RFC 3550 §A.1)")]
    Probation,
    /// The sequence number made a very large jump.
    #[error("sequence number jumped (RFC 3550 §A.1)")]
    BadSequence,
    /// Another source plays.
    #[error("another source plays")]
    NotPlaying,
    /// The packet had come before.
    #[error("duplicate packet")]
    Duplicate,
    /// The packet came after its time to play.
    #[error("packet came too late to be played")]
    Late,
    /// The payload exceeds the jitter buffer's slots.
    #[error("payload is longer than the jitter buffer holds")]
    TooLarge,
    /// The packet carries our own SSRC.
    #[error("packet carries our own SSRC (RFC 3550 §8.2)")]
    OwnSsrc,
}

impl Drops {
    pub(crate) const fn count(&mut self, reason: &Dropped) {
        let counter = match reason {
            Dropped::Malformed(_) => &mut self.malformed,
            Dropped::MalformedRtcp(_) => &mut self.malformed_rtcp,
            Dropped::PayloadType(_) => &mut self.payload_type,
            Dropped::Probation => &mut self.probation,
            Dropped::BadSequence => &mut self.bad_sequence,
            Dropped::NotPlaying => &mut self.not_playing,
            Dropped::Duplicate => &mut self.duplicate,
            Dropped::Late => &mut self.late,
            Dropped::TooLarge => &mut self.too_large,
            Dropped::OwnSsrc => &mut self.own_ssrc,
        };
        *counter = counter.saturating_add(1);
    }
}
