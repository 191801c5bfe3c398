//! The machine that turns next hops into targets: it asks DNS, hands out one target after another,
//! and remembers what failed (RFC 3263).

use std::{collections::VecDeque, time::Instant};

use offhook_sansio::{Deadlines, Key, Random, Table};

use super::{
    DnsAnswer, DnsQuestion, Failure, LocateError, LocatorConfig, LocatorEvent, LocatorStatistics,
    NextHop, QuestionId,
    answer::Outcome,
    cache::Cache,
    failures::Failures,
    later,
    lookup::{Context, Lookup},
    question::{Pending, Query, Questions},
};

/// Finds out where to send requests, and responses whose way back is lost.
///
/// One lookup is made for each transaction (RFC 3263 §4), and lasts until a target is
/// [reached](Self::reached), all have [failed](Self::failed), or it is
/// [abandoned](Self::abandon). After each input drain [`poll_question`](Self::poll_question) and
/// [`poll_event`](Self::poll_event), then sleep until [`poll_timeout`](Self::poll_timeout); `now`
/// never goes back.
///
/// Answers are shared by all lookups for as long as their TTL says, as is the memory of targets
/// that failed.
#[derive(Debug)]
pub struct Locator {
    config: LocatorConfig,
    random: Random,
    lookups: Table<Lookup>,
    deadlines: Deadlines<LookupId>,
    questions: Questions,
    cache: Cache,
    failures: Failures,
    events: VecDeque<LocatorEvent>,
    statistics: LocatorStatistics,
}

/// The id of a lookup. It goes stale when the lookup is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LookupId(Key<Lookup>);

impl Locator {
    /// A locator that knows nothing yet.
    pub fn new(config: LocatorConfig, random: Random) -> Self {
        Self {
            lookups: Table::new(),
            deadlines: Deadlines::new(),
            questions: Questions::default(),
            cache: Cache::new(config.max_cached),
            failures: Failures::new(config.max_failures),
            events: VecDeque::new(),
            statistics: LocatorStatistics::default(),
            config,
            random,
        }
    }

    /// Starts to look for `hop`. What comes of it are events.
    ///
    /// # Errors
    /// When the next hop cannot be reached by any transport or address family of this endpoint, or
    /// there is no room.
    pub fn locate(&mut self, now: Instant, hop: &NextHop) -> Result<LookupId, LocateError> {
        if self.lookups.len() >= self.config.max_lookups {
            return Err(LocateError::TooManyLookups);
        }
        let lookup = Lookup::new(hop, &mut self.parts().1)?;
        let key = self.lookups.insert(lookup).ok_or(LocateError::TooManyLookups)?;
        let id = LookupId(key);
        self.deadlines.set(id, Some(later(now, self.config.lookup_time)));
        self.drive(now, id);
        Ok(id)
    }

    /// Takes the answer to a question. A late one is passed over.
    pub fn answer(&mut self, now: Instant, id: QuestionId, answer: DnsAnswer) {
        let Some(pending) = self.questions.settle(id) else {
            add(&mut self.statistics.stale_answers, 1);
            tracing::debug!("answer passed over, its question is over");
            return;
        };
        let (outcome, ttl, passed_over) =
            Outcome::read(answer, pending.query.record_type, self.config.max_records);
        if passed_over > 0 {
            add(&mut self.statistics.records, passed_over as u64);
            tracing::debug!(query = %pending.query, passed_over, "records passed over");
        }
        self.cache.keep(now, pending.query.clone(), &outcome, ttl);
        self.tell(now, &pending, &outcome);
    }

    /// The target given last has failed (RFC 3263 §4.3). Another one, or the news that there is
    /// none, comes as an event; the request that goes there is a new one, with a branch of its own.
    ///
    /// The failure is remembered. A proxy whose non-INVITE request has timed out has no time left
    /// for another target (RFC 4321 §1.3): it [abandons](Self::abandon) the lookup next, and the
    /// requests that follow go elsewhere.
    ///
    /// # Errors
    /// When the lookup is over, or has given no target.
    pub fn failed(
        &mut self,
        now: Instant,
        id: LookupId,
        failure: Failure,
    ) -> Result<(), LocateError> {
        let lookup = self.lookups.get_mut(id.0).ok_or(LocateError::NoLookup)?;
        let target = lookup.current.take().ok_or(LocateError::NoTarget)?;
        lookup.owes = true;
        match failure {
            Failure::Transport | Failure::TimedOut => {
                self.failures.doubt(now, &target, later(now, self.config.failure_time));
            }
            Failure::Unavailable { retry_after: Some(time) } => {
                let until = later(now, time.min(self.config.max_retry_after));
                self.failures.spare(now, &target, until);
            }
            // Only the request at hand goes elsewhere (RFC 3261 §21.5.4).
            Failure::Unavailable { retry_after: None } => {}
        }
        self.offer(now, id);
        Ok(())
    }

    /// The target given last has answered: the lookup is over, and the target is trusted again.
    ///
    /// # Errors
    /// When the lookup is over, or has given no target.
    pub fn reached(&mut self, id: LookupId) -> Result<(), LocateError> {
        let lookup = self.lookups.get_mut(id.0).ok_or(LocateError::NoLookup)?;
        let target = lookup.current.take().ok_or(LocateError::NoTarget)?;
        self.failures.clear(&target);
        self.end(id);
        Ok(())
    }

