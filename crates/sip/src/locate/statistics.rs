//! What a locator did, and what it passed over.

/// Counters of a [`Locator`](super::Locator) since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocatorStatistics {
    /// Questions put to DNS.
    pub asked: u64,
    /// Questions answered from what was kept.
    pub kept: u64,
    /// Questions whose time was over.
    pub timed_out: u64,
    /// Answers to questions that are over or were never asked.
    pub stale_answers: u64,
    /// Records passed over: of another type than asked for, about other services, not usable, or
    /// beyond `max_records`.
    pub records: u64,
    /// Services and servers passed over: beyond `max_questions` or without a valid name.
    pub servers: u64,
    /// Addresses passed over: beyond `max_targets`, twice in the list, or nobody's.
    pub addresses: u64,
    /// Targets left out because they asked to be spared.
    pub spared: u64,
}
