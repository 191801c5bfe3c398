//! The targets of one lookup: each is given out once, those that failed of late behind the others
//! (RFC 3263 §4.3).

use std::{collections::VecDeque, net::SocketAddr, time::Instant};

use offhook_sansio::Protocol;

use super::{
    LocatorStatistics, Target,
    failures::{Failures, Standing},
};

/// What has been found so far, in order.
#[derive(Debug, Default)]
pub(super) struct Targets {
    ready: VecDeque<Target>,
    /// Those that failed of late, for when nothing else is left.
    put_off: VecDeque<Target>,
    seen: Vec<(Protocol, SocketAddr)>,
    given: bool,
    spared_until: Option<Instant>,
}

impl Targets {
    /// Appends `target`; refuses what is there already, what is nobody's address, and more than
    /// `room`.
    pub(super) fn add(&mut self, target: Target, room: usize) -> bool {
        let key = (target.protocol, target.address);
        let unwanted = target.address.ip().is_unspecified() || self.seen.contains(&key);
        if unwanted || self.seen.len() >= room {
            tracing::debug!(protocol = %key.0, address = %key.1, "address passed over");
            return false;
        }
        self.seen.push(key);
        self.ready.push_back(target);
        true
    }

    /// The next target of which nothing bad is known.
    pub(super) fn next_good(
        &mut self,
        now: Instant,
        failures: &Failures,
        statistics: &mut LocatorStatistics,
    ) -> Option<Target> {
        while let Some(target) = self.ready.pop_front() {
            match failures.standing(now, &target) {
                Standing::Good => return Some(self.give(target)),
                Standing::Doubtful => self.put_off.push_back(target),
                Standing::Spared(until) => self.spare(&target, until, statistics),
            }
        }
        None
    }

    /// The next target of those that were put off.
    pub(super) fn next_doubtful(
        &mut self,
        now: Instant,
        failures: &Failures,
        statistics: &mut LocatorStatistics,
    ) -> Option<Target> {
        while let Some(target) = self.put_off.pop_front() {
            match failures.standing(now, &target) {
                Standing::Good | Standing::Doubtful => return Some(self.give(target)),
                Standing::Spared(until) => self.spare(&target, until, statistics),
            }
        }
        None
    }

    /// Whether a target has been given out.
    pub(super) const fn given(&self) -> bool {
        self.given
    }

    /// When the first target that was left out may be tried again.
    pub(super) const fn spared_until(&self) -> Option<Instant> {
        self.spared_until
    }

    fn give(&mut self, target: Target) -> Target {
        self.given = true;
        target
    }

    fn spare(&mut self, target: &Target, until: Instant, statistics: &mut LocatorStatistics) {
        tracing::debug!(address = %target.address, "target left out, it asked to be spared");
        statistics.spared = statistics.spared.saturating_add(1);
        self.spared_until = Some(self.spared_until.map_or(until, |first| first.min(until)));
    }
}
