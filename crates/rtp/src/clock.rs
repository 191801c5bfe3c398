//! The media clock: RTP timestamp ticks and the durations they stand for (RFC 3550 §5.1).

use std::time::{Duration, Instant};

/// A clock rate in ticks per second and the moment its ticks are counted from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MediaClock {
    rate: u32,
    epoch: Instant,
}

impl MediaClock {
    pub(crate) fn new(rate: u32, epoch: Instant) -> Self {
        Self { rate: rate.max(1), epoch }
    }

    pub(crate) const fn rate(&self) -> u32 {
        self.rate
    }

    /// Ticks from the epoch to `now`; a moment before the epoch counts as the epoch.
    pub(crate) fn ticks_at(&self, now: Instant) -> i64 {
        ticks_of(now.saturating_duration_since(self.epoch), self.rate)
    }

    pub(crate) fn duration(&self, ticks: i64) -> Duration {
        let ticks = u64::try_from(ticks).unwrap_or(0);
        let rate = u64::from(self.rate);
        let nanoseconds = (ticks % rate) * NANOSECONDS / rate;
        Duration::new(ticks / rate, u32::try_from(nanoseconds).unwrap_or(0))
    }
}

/// How many ticks of a clock of `rate` fit into `duration`.
pub(crate) fn ticks_of(duration: Duration, rate: u32) -> i64 {
    let whole = duration.as_secs().saturating_mul(u64::from(rate));
    let part = u64::from(duration.subsec_nanos()) * u64::from(rate) / NANOSECONDS;
    i64::try_from(whole.saturating_add(part)).unwrap_or(i64::MAX)
}

const NANOSECONDS: u64 = 1_000_000_000;
