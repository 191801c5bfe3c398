//! The durations that the transaction machines derive their timers from.

use std::time::Duration;

use crate::Config;

/// T1, T2 and T4 of RFC 3261 §17, table 4.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    pub(crate) t1: Duration,
    pub(crate) t2: Duration,
    pub(crate) t4: Duration,
}

impl Timing {
    /// An interval of nothing would repeat without end, one beyond the clock's range cannot be set.
    pub(crate) fn of(config: &Config) -> Self {
        let bounded = |time: Duration| time.clamp(SHORTEST, LONGEST);
        Self { t1: bounded(config.t1), t2: bounded(config.t2), t4: bounded(config.t4) }
    }

    /// 64*T1: Timers B, F, H, J, L and M, and how long a 2xx waits for its ACK.
    pub(crate) const fn give_up(self) -> Duration {
        self.t1.saturating_mul(64)
    }

    /// Twice `interval`, at most T2: Timers E and G, and the retransmission of a 2xx.
    pub(crate) fn back_off(self, interval: Duration) -> Duration {
        interval.saturating_mul(2).min(self.t2)
    }
}

const SHORTEST: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_secs(3600);
