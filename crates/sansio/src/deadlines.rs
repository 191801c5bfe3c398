//! The deadlines of many machines.

use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    time::Instant,
};

/// The next deadline of each of many machines, ordered by time.
///
/// An owner of a table of machines keeps each one's next deadline here, so that finding the
/// earliest costs the logarithm of their number and not a walk over all.
#[derive(Clone, Debug)]
pub struct Deadlines<K> {
    by_time: BTreeSet<(Instant, K)>,
    by_key: HashMap<K, Instant>,
}

impl<K: Copy + Ord + Hash> Deadlines<K> {
    /// No deadline.
    pub fn new() -> Self {
        Self { by_time: BTreeSet::new(), by_key: HashMap::new() }
    }

    /// Sets the deadline of `key`; `None` removes it.
    pub fn set(&mut self, key: K, deadline: Option<Instant>) {
        let before = match deadline {
            Some(deadline) => self.by_key.insert(key, deadline),
            None => self.by_key.remove(&key),
        };
        if before == deadline {
            return;
        }
        if let Some(before) = before {
            self.by_time.remove(&(before, key));
        }
        if let Some(deadline) = deadline {
            self.by_time.insert((deadline, key));
        }
    }

    /// The earliest deadline; `None` if there is none.
    pub fn next(&self) -> Option<Instant> {
        self.by_time.first().map(|(deadline, _)| *deadline)
    }

    /// Removes and returns the earliest key that is due at `now`. Call it until it gives `None`.
    pub fn expired(&mut self, now: Instant) -> Option<K> {
        let (deadline, key) = *self.by_time.first()?;
        if deadline > now {
            return None;
        }
        self.set(key, None);
        Some(key)
    }

    /// How many keys have a deadline.
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Whether no key has a deadline.
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }
}

impl<K: Copy + Ord + Hash> Default for Deadlines<K> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn keys_expire_in_order_and_once() {
        let start = Instant::now();
        let mut deadlines = Deadlines::new();
        deadlines.set(1, Some(start + Duration::from_secs(3)));
        deadlines.set(2, Some(start + Duration::from_secs(1)));
        deadlines.set(1, Some(start + Duration::from_secs(2)));
        assert_eq!(deadlines.next(), Some(start + Duration::from_secs(1)));
        let later = start + Duration::from_secs(9);
        assert_eq!(deadlines.expired(later), Some(2));
        assert_eq!(deadlines.expired(later), Some(1));
        assert_eq!(deadlines.expired(later), None);
        assert!(deadlines.is_empty());
    }

    #[test]
    fn a_removed_deadline_never_expires() {
        let start = Instant::now();
        let mut deadlines = Deadlines::new();
        deadlines.set(1, Some(start));
        deadlines.set(1, None);
        assert_eq!((deadlines.next(), deadlines.len()), (None, 0));
    }
}
