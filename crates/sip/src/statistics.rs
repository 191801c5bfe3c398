//! What was dropped, and why.

/// Counters of a [`UserAgent`](crate::UserAgent) since its start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statistics {
    dropped: [u64; Dropped::ALL.len()],
    refused: u64,
}

impl Statistics {
    /// How many messages were dropped for `reason`.
    pub fn dropped(&self, reason: Dropped) -> u64 {
        self.iter().find_map(|(other, count)| (other == reason).then_some(count)).unwrap_or(0)
    }

    /// How many messages were dropped in all.
    pub fn total_dropped(&self) -> u64 {
        self.dropped.iter().sum()
    }

    /// How many requests were answered without keeping state: malformed ones with 400 and the
    /// like, and those that found no room with 503.
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// All reasons with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (Dropped, u64)> {
        Dropped::ALL.into_iter().zip(self.dropped)
    }

    pub(crate) fn count(&mut self, reason: Dropped) {
        let counters = self.dropped.iter_mut().zip(Dropped::ALL);
        counters.filter(|(_, other)| *other == reason).for_each(|(count, _)| *count += 1);
    }

    pub(crate) fn count_refused(&mut self) {
        self.refused += 1;
    }
}

/// Why a message was dropped without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Dropped {
    /// Nothing listens on the socket that it came from.
    NotListening,
    /// Only line ends or zeros, as sent to keep a NAT binding (RFC 5626 §3.5.1).
    KeepAlive,
    /// Not a SIP message, and not enough of one to answer it.
    Malformed,
    /// A response whose top `Via` names somebody else (RFC 3261 §18.1.2).
    ForeignSentBy,
    /// A response with more than one `Via` (RFC 3261 §8.1.3.3).
    ExtraVia,
    /// A response without a transaction (RFC 6026 §7.2).
    StrayResponse,
    /// An ACK that nobody waits for: it came again, or belongs to no call.
    StrayAck,
    /// A request or response that came again and was absorbed by its transaction.
    Retransmission,
    /// A 2xx or provisional response of one fork more than is followed up.
    TooManyForks,
    /// A reliable provisional response before which another is missing (RFC 3262 §4).
    OutOfOrder,
    /// A reliable provisional response whose PRACK found no room; the peer will repeat it.
    NoRoom,
    /// A message of ours that could not be built from what the peer sent.
    Unbuildable,
}

impl Dropped {
    const ALL: [Self; 12] = [
        Self::NotListening,
        Self::KeepAlive,
        Self::Malformed,
        Self::ForeignSentBy,
        Self::ExtraVia,
        Self::StrayResponse,
        Self::StrayAck,
        Self::Retransmission,
        Self::TooManyForks,
        Self::OutOfOrder,
        Self::NoRoom,
        Self::Unbuildable,
    ];
}
