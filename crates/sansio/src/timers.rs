//! One machine's timers.

use std::time::Instant;

/// The running timers of one machine, keyed by an enum whose variants carry the RFC's names.
///
/// A machine has a handful of timers, so they stand in a short list; their minimum is the
/// machine's next deadline. For the deadlines of thousands of machines see
/// [`Deadlines`](crate::Deadlines).
#[derive(Clone, Debug)]
pub struct Timers<K> {
    running: Vec<(K, Instant)>,
}

impl<K: Copy + PartialEq> Timers<K> {
    /// A table in which no timer runs.
    pub const fn new() -> Self {
        Self { running: Vec::new() }
    }

    /// Starts `timer`, or moves it if it runs already.
    pub fn set(&mut self, timer: K, deadline: Instant) {
        match self.running.iter_mut().find(|(running, _)| *running == timer) {
            Some((_, running)) => *running = deadline,
            None => self.running.push((timer, deadline)),
        }
    }

    /// Stops `timer`. A timer that does not run stays as it is.
    pub fn stop(&mut self, timer: K) {
        self.running.retain(|(running, _)| *running != timer);
    }

    /// Stops all timers.
    pub fn clear(&mut self) {
        self.running.clear();
    }

    /// When `timer` is due, if it runs.
    pub fn get(&self, timer: K) -> Option<Instant> {
        self.running.iter().find(|(running, _)| *running == timer).map(|(_, deadline)| *deadline)
    }

    /// The earliest deadline; `None` if no timer runs.
    pub fn next(&self) -> Option<Instant> {
        self.running.iter().map(|(_, deadline)| *deadline).min()
    }

    /// Stops and returns the earliest timer that is due at `now`. Call it until it gives `None`.
    pub fn expired(&mut self, now: Instant) -> Option<K> {
        let due = (0..).zip(&self.running).filter(|(_, (_, deadline))| *deadline <= now);
        let (index, _) = due.min_by_key(|(_, (_, deadline))| *deadline)?;
        Some(self.running.swap_remove(index).0)
    }
}

impl<K: Copy + PartialEq> Default for Timers<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn timers_expire_in_the_order_of_their_deadlines() {
        let start = Instant::now();
        let mut timers = Timers::new();
        timers.set('b', start + Duration::from_secs(2));
        timers.set('a', start + Duration::from_secs(1));
        timers.set('c', start + Duration::from_secs(3));
        let now = start + Duration::from_secs(2);
        assert_eq!(timers.expired(now), Some('a'));
        assert_eq!(timers.expired(now), Some('b'));
        assert_eq!(timers.expired(now), None);
        assert_eq!(timers.next(), Some(start + Duration::from_secs(3)));
    }

    #[test]
    fn setting_a_running_timer_moves_it() {
        let start = Instant::now();
        let mut timers = Timers::new();
        timers.set('a', start);
        timers.set('a', start + Duration::from_secs(1));
        assert_eq!(timers.expired(start), None);
        assert_eq!(timers.get('a'), Some(start + Duration::from_secs(1)));
        timers.stop('a');
        assert_eq!(timers.next(), None);
    }
}
