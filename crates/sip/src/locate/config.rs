//! What the owner of a locator may choose.

use std::time::Duration;

use offhook_sansio::Protocol;

use super::RecordType;

/// The settings of a [`Locator`](super::Locator).
///
/// All times are taken as at most a day.
#[derive(Clone, Debug)]
pub struct LocatorConfig {
    /// The transports that this endpoint can use, the preferred one first. What a domain prefers
    /// by NAPTR goes first (RFC 3263 §2).
    pub protocols: Vec<Protocol>,
    /// The addresses that this endpoint can reach, and which it tries first.
    pub families: Families,
    /// How servers of one priority are ordered.
    pub order: ServerOrder,
    /// How long one question may take.
    pub question_time: Duration,
    /// How long the questions of one lookup may take together.
    pub lookup_time: Duration,
    /// How long a target that failed without naming a time is tried after all others.
    pub failure_time: Duration,
    /// The longest time that a `Retry-After` can have a server left out.
    pub max_retry_after: Duration,
    /// How many lookups may live at a time.
    pub max_lookups: usize,
    /// How many questions one lookup may ask.
    pub max_questions: usize,
    /// How many records of one answer are looked at; those behind are passed over.
    pub max_records: usize,
    /// How many targets one lookup may give.
    pub max_targets: usize,
    /// How many answers are kept for as long as their TTL says.
    pub max_cached: usize,
    /// How many targets are remembered as failed.
    pub max_failures: usize,
}

impl LocatorConfig {
    /// The usual bounds for an endpoint that can use `protocols`, the preferred one first.
    pub fn new(protocols: impl Into<Vec<Protocol>>) -> Self {
        Self {
            protocols: protocols.into(),
            families: Families::V6ThenV4,
            order: ServerOrder::Weighted,
            question_time: Duration::from_secs(3),
            lookup_time: Duration::from_secs(8),
            failure_time: Duration::from_secs(60),
            max_retry_after: Duration::from_secs(3600),
            max_lookups: 1_000,
            max_questions: 24,
            max_records: 64,
            max_targets: 16,
            max_cached: 1_000,
            max_failures: 1_000,
        }
    }
}

/// The address families that an endpoint can reach, the preferred one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Families {
    /// IPv4 alone.
    V4,
    /// IPv6 alone.
    V6,
    /// Both, IPv4 first.
    V4ThenV6,
    /// Both, IPv6 first.
    V6ThenV4,
}

impl Families {
    /// The records to ask for, in order of preference.
    pub(super) const fn record_types(self) -> &'static [RecordType] {
        match self {
            Self::V4 => &[RecordType::A],
            Self::V6 => &[RecordType::Aaaa],
            Self::V4ThenV6 => &[RecordType::A, RecordType::Aaaa],
            Self::V6ThenV4 => &[RecordType::Aaaa, RecordType::A],
        }
    }
}

/// How servers of one priority are ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerOrder {
    /// By chance, in proportion to their weights (RFC 2782).
    Weighted,
    /// By name and port, always the same: for stateless proxies (RFC 3263 §4.4).
    Sorted,
}
