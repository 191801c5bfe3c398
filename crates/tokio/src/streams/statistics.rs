//! What happened to the connections of an endpoint.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of the connections of an endpoint since its start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamStatistics {
    /// Connections of peers that came up.
    pub accepted: u64,
    /// Connections to peers that came up.
    pub connected: u64,
    /// Connections of peers closed at once, because too many were open.
    pub refused: u64,
    /// Connections of peers whose TLS or WebSocket handshake failed or took too long.
    pub failed_handshakes: u64,
    /// Connections to peers that failed: no answer, refused, a wrong certificate.
    pub failed_connects: u64,
    /// Connections closed because what came is no SIP, or over the limits.
    pub malformed: u64,
    /// Connections closed because the peer said nothing for too long.
    pub idle: u64,
    /// Connections lost by an error, or because the peer took nothing for too long.
    pub broken: u64,
    /// Connections that came up and are gone, for whatever reason.
    pub closed: u64,
    /// Messages not sent: the write queue was full, or there was no connection and no way to make
    /// one.
    pub unsent: u64,
}

/// The counters, shared by the tasks of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) accepted: AtomicU64,
    pub(crate) connected: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) failed_handshakes: AtomicU64,
    pub(crate) failed_connects: AtomicU64,
    pub(crate) malformed: AtomicU64,
    pub(crate) idle: AtomicU64,
    pub(crate) broken: AtomicU64,
    pub(crate) closed: AtomicU64,
    pub(crate) unsent: AtomicU64,
}

impl Counters {
    pub(crate) fn snapshot(&self) -> StreamStatistics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StreamStatistics {
            accepted: read(&self.accepted),
            connected: read(&self.connected),
            refused: read(&self.refused),
            failed_handshakes: read(&self.failed_handshakes),
            failed_connects: read(&self.failed_connects),
            malformed: read(&self.malformed),
            idle: read(&self.idle),
            broken: read(&self.broken),
            closed: read(&self.closed),
            unsent: read(&self.unsent),
        }
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
