//! The storage of the jitter buffer: a ring of packets, all of it reserved at construction.

use crate::Packet;

/// A ring of slots, indexed by extended sequence number.
#[derive(Debug)]
pub(super) struct Slots {
    slots: Vec<Option<Queued>>,
    payloads: Vec<u8>,
    payload_size: usize,
    len: usize,
    /// No packet with a lower sequence number is queued.
    lowest: i64,
}

/// What is remembered of a queued packet beside its payload. Both numbers are extended, so that
/// they never wrap around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Queued {
    pub(super) sequence: i64,
    pub(super) timestamp: i64,
    pub(super) marker: bool,
    pub(super) payload_type: u8,
    length: usize,
}

impl Slots {
    pub(super) fn new(packets: usize, payload_size: usize) -> Self {
        let packets = packets.max(2);
        Self {
            slots: vec![None; packets],
            payloads: vec![0; packets.saturating_mul(payload_size)],
            payload_size,
            len: 0,
            lowest: 0,
        }
    }

    /// How far apart the sequence numbers of two queued packets can be, plus one.
    pub(super) fn window(&self) -> i64 {
        i64::try_from(self.slots.len()).unwrap_or(i64::MAX)
    }

    pub(super) const fn payload_size(&self) -> usize {
        self.payload_size
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    pub(super) fn clear(&mut self) {
        self.slots.fill(None);
        self.len = 0;
    }

    /// Puts a packet in. The caller has checked that it lies within the window and that its
    /// payload fits; a packet that does not is left out.
    pub(super) fn put(&mut self, sequence: i64, timestamp: i64, packet: &Packet<'_>) {
        let index = self.index(sequence);
        let length = packet.payload().len();
        let room = payload_range(index, self.payload_size, length)
            .and_then(|range| self.payloads.get_mut(range));
        let (Some(slot), Some(room)) = (self.slots.get_mut(index), room) else { return };
        room.copy_from_slice(packet.payload());
        if slot.is_none() {
            self.len = self.len.saturating_add(1);
        }
        let (marker, payload_type) = (packet.marker(), packet.payload_type());
        *slot = Some(Queued { sequence, timestamp, marker, payload_type, length });
        self.lowest = if self.len == 1 { sequence } else { self.lowest.min(sequence) };
    }

    pub(super) fn get(&self, sequence: i64) -> Option<&Queued> {
        let slot = self.slots.get(self.index(sequence))?.as_ref();
        slot.filter(|queued| queued.sequence == sequence)
    }

    /// The queued packet with the lowest sequence number.
    pub(super) fn head(&mut self) -> Option<Queued> {
        if self.len == 0 {
            return None;
        }
        let candidates = self.lowest..self.lowest.saturating_add(self.window());
        let head = candidates.into_iter().find_map(|sequence| self.get(sequence)).copied()?;
        self.lowest = head.sequence;
        Some(head)
    }

    /// Takes a packet out. Its payload stays readable until the next `put`.
    pub(super) fn remove(&mut self, queued: &Queued) {
        let index = self.index(queued.sequence);
        if let Some(slot) = self.slots.get_mut(index).filter(|slot| slot.is_some()) {
            *slot = None;
            self.len = self.len.saturating_sub(1);
            self.lowest = queued.sequence.saturating_add(1);
        }
    }

    pub(super) fn payload(&self, queued: &Queued) -> &[u8] {
        payload_range(self.index(queued.sequence), self.payload_size, queued.length)
            .and_then(|range| self.payloads.get(range))
            .unwrap_or_default()
    }

    fn index(&self, sequence: i64) -> usize {
        usize::try_from(sequence.rem_euclid(self.window().max(1))).unwrap_or(0)
    }
}

fn payload_range(index: usize, size: usize, length: usize) -> Option<std::ops::Range<usize>> {
    let start = index.checked_mul(size)?;
    (length <= size).then_some(start..start.checked_add(length)?)
}
