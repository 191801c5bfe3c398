//! The questions of one lookup, with what came of them.

use super::{DnsName, answer::Outcome, question::Query};

/// Each question is asked once, and there is a bound to them.
#[derive(Debug)]
pub(super) struct Asked {
    room: usize,
    known: Vec<(Query, Option<Outcome>)>,
    /// Those that nobody has been asked yet.
    unasked: Vec<Query>,
    /// The time is over: what is not known yet never will be.
    closed: bool,
}

impl Asked {
    /// Room for `room` questions.
    pub(super) const fn new(room: usize) -> Self {
        Self { room, known: Vec::new(), unasked: Vec::new(), closed: false }
    }

    /// Asks `query` unless that has been done; `false` if there have been too many.
    pub(super) fn ask(&mut self, query: Query) -> bool {
        if self.known.iter().any(|(known, _)| *known == query) {
            return true;
        }
        if self.known.len() >= self.room {
            return false;
        }
        if self.closed {
            self.known.push((query, Some(Outcome::TimedOut)));
        } else {
            self.known.push((query.clone(), None));
            self.unasked.push(query);
        }
        true
    }

    /// Takes what came of `query`.
    pub(super) fn learn(&mut self, query: &Query, outcome: &Outcome) {
        if let Some((_, settled)) = self.known.iter_mut().find(|(known, _)| known == query) {
            settled.get_or_insert_with(|| outcome.clone());
        }
    }

    /// Ends the time for questions.
    pub(super) fn close(&mut self) {
        self.closed = true;
        self.unasked.clear();
        for (_, outcome) in &mut self.known {
            outcome.get_or_insert(Outcome::TimedOut);
        }
    }

    /// The questions that came up since this was last called.
    pub(super) fn take_unasked(&mut self) -> Vec<Query> {
        std::mem::take(&mut self.unasked)
    }

    /// The questions that are not answered yet.
    pub(super) fn unanswered(&self) -> impl Iterator<Item = &Query> {
        self.known.iter().filter(|(_, outcome)| outcome.is_none()).map(|(query, _)| query)
    }

    /// What came of `query`, if it is known.
    pub(super) fn outcome(&self, query: &Query) -> Option<&Outcome> {
        self.known.iter().find(|(known, _)| known == query)?.1.as_ref()
    }

    /// Whether `outcome` came of any question.
    pub(super) fn came(&self, outcome: &Outcome) -> bool {
        self.known.iter().any(|(_, settled)| settled.as_ref() == Some(outcome))
    }

    /// Whether DNS has said that there is no `name`.
    pub(super) fn is_nobody(&self, name: &DnsName) -> bool {
        self.known
            .iter()
            .any(|(query, outcome)| query.name == *name && *outcome == Some(Outcome::NoSuchName))
    }
}
