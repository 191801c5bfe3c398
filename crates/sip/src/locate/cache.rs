//! Answers of DNS, kept for as long as their TTL says.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use super::{answer::Outcome, later, question::Query};

/// What is known, within a bound: the answer that would expire first gives way.
#[derive(Debug)]
pub(super) struct Cache {
    room: usize,
    kept: BTreeMap<Query, (Outcome, Instant)>,
}

impl Cache {
    /// Room for `room` answers.
    pub(super) const fn new(room: usize) -> Self {
        Self { room, kept: BTreeMap::new() }
    }

    /// Keeps `outcome` for `ttl`.
    pub(super) fn keep(&mut self, now: Instant, query: Query, outcome: &Outcome, ttl: Duration) {
        let longest = if outcome.values().is_empty() { MAX_NEGATIVE_TTL } else { MAX_TTL };
        if ttl.is_zero() || self.room == 0 {
            return;
        }
        if self.kept.len() >= self.room && !self.kept.contains_key(&query) {
            self.make_room(now);
        }
        self.kept.insert(query, (outcome.clone(), later(now, ttl.min(longest))));
    }

    /// What is known at `now` about `query`.
    pub(super) fn get(&self, now: Instant, query: &Query) -> Option<Outcome> {
        let (outcome, until) = self.kept.get(query)?;
        (now < *until).then(|| outcome.clone())
    }

    fn make_room(&mut self, now: Instant) {
        self.kept.retain(|_, (_, until)| now < *until);
        while self.kept.len() >= self.room {
            let first = self.kept.iter().min_by_key(|(_, (_, until))| *until);
            let Some(first) = first.map(|(query, _)| query.clone()) else { return };
            self.kept.remove(&first);
        }
    }
}

/// An answer is asked for again within a day, whatever its TTL.
const MAX_TTL: Duration = Duration::from_secs(24 * 3600);
/// That there is nothing may change sooner.
const MAX_NEGATIVE_TTL: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests;
