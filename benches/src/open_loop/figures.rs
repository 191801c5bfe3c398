//! What came of a load.

use std::time::Duration;

/// The figures of one run.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Calls that were placed.
    pub placed: usize,
    /// Calls that were answered and ended as they should.
    pub completed: usize,
    /// Messages that came or went again: INVITE, BYE, and 200 to INVITE.
    pub repeated: usize,
    /// Calls that were placed more than ten milliseconds late: then the caller was too slow to
    /// measure anything.
    pub late: usize,
    /// Set-up times, from when the call was due to its 200; in order.
    pub setups: Vec<Duration>,
}

impl Figures {
    /// The set-up time that `percent` of the calls stayed below.
    pub fn setup(&self, percent: usize) -> Duration {
        let last = self.setups.len().saturating_sub(1);
        let at = last.saturating_mul(percent) / 100;
        self.setups.get(at).copied().unwrap_or_default()
    }

    /// Repetitions, as parts of a thousand calls.
    pub fn repeated_per_mille(&self) -> f64 {
        self.repeated as f64 * 1_000.0 / self.placed.max(1) as f64
    }

    /// Whether the rate was held: every call went through, with less than one repetition in a
    /// thousand calls, and the caller kept its time.
    pub fn is_held(&self) -> bool {
        let kept_time = self.late * 1_000 <= self.placed;
        self.completed == self.placed && self.repeated * 1_000 < self.placed && kept_time
    }
}
