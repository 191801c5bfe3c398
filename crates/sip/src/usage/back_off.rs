//! How long to wait after a failure (RFC 5626 §4.5).

use std::time::Duration;

use offhook_sansio::Random;

/// The waiting times between tries that fail one after the other (RFC 5626 §4.5): at most the base
/// time, doubled with each failure, and at least half of that, by chance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BackOff {
    /// No wait is longer.
    pub max: Duration,
    /// The base time while nothing is registered.
    pub base: Duration,
    /// The base time while another flow of the same instance is registered.
    pub base_with_others: Duration,
}

impl BackOff {
    /// How long to wait after `failures` failures in a row.
    pub(crate) fn wait(self, failures: u32, others: bool, random: &mut Random) -> Duration {
        let base = if others { self.base_with_others } else { self.base };
        let bound = base.saturating_mul(2_u32.saturating_pow(failures)).min(self.max);
        bound.clamp(SHORTEST, LONGEST).mul_f64(0.5 + random.unit() / 2.0)
    }
}

impl Default for BackOff {
    /// The defaults of RFC 5626 §4.5.
    fn default() -> Self {
        Self {
            max: Duration::from_secs(1800),
            base: Duration::from_secs(30),
            base_with_others: Duration::from_secs(90),
        }
    }
}

/// A setting of nothing would try without end.
const SHORTEST: Duration = Duration::from_secs(1);
/// A setting beyond the clock's range cannot be waited for.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_doubles_with_each_failure_up_to_the_maximum() {
        let (back_off, mut random) = (BackOff::default(), Random::from_seed(1));
        for (failures, bound) in [(1, 60), (2, 120), (3, 240), (5, 960), (6, 1800), (99, 1800)] {
            let bound = Duration::from_secs(bound);
            for _ in 0..50 {
                let wait = back_off.wait(failures, false, &mut random);
                assert!(wait >= bound / 2 && wait <= bound, "{failures}: {wait:?}");
            }
        }
    }

    #[test]
    fn while_another_flow_stands_there_is_more_time() {
        let mut random = Random::from_seed(1);
        let waits: Vec<_> =
            (0..50).map(|_| BackOff::default().wait(1, true, &mut random)).collect();
        assert!(waits.iter().all(|wait| (90..=180).contains(&wait.as_secs())), "{waits:?}");
        assert_ne!(waits.first(), waits.last(), "by chance");
    }

    #[test]
    fn a_setting_of_nothing_still_waits() {
        let none =
            BackOff { max: Duration::ZERO, base: Duration::ZERO, base_with_others: Duration::ZERO };
        assert!(none.wait(1, false, &mut Random::from_seed(1)) >= SHORTEST / 2);
    }
}
