//! The deadlines of many machines.

use std::{
    collections::{BTreeSet, VecDeque},
    hash::Hash,
    time::Instant,
};

use crate::IdMap;

/// The next deadline of each of many machines.
///
/// An owner of a table of machines keeps each one's next deadline here. Protocols wait for few
/// different times, and time never goes back; so the deadlines of one kind come in order and stand
/// in one queue. To set, find or take one costs a look at each queue, however many deadlines there
/// are. What comes out of order finds its place in a tree.
#[derive(Clone, Debug)]
pub struct Deadlines<K> {
    /// What holds. Entries of the queues that say something else are of the past.
    by_key: IdMap<K, Instant>,
    /// Each in order. The first entry of each holds.
    queues: Vec<VecDeque<(Instant, K)>>,
    /// What no queue could take in order. All of it holds.
    others: BTreeSet<(Instant, K)>,
    /// How many entries all queues have, those of the past included.
    queued: usize,
}

impl<K: Copy + Ord + Hash> Deadlines<K> {
    /// No deadline.
    pub fn new() -> Self {
        Self { by_key: IdMap::default(), queues: Vec::new(), others: BTreeSet::new(), queued: 0 }
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
            self.forget((before, key));
        }
        if let Some(deadline) = deadline {
            self.queue((deadline, key));
        }
    }

    /// The earliest deadline; `None` if there is none.
    pub fn next(&self) -> Option<Instant> {
        self.first().map(|(deadline, _)| deadline)
    }

    /// Removes and returns the earliest key that is due at `now`. Call it until it gives `None`.
    pub fn expired(&mut self, now: Instant) -> Option<K> {
        let (deadline, key) = self.first()?;
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

    fn first(&self) -> Option<(Instant, K)> {
        let queued = self.queues.iter().filter_map(VecDeque::front);
        queued.chain(self.others.first()).min().copied()
    }

    /// Takes `entry` into the queue whose last one is the nearest before it.
    fn queue(&mut self, entry: (Instant, K)) {
        let is_full = self.queues.len() >= MOST_QUEUES;
        let fits = |queue: &&mut VecDeque<(Instant, K)>| queue.back() <= Some(&entry);
        match self.queues.iter_mut().filter(fits).max_by_key(|queue| queue.back().copied()) {
            Some(queue) => queue.push_back(entry),
            None if is_full => {
                self.others.insert(entry);
                return;
            }
            None => self.queues.push(VecDeque::from([entry])),
        }
        self.queued += 1;
    }

    /// Lets go of an entry that holds no more. In the midst of a queue it waits for its turn.
    fn forget(&mut self, entry: (Instant, K)) {
        if self.others.remove(&entry) {
            return;
        }
        let (by_key, queued) = (&self.by_key, &mut self.queued);
        let holds = |(deadline, key): &(Instant, K)| by_key.get(key) == Some(deadline);
        // The same deadline may have been set before, and stand in two queues.
        for queue in self.queues.iter_mut().filter(|queue| queue.front() == Some(&entry)) {
            while queue.pop_front_if(|first| !holds(first)).is_some() {
                *queued -= 1;
            }
        }
        // Twice as many as hold are worth a walk over all.
        if *queued > 2 * by_key.len() + FEW {
            self.queues.iter_mut().for_each(|queue| queue.retain(holds));
            self.queues.retain(|queue| !queue.is_empty());
            *queued = self.queues.iter().map(VecDeque::len).sum();
        }
    }
}

impl<K: Copy + Ord + Hash> Default for Deadlines<K> {
    fn default() -> Self {
        Self::new()
    }
}

/// More than a protocol has kinds of deadlines. Each is looked at in every step.
const MOST_QUEUES: usize = 24;
/// So few entries of the past may always stay.
const FEW: usize = 64;

#[cfg(test)]
mod tests;
