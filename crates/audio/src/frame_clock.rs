//! When the next frame is due. The caller brings the time; nothing here reads a clock.

use std::time::{Duration, Instant};

/// A steady beat of frames, without drift.
///
/// Each deadline is one period after the deadline before it, however late it was noticed. Someone
/// who comes late gets the frames that were missed at once, up to a maximum; what is beyond is
/// skipped, in whole frames, and counted in [`slipped`](Self::slipped).
///
/// ```
/// use std::time::{Duration, Instant};
/// use offhook_audio::FrameClock;
///
/// let (start, period) = (Instant::now(), Duration::from_millis(20));
/// let mut clock = FrameClock::new(start, period);
/// assert_eq!(clock.due(start), 1);
/// assert_eq!(clock.due(start), 0);
/// assert_eq!(clock.due(start + Duration::from_millis(45)), 2);
/// assert_eq!(clock.next(), start + 3 * period);
/// ```
#[derive(Clone, Debug)]
pub struct FrameClock {
    next: Instant,
    period: Duration,
    max_catch_up: u32,
    slipped: u64,
}

impl FrameClock {
    /// A clock whose first frame is due at `start`, and one more after each `period`.
    ///
    /// A period outside 1 µs to 1 hour counts as the nearest of the two.
    pub fn new(start: Instant, period: Duration) -> Self {
        let period = period.clamp(SHORTEST_PERIOD, LONGEST_PERIOD);
        Self { next: start, period, max_catch_up: MAX_CATCH_UP, slipped: 0 }
    }

    /// The same clock, with another maximum of frames due at once; 5 by default, at least 1.
    #[must_use]
    pub fn with_max_catch_up(self, frames: u32) -> Self {
        Self { max_catch_up: frames.max(1), ..self }
    }

    /// When the next frame is due: sleep until then.
    pub fn next(&self) -> Instant {
        self.next
    }

    /// How many frames are due at `now`. They count as handled from then on.
    pub fn due(&mut self, now: Instant) -> u32 {
        let Some(late) = now.checked_duration_since(self.next) else { return 0 };
        let (late, period) = (late.as_nanos(), self.period.as_nanos());
        let into_period = Duration::from_nanos((late % period) as u64);
        self.next = now - into_period + self.period;
        let frames = u64::try_from(late / period + 1).unwrap_or(u64::MAX);
        let due = frames.min(u64::from(self.max_catch_up));
        if frames > due {
            tracing::debug!(frames = frames - due, "too late for these frames, they are skipped");
            self.slipped = self.slipped.saturating_add(frames - due);
        }
        due as u32
    }

    /// The time from one frame to the next.
    pub fn period(&self) -> Duration {
        self.period
    }

    /// Frames that were skipped because the caller came too late for them.
    pub fn slipped(&self) -> u64 {
        self.slipped
    }
}

/// 100 ms of frames of 20 ms: what a busy machine loses now and then.
const MAX_CATCH_UP: u32 = 5;
const SHORTEST_PERIOD: Duration = Duration::from_micros(1);
const LONGEST_PERIOD: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_millis(20);

    #[test]
    fn one_frame_is_due_at_the_start_and_after_each_period() {
        let start = Instant::now();
        let mut clock = FrameClock::new(start, PERIOD);
        for frame in 0..1000 {
            let deadline = start + frame * PERIOD;
            assert_eq!(clock.next(), deadline);
            if frame > 0 {
                assert_eq!(clock.due(deadline - Duration::from_nanos(1)), 0);
            }
            assert_eq!(clock.due(deadline), 1);
        }
        assert_eq!(clock.slipped(), 0);
    }

    #[test]
    fn a_caller_who_is_always_late_does_not_drift() {
        let start = Instant::now();
        let mut clock = FrameClock::new(start, PERIOD);
        let frames: u32 = (0..100_000_u64)
            .map(|wake| clock.due(start + Duration::from_micros(wake * 27_000 + wake % 13_000)))
            .sum();
        let last = start + Duration::from_micros(99_999 * 27_000 + 99_999 % 13_000);
        assert_eq!(u128::from(frames), (last - start).as_nanos() / PERIOD.as_nanos() + 1);
        assert_eq!(clock.next(), start + frames * PERIOD);
    }

    #[test]
    fn a_second_of_standstill_gives_few_frames_and_keeps_the_beat() {
        let start = Instant::now();
        let mut clock = FrameClock::new(start, PERIOD);
        clock.due(start);
        assert_eq!(clock.due(start + Duration::from_millis(1005)), 5);
        assert_eq!(clock.slipped(), 45);
        assert_eq!(clock.next(), start + Duration::from_millis(1020));

        let mut strict = FrameClock::new(start, PERIOD).with_max_catch_up(0);
        assert_eq!(strict.due(start + Duration::from_millis(45)), 1);
        assert_eq!(strict.slipped(), 2);
    }

    #[test]
    fn a_period_of_nothing_and_a_sleep_of_years_do_no_harm() {
        let start = Instant::now();
        let mut clock = FrameClock::new(start, Duration::ZERO);
        let later = start + Duration::from_secs(1_000_000_000);
        assert_eq!(clock.due(later), 5);
        assert_eq!(clock.next(), later + SHORTEST_PERIOD);
        assert_eq!(clock.due(start), 0);
    }
}
