//! When the driver wakes by itself.

use std::{pin::Pin, time::Instant};

use tokio::time::{Sleep, sleep_until};

/// A timer that is set again only when it rings, or to ring earlier.
///
/// Deadlines move with each packet, mostly to later; each earlier one costs the runtime a system
/// call. To wake once for nothing costs less.
pub(super) struct Alarm {
    sleep: Pin<Box<Sleep>>,
    at: Instant,
}

impl Alarm {
    pub(super) fn new() -> Self {
        let at = Instant::now();
        Self { sleep: Box::pin(sleep_until(at.into())), at }
    }

    /// Waits until `deadline`, or less.
    pub(super) async fn ring(&mut self, deadline: Instant) {
        if deadline < self.at || self.sleep.is_elapsed() {
            self.at = deadline;
            self.sleep.as_mut().reset(deadline.into());
        }
        self.sleep.as_mut().await;
    }
}
