//! What a jitter buffer has counted.

/// Counts of a jitter buffer since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct JitterCounts {
    /// Packets that came after their time to play.
    pub late: u64,
    /// Packets that had come before.
    pub duplicate: u64,
    /// Packets that came after one with a higher sequence number, duplicates left out.
    pub reordered: u64,
    /// Packets with a payload longer than a slot.
    pub too_large: u64,
    /// Packets that were played.
    pub played: u64,
    /// Frames that were reported missing.
    pub missing: u64,
    /// Queued packets that were not played: to make the delay shorter, or because the buffer
    /// started over.
    pub discarded: u64,
    /// How often the buffer started over because of a new source or a jump.
    pub resyncs: u64,
}
