//! When a state that expires is to be refreshed, and when a refused one is to be asked for again.

use std::time::Duration;

use offhook_sansio::Random;
use offhook_sip_message::{RetryAfter, ValidResponse};

use crate::transaction::Timing;

/// When to refresh what was granted for `granted`.
///
/// A request must have its answer, or time out, before the state lapses (RFC 5627 §4.2): at the
/// latest it goes out after 90 % of the time and 64*T1 before the end. By chance it goes up to a
/// tenth earlier, so that clients that came together do not stay together. What is granted for
/// less than 128*T1 is refreshed halfway.
pub(crate) fn refresh_after(granted: Duration, timing: Timing, random: &mut Random) -> Duration {
    let margin = timing.give_up();
    if granted <= margin.saturating_mul(2) {
        return (granted / 2).max(SHORTEST);
    }
    let latest = granted.saturating_sub(margin.max(granted / 10));
    latest.mul_f64(1.0 - random.unit() / 10.0).max(granted / 2)
}

/// The `Retry-After` of a refusal (RFC 3261 §20.33), which is the last of `failures` in a row.
///
/// 0 is at once (RFC 5626 §4.2.1), but not again and again.
pub(crate) fn retry_after(response: &ValidResponse, failures: u32) -> Option<Duration> {
    let field = response.header::<RetryAfter>().ok()??;
    let least = if failures > 1 { SHORTEST } else { Duration::ZERO };
    Some(Duration::from_secs(field.seconds.into()).clamp(least, LONGEST_RETRY))
}

/// A server that grants next to nothing, or always refuses, is not asked more often.
const SHORTEST: Duration = Duration::from_secs(1);
/// Nobody silences a client for longer with one response.
const LONGEST_RETRY: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    #[test]
    fn a_refresh_leaves_time_for_its_own_timeout_and_comes_no_earlier_than_halfway() {
        let timing = Timing::of(&Config::default());
        let mut random = Random::from_seed(3);
        for seconds in [65, 70, 100, 320, 600, 3600, 86_400, u32::MAX] {
            let granted = Duration::from_secs(seconds.into());
            for _ in 0..20 {
                let after = refresh_after(granted, timing, &mut random);
                assert!(after + timing.give_up() <= granted, "{seconds}: {after:?}");
                assert!(after >= granted / 2 && after <= granted.mul_f64(0.9), "{seconds}");
            }
        }
    }

    #[test]
    fn short_times_are_refreshed_halfway_but_not_more_than_once_a_second() {
        let (timing, mut random) = (Timing::of(&Config::default()), Random::from_seed(3));
        for (seconds, half) in [(64, 32), (10, 5), (2, 1), (1, 1), (0, 1)] {
            let after = refresh_after(Duration::from_secs(seconds), timing, &mut random);
            assert_eq!(after, Duration::from_secs(half));
        }
    }
}
