//! The plain record of a call: parties, their packets, and figures over time.

use std::time::Duration;

use bytes::Bytes;
use offhook_sansio::Flow;

/// What one or more parties sent, received and measured, on one clock.
///
/// It is bounded: what comes when its room is used up is counted and not kept.
#[derive(Clone, Debug)]
pub struct Recording {
    parties: Vec<String>,
    packets: Vec<Packet>,
    series: Vec<(PartyId, Duration, Figures)>,
    room: usize,
    omitted: Omitted,
}

impl Recording {
    /// An empty recording with room for 64 MiB.
    pub const fn new() -> Self {
        Self::with_room(64 << 20)
    }

    /// An empty recording with room for `room` bytes: payloads and what it takes to keep them.
    pub const fn with_room(room: usize) -> Self {
        let omitted = Omitted { packets: 0, octets: 0, figures: 0 };
        Self { parties: Vec::new(), packets: Vec::new(), series: Vec::new(), room, omitted }
    }

    /// Adds a party: somebody whose packets are recorded.
    pub fn party(&mut self, name: &str) -> PartyId {
        self.parties.push(name.to_owned());
        PartyId(self.parties.len() - 1)
    }

    /// Records a packet of `party` at the time `at` since the start of the recording.
    ///
    /// `flow` is the path as this party sees it: its own address is `local`, whether it sends or
    /// receives.
    pub fn packet(
        &mut self,
        at: Duration,
        party: PartyId,
        direction: Direction,
        flow: Flow,
        payload: &[u8],
    ) {
        let size = payload.len().saturating_add(size_of::<Packet>());
        if !self.takes(size) {
            self.omitted.packets = self.omitted.packets.saturating_add(1);
            self.omitted.octets = self.omitted.octets.saturating_add(payload.len() as u64);
            return;
        }
        let payload = Bytes::copy_from_slice(payload);
        self.packets.push(Packet { at, party, direction, flow, payload });
    }

    /// Records what `party` measured at the time `at` since the start of the recording.
    pub fn figures(&mut self, at: Duration, party: PartyId, figures: Figures) {
        if self.takes(size_of::<(PartyId, Duration, Figures)>()) {
            self.series.push((party, at, figures));
        } else {
            self.omitted.figures = self.omitted.figures.saturating_add(1);
        }
    }

    /// All parties with their names, in the order in which they were added.
    pub fn parties(&self) -> impl Iterator<Item = (PartyId, &str)> {
        (0..).map(PartyId).zip(self.parties.iter().map(String::as_str))
    }

    /// All packets, in the order in which they were recorded.
    pub fn packets(&self) -> &[Packet] {
        &self.packets
    }

    /// What `party` measured over time, in the order in which it was recorded.
    pub fn series(&self, party: PartyId) -> impl Iterator<Item = (Duration, Figures)> {
        let own = self.series.iter().filter(move |(owner, ..)| *owner == party);
        own.map(|(_, at, figures)| (*at, *figures))
    }

    /// What found no room.
    pub const fn omitted(&self) -> &Omitted {
        &self.omitted
    }

    fn takes(&mut self, size: usize) -> bool {
        let left = self.room.checked_sub(size);
        self.room = left.unwrap_or(self.room);
        left.is_some()
    }
}

impl Default for Recording {
    fn default() -> Self {
        Self::new()
    }
}

/// One packet as one party saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// When, since the start of the recording.
    pub at: Duration,
    /// Who saw it.
    pub party: PartyId,
    /// Whether that party sent or received it.
    pub direction: Direction,
    /// The path as that party sees it.
    pub flow: Flow,
    /// The bytes.
    pub payload: Bytes,
}

/// The name of one party of a [`Recording`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartyId(usize);

impl PartyId {
    /// The position of the party in the order in which parties were added, from 0.
    pub const fn index(self) -> usize {
        self.0
    }
}

/// Whether a party sent a packet or received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It sent it.
    Sent,
    /// It received it.
    Received,
}

/// How well the sound came through to a party at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Figures {
    /// The interarrival jitter in milliseconds (RFC 3550 §6.4.1).
    pub jitter_ms: f64,
    /// The share of packets that were lost lately, in percent.
    pub loss_percent: f64,
    /// The mean opinion score, 1 to 4.5 (ITU-T G.107).
    pub mos: f64,
    /// The round trip time in milliseconds, once RTCP has measured it (RFC 3550 §6.4.1).
    pub round_trip_ms: Option<f64>,
}

/// What a recording had no room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Omitted {
    /// Packets that were not kept.
    pub packets: u64,
    /// The bytes of their payloads.
    pub octets: u64,
    /// Figures that were not kept.
    pub figures: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_finds_no_room_is_counted_and_not_kept() {
        let mut recording = Recording::with_room(1000);
        let party = recording.party("Alice");
        let address = "10.0.0.1:1".parse().unwrap();
        let flow = Flow::udp(address, address);
        for _ in 0..2 {
            recording.packet(Duration::ZERO, party, Direction::Sent, flow, &[0; 600]);
        }
        assert_eq!(recording.packets().len(), 1);
        for _ in 0..20 {
            recording.figures(Duration::ZERO, party, Figures::default());
        }
        let kept = recording.series(party).count() as u64;
        assert!(kept > 0);
        let omitted = Omitted { packets: 1, octets: 600, figures: 20 - kept };
        assert_eq!(*recording.omitted(), omitted);
    }

    #[test]
    fn a_series_belongs_to_its_party() {
        let mut recording = Recording::new();
        let [alice, bob] = ["Alice", "Bob"].map(|name| recording.party(name));
        let figures = Figures { mos: 4.2, ..Figures::default() };
        recording.figures(Duration::from_secs(1), bob, figures);
        assert_eq!(recording.series(alice).count(), 0);
        assert_eq!(recording.series(bob).collect::<Vec<_>>(), [(Duration::from_secs(1), figures)]);
    }
}
