//! The questions that wait for an answer from DNS: each is asked once, however many lookups need
//! it, and has a time limit.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    time::Instant,
};

use offhook_sansio::{Deadlines, Key, Table};

use super::{DnsName, DnsValue, LookupId};

/// A question to put to DNS. Answer it with [`Locator::answer`](super::Locator::answer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsQuestion {
    /// What ties the answer to the question.
    pub id: QuestionId,
    /// The name to ask for, as it stands: no search list is applied to it.
    pub name: DnsName,
    /// The records to ask for.
    pub record_type: RecordType,
}

/// The id of a question; it goes stale when the question is answered or nobody needs it any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(Key<Pending>);

/// A type of DNS records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordType {
    /// Naming authority pointers (RFC 3403).
    Naptr,
    /// Locations of services (RFC 2782).
    Srv,
    /// IPv4 addresses (RFC 1035).
    A,
    /// IPv6 addresses (RFC 3596).
    Aaaa,
}

impl RecordType {
    /// Whether `value` is of a record of this type.
    pub(super) const fn is_of(self, value: &DnsValue) -> bool {
        match value {
            DnsValue::Naptr(_) => matches!(self, Self::Naptr),
            DnsValue::Srv(_) => matches!(self, Self::Srv),
            DnsValue::Address(address) if address.is_ipv4() => matches!(self, Self::A),
            DnsValue::Address(_) => matches!(self, Self::Aaaa),
        }
    }
}

impl fmt::Display for RecordType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Naptr => "NAPTR",
            Self::Srv => "SRV",
            Self::A => "A",
            Self::Aaaa => "AAAA",
        })
    }
}

/// What is asked: a name and a type.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Query {
    pub(super) name: DnsName,
    pub(super) record_type: RecordType,
}

impl Query {
    pub(super) fn new(name: &DnsName, record_type: RecordType) -> Self {
        Self { name: name.clone(), record_type }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.record_type, self.name)
    }
}

/// A question under way and the lookups that wait for it.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) query: Query,
    pub(super) waiting: Vec<LookupId>,
}

/// All questions under way.
#[derive(Debug, Default)]
pub(super) struct Questions {
    pending: Table<Pending>,
    by_query: BTreeMap<Query, QuestionId>,
    deadlines: Deadlines<QuestionId>,
    unasked: VecDeque<QuestionId>,
}

impl Questions {
    /// Asks `query` for `lookup`, or lets it wait with the others if it is under way already.
    pub(super) fn ask(&mut self, query: &Query, lookup: LookupId, deadline: Instant) {
        let same = self.by_query.get(query).and_then(|id| self.pending.get_mut(id.0));
        if let Some(same) = same {
            same.waiting.push(lookup);
            return;
        }
        let pending = Pending { query: query.clone(), waiting: vec![lookup] };
        let Some(id) = self.pending.insert(pending).map(QuestionId) else { return };
        self.by_query.insert(query.clone(), id);
        self.deadlines.set(id, Some(deadline));
        self.unasked.push_back(id);
    }

    /// The next question that nobody has seen yet.
    pub(super) fn poll(&mut self) -> Option<DnsQuestion> {
        // What is settled is not unasked any more.
        let id = self.unasked.pop_front()?;
        let Query { name, record_type } = self.pending.get(id.0)?.query.clone();
        Some(DnsQuestion { id, name, record_type })
    }

    /// Ends the question `id`; `None` if it is over already.
    pub(super) fn settle(&mut self, id: QuestionId) -> Option<Pending> {
        let pending = self.pending.remove(id.0)?;
        self.by_query.remove(&pending.query);
        self.deadlines.set(id, None);
        self.unasked.retain(|unasked| *unasked != id);
        Some(pending)
    }

    /// Ends a question whose time is over.
    pub(super) fn expired(&mut self, now: Instant) -> Option<Pending> {
        let id = self.deadlines.expired(now)?;
        self.settle(id)
    }

    /// `lookup` needs no answer to `query` any more; the question ends if nobody else waits.
    pub(super) fn leave(&mut self, lookup: LookupId, query: &Query) {
        let Some(id) = self.by_query.get(query).copied() else { return };
        let Some(pending) = self.pending.get_mut(id.0) else { return };
        pending.waiting.retain(|waiting| *waiting != lookup);
        if pending.waiting.is_empty() {
            self.settle(id);
        }
    }

    /// When the next question is over without an answer.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }
}
