//! The order of packets: sequence numbers and timestamps made so long that they do not wrap.

/// Extends 16-bit sequence numbers and remembers which were seen.
#[derive(Debug, Default)]
pub(super) struct Order {
    highest: Option<i64>,
    /// Bit n is set if the packet n below the highest was seen.
    seen: u128,
}

/// How a packet stands to those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The highest so far; `sequence` is extended.
    Ahead(i64),
    /// Below the highest, and not seen before.
    Behind(i64),
    /// Seen before.
    Seen,
    /// So far behind that the numbers must have begun anew.
    Jump,
}

impl Order {
    /// Starts over.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The highest extended sequence number so far.
    pub(super) const fn highest(&self) -> Option<i64> {
        self.highest
    }

    /// Where `sequence` belongs. The first packet of all begins the count.
    pub(super) fn place(&mut self, sequence: u16) -> Place {
        let Some(highest) = self.highest else {
            let first = i64::from(sequence);
            self.highest = Some(first);
            self.seen = 1;
            return Place::Ahead(first);
        };
        let distance = i64::from(sequence.wrapping_sub(highest as u16) as i16);
        let extended = highest.wrapping_add(distance);
        if distance > 0 {
            self.highest = Some(extended);
            let shift = u32::try_from(distance).unwrap_or(u32::MAX);
            self.seen = self.seen.checked_shl(shift).unwrap_or(0) | 1;
            return Place::Ahead(extended);
        }
        let back = u32::from(distance.unsigned_abs() as u16);
        if back > MAX_MISORDER {
            return Place::Jump;
        }
        let bit = 1u128.wrapping_shl(back);
        if self.seen & bit != 0 {
            return Place::Seen;
        }
        self.seen |= bit;
        Place::Behind(extended)
    }
}

/// Extends 32-bit timestamps.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    last: Option<i64>,
}

impl Timeline {
    /// Starts over.
    pub(super) fn clear(&mut self) {
        self.last = None;
    }

    /// The extended timestamp: the one that lies nearest to the last.
    pub(super) fn extend(&mut self, timestamp: u32) -> i64 {
        let extended = match self.last {
            None => i64::from(timestamp),
            Some(last) => last.wrapping_add(i64::from(timestamp.wrapping_sub(last as u32) as i32)),
        };
        self.last = Some(extended);
        extended
    }
}

/// MAX_MISORDER of RFC 3550 §A.1: a packet further behind is no straggler.
const MAX_MISORDER: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_are_extended_over_the_wrap() {
        let mut order = Order::default();
        assert_eq!(order.place(65_534), Place::Ahead(65_534));
        assert_eq!(order.place(1), Place::Ahead(65_537));
        assert_eq!(order.place(65_535), Place::Behind(65_535));
        assert_eq!(order.place(65_535), Place::Seen);
        assert_eq!(order.place(0), Place::Behind(65_536));
        assert_eq!(order.place(60_000), Place::Jump);
    }

    #[test]
    fn timestamps_are_extended_over_the_wrap_in_both_directions() {
        let mut timeline = Timeline::default();
        assert_eq!(timeline.extend(u32::MAX), 0xffff_ffff);
        assert_eq!(timeline.extend(159), 0x1_0000_009f);
        assert_eq!(timeline.extend(u32::MAX), 0xffff_ffff);
    }
}
