//! The targets that failed, remembered for a while (RFC 3263 §4.3, RFC 4321 §1.3).

use std::{collections::BTreeMap, net::SocketAddr, time::Instant};

use offhook_sansio::Protocol;

use super::Target;

/// A bounded memory: what would be forgotten first gives way.
#[derive(Debug)]
pub(super) struct Failures {
    room: usize,
    known: BTreeMap<(Protocol, SocketAddr), (Standing, Instant)>,
}

/// What is known of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nothing bad.
    Good,
    /// It failed of late: others are tried first.
    Doubtful,
    /// It asked to be spared until then.
    Spared(Instant),
}

impl Failures {
    /// Room for `room` targets.
    pub(super) const fn new(room: usize) -> Self {
        Self { room, known: BTreeMap::new() }
    }

    /// `target` could not be reached. This does not end a time that it has asked for.
    pub(super) fn doubt(&mut self, now: Instant, target: &Target, until: Instant) {
        if matches!(self.standing(now, target), Standing::Good | Standing::Doubtful) {
            self.remember(now, target, Standing::Doubtful, until);
        }
    }

    /// `target` has asked to be left alone.
    pub(super) fn spare(&mut self, now: Instant, target: &Target, until: Instant) {
        self.remember(now, target, Standing::Spared(until), until);
    }

    /// `target` has answered.
    pub(super) fn clear(&mut self, target: &Target) {
        self.known.remove(&key(target));
    }

    /// What is known of `target` at `now`.
    pub(super) fn standing(&self, now: Instant, target: &Target) -> Standing {
        match self.known.get(&key(target)) {
            Some((standing, until)) if now < *until => *standing,
            Some(_) | None => Standing::Good,
        }
    }

    fn remember(&mut self, now: Instant, target: &Target, standing: Standing, until: Instant) {
        if self.room == 0 || until <= now {
            return;
        }
        if self.known.len() >= self.room && !self.known.contains_key(&key(target)) {
            self.make_room(now);
        }
        self.known.insert(key(target), (standing, until));
    }

    fn make_room(&mut self, now: Instant) {
        self.known.retain(|_, (_, until)| now < *until);
        while self.known.len() >= self.room {
            let first = self.known.iter().min_by_key(|(_, (_, until))| *until);
            let Some(first) = first.map(|(key, _)| *key) else { return };
            self.known.remove(&first);
        }
    }
}

const fn key(target: &Target) -> (Protocol, SocketAddr) {
    (target.protocol, target.address)
}

#[cfg(test)]
mod tests;