    /// Ends a lookup that is not needed any more; one that is over stays so.
    pub fn abandon(&mut self, id: LookupId) {
        self.end(id);
        self.events.retain(|event| event.lookup() != id);
    }

    /// Does what is due at `now`: questions that took too long are given up.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(pending) = self.questions.expired(now) {
            add(&mut self.statistics.timed_out, 1);
            tracing::debug!(query = %pending.query, "no answer in time");
            self.tell(now, &pending, &Outcome::TimedOut);
        }
        while let Some(id) = self.deadlines.expired(now) {
            self.close(now, id);
        }
    }

    /// The next question to put to DNS.
    pub fn poll_question(&mut self) -> Option<DnsQuestion> {
        let question = self.questions.poll()?;
        add(&mut self.statistics.asked, 1);
        Some(question)
    }

    /// The next thing that came of a lookup.
    pub fn poll_event(&mut self) -> Option<LocatorEvent> {
        let event = self.events.pop_front()?;
        if let LocatorEvent::Try { lookup, target } = &event
            && let Some(lookup) = self.lookups.get_mut(lookup.0)
        {
            lookup.current = Some(target.clone());
        }
        Some(event)
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due next; `None`: nothing is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        [self.questions.next_deadline(), self.deadlines.next()].into_iter().flatten().min()
    }

    /// What was done and passed over so far.
    pub const fn statistics(&self) -> LocatorStatistics {
        self.statistics
    }
}

impl Locator {
    /// Tells all lookups that wait what came of their question.
    fn tell(&mut self, now: Instant, pending: &Pending, outcome: &Outcome) {
        for id in &pending.waiting {
            if let Some(lookup) = self.lookups.get_mut(id.0) {
                lookup.asked.learn(&pending.query, outcome);
                self.drive(now, *id);
            }
        }
    }

    /// The time for the questions of a lookup is over.
    fn close(&mut self, now: Instant, id: LookupId) {
        self.leave_questions(id);
        if let Some(lookup) = self.lookups.get_mut(id.0) {
            lookup.asked.close();
            self.drive(now, id);
        }
    }

    /// Takes a lookup as far as what is known allows. Each round has new questions, of which there
    /// is a bound.
    fn drive(&mut self, now: Instant, id: LookupId) {
        loop {
            let (lookups, mut context) = self.parts();
            let Some(lookup) = lookups.get_mut(id.0) else { return };
            if let Err(error) = lookup.advance(&mut context) {
                return self.refuse(id, error);
            }
            let queries = lookup.asked.take_unasked();
            if queries.is_empty() {
                break;
            }
            for query in &queries {
                self.ask(now, id, query);
            }
        }
        let done = |lookup: &Lookup| lookup.asked.unanswered().next().is_none();
        if self.lookups.get(id.0).is_some_and(done) {
            self.deadlines.set(id, None);
        }
        self.offer(now, id);
    }

    fn ask(&mut self, now: Instant, id: LookupId, query: &Query) {
        match (self.cache.get(now, query), self.lookups.get_mut(id.0)) {
            (Some(outcome), Some(lookup)) => {
                add(&mut self.statistics.kept, 1);
                lookup.asked.learn(query, &outcome);
            }
            (None, Some(_)) => {
                self.questions.ask(query, id, later(now, self.config.question_time));
            }
            (_, None) => {}
        }
    }

    /// Gives out the next target, if one is owed and known.
    fn offer(&mut self, now: Instant, id: LookupId) {
        let Self { config, random, lookups, failures, statistics, .. } = self;
        let mut context = Context { config, random, statistics };
        let Some(lookup) = lookups.get_mut(id.0).filter(|lookup| lookup.owes) else { return };
        match lookup.next_target(now, failures, &mut context) {
            Ok(Some(target)) => {
                lookup.owes = false;
                self.events.push_back(LocatorEvent::Try { lookup: id, target });
            }
            Ok(None) => {}
            Err(error) => self.refuse(id, error),
        }
    }

    fn refuse(&mut self, id: LookupId, error: LocateError) {
        tracing::debug!(%error, "lookup refused");
        self.end(id);
        self.events.push_back(LocatorEvent::Refused { lookup: id, error });
    }

    fn end(&mut self, id: LookupId) {
        self.leave_questions(id);
        self.deadlines.set(id, None);
        self.lookups.remove(id.0);
    }

    fn leave_questions(&mut self, id: LookupId) {
        let Some(lookup) = self.lookups.get(id.0) else { return };
        for query in lookup.asked.unanswered() {
            self.questions.leave(id, query);
        }
    }

    /// The lookups, and what they need besides.
    fn parts(&mut self) -> (&mut Table<Lookup>, Context<'_>) {
        let Self { config, random, lookups, statistics, .. } = self;
        (lookups, Context { config, random, statistics })
    }
}

const fn add(counter: &mut u64, more: u64) {
    *counter = counter.saturating_add(more);
}
