//! The settings of a session.

use std::time::Duration;

use crate::{JitterConfig, Wallclock};

/// How a [`Session`](crate::Session) is set up. [`new`](Self::new) asks for what has no default;
/// every field can be changed.
#[derive(Clone, Debug)]
pub struct SessionConfig {
    /// Our synchronisation source; `None` draws one at random, as RFC 3550 §8 wants it.
    pub ssrc: Option<u32>,
    /// The canonical name in our reports (RFC 3550 §6.5.1; RFC 7022 says how to choose one). Of a
    /// longer name the first 255 octets are sent, cut at a character.
    pub cname: String,
    /// The payload type of what we send.
    pub send_payload_type: u8,
    /// The payload types that are accepted; others are dropped.
    pub receive_payload_types: Vec<u8>,
    /// What ties `Instant`s to wallclock time.
    pub wallclock: Wallclock,
    /// The jitter buffer, with the clock rate and the frame of the session.
    pub jitter: JitterConfig,
    /// The bandwidth of the session in bits per second, headers included; reports get 5 % of it
    /// (RFC 3550 §6.2). 80 000 is that of G.711 in 20 ms packets.
    pub session_bandwidth: u32,
    /// How many sources are remembered, 2 to 31.
    pub max_sources: usize,
    /// How many other participants are counted for the interval of reports.
    pub max_members: usize,
    /// Whether our own packets are played when they come back. RFC 3550 §8.2 takes them for a
    /// loop and has them dropped, but a peer that echoes them for a test leaves our SSRC in them.
    pub plays_own: bool,
}

impl SessionConfig {
    /// The settings for a call with one payload type in both directions.
    pub fn new(
        cname: impl Into<String>,
        payload_type: u8,
        clock_rate: u32,
        frame: Duration,
        wallclock: Wallclock,
    ) -> Self {
        Self {
            ssrc: None,
            cname: cname.into(),
            send_payload_type: payload_type,
            receive_payload_types: vec![payload_type],
            wallclock,
            jitter: JitterConfig::new(clock_rate, frame),
            session_bandwidth: 80_000,
            max_sources: 8,
            max_members: 64,
            plays_own: false,
        }
    }
}

/// A set of payload types: one bit for each of the 128.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PayloadTypes(u128);

impl PayloadTypes {
    pub(super) fn of(payload_types: &[u8]) -> Self {
        let bit = |payload_type: &u8| 1u128.checked_shl(u32::from(*payload_type)).unwrap_or(0);
        Self(payload_types.iter().map(bit).fold(0, |set, bit| set | bit))
    }

    pub(super) fn contains(self, payload_type: u8) -> bool {
        let bit = 1u128.checked_shl(u32::from(payload_type)).unwrap_or(0);
        self.0 & bit != 0
    }
}
