//! When the playout delay is to change: with hysteresis, so that a clean stream is left alone.

/// Watches the delay at each playout and says what to do about it.
#[derive(Debug)]
pub(super) struct Adaptation {
    /// Above the target by more than this for a second: too long. It covers the chance of the
    /// start, where the first packets may have been slow ones.
    slack: i64,
    frame: i64,
    lowest: i64,
    highest: i64,
    takes: u32,
    windows_too_long: u32,
    shrinking: bool,
}

/// What to do with the delay at this playout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Leave it.
    Keep,
    /// Make it one frame longer.
    Grow,
    /// Make it one packet shorter.
    Shrink,
}

impl Adaptation {
    pub(super) const fn new(initial_delay: i64, frame: i64) -> Self {
        Self {
            slack: initial_delay.saturating_add(frame),
            frame,
            lowest: i64::MAX,
            highest: i64::MIN,
            takes: 0,
            windows_too_long: 0,
            shrinking: false,
        }
    }

    /// Starts over.
    pub(super) const fn clear(&mut self) {
        *self = Self::new(self.slack.saturating_sub(self.frame), self.frame);
    }

    /// Takes note of the delay at one playout; once in [`WINDOW`] of them it may ask for a change.
    /// `packet` is how long a packet lasts, all in ticks.
    pub(super) fn observe(&mut self, delay: i64, target: i64, packet: i64) -> Step {
        self.lowest = self.lowest.min(delay);
        self.highest = self.highest.max(delay);
        self.takes = self.takes.saturating_add(1);
        if self.takes < WINDOW {
            return Step::Keep;
        }
        let (lowest, highest) = (self.lowest, self.highest);
        self.takes = 0;
        self.lowest = i64::MAX;
        self.highest = i64::MIN;
        self.judge(lowest, highest, target, packet)
    }

    fn judge(&mut self, lowest: i64, highest: i64, target: i64, packet: i64) -> Step {
        let too_long = lowest > target.saturating_add(self.slack);
        self.windows_too_long = if too_long { self.windows_too_long.saturating_add(1) } else { 0 };
        // A packet less must still leave the target.
        let stop = target.saturating_add(packet.max(self.frame));
        self.shrinking = (self.shrinking || self.windows_too_long >= PATIENCE) && lowest > stop;
        if self.shrinking {
            Step::Shrink
        } else if highest.saturating_add(self.frame / 2) <= target {
            Step::Grow
        } else {
            Step::Keep
        }
    }
}

/// How many playouts are looked at together: 200 ms of 20 ms frames.
const WINDOW: u32 = 10;
/// How many windows in a row the delay must be too long before it is made shorter.
const PATIENCE: u32 = 5;
