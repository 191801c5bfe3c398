//! The settings of a jitter buffer.

use std::time::Duration;

/// How a [`JitterBuffer`](super::JitterBuffer) behaves. [`new`](Self::new) gives what suits a
/// telephone call; every field can be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JitterConfig {
    /// Ticks of the RTP timestamp per second.
    pub clock_rate: u32,
    /// How much sound one frame holds: what one `Missing` stands for.
    pub frame: Duration,
    /// How long the first packet waits before it is played. 40 to 60 ms bridge the jitter of a
    /// good network, and pairs of packets that come at once.
    pub initial_delay: Duration,
    /// The delay is not made shorter than this.
    pub min_delay: Duration,
    /// The delay is not made longer than this. Sound that waits longer is discarded.
    pub max_delay: Duration,
    /// How long the stream may give nothing before it counts as stopped.
    pub starvation: Duration,
    /// How many packets the buffer holds.
    pub packets: usize,
    /// The longest payload it holds, in octets: 1600 are 200 ms of G.711, the longest packet that
    /// a receiver should take (RFC 3551 §4.2).
    pub payload: usize,
}

impl JitterConfig {
    /// The settings for a telephone call with frames of `frame`.
    pub const fn new(clock_rate: u32, frame: Duration) -> Self {
        Self {
            clock_rate,
            frame,
            initial_delay: Duration::from_millis(40),
            min_delay: Duration::from_millis(20),
            max_delay: Duration::from_millis(200),
            starvation: Duration::from_millis(300),
            packets: 64,
            payload: 1600,
        }
    }
}
