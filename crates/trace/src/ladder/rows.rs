//! The rows of a ladder, before anybody draws them.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use bytes::Bytes;

use crate::{
    PartyId, Recording,
    ladder::journey::{Journey, Place, Places, journeys},
    packet_kind::{PacketKind, Stream, Summary},
};

/// Columns and rows. Names and labels are as they came: escape them.
#[derive(Debug)]
pub(crate) struct Ladder {
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row>,
    /// Packets that the recording had no room for.
    pub(crate) omitted: u64,
}

/// One arrow, between the columns `from` and `to`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) at: Duration,
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) arrow: Arrow,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arrow {
    Message { label: String, lost: bool, repeat: Option<Repeat>, took: Option<Duration> },
    Run { stream: Stream, packets: u64, lost: u64, last: Duration },
}

/// Why the same bytes are there once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// Their sender sent them again.
    Again,
    /// The network made a copy.
    Duplicate,
}

impl Ladder {
    pub(crate) fn of(recording: &Recording) -> Self {
        let mut places = Places::of(recording);
        let journeys = journeys(recording, &mut places);
        let mut draft = Draft::new(recording, places);
        journeys.iter().for_each(|journey| draft.add(journey));
        draft.finish(recording)
    }

    /// How many messages there are, and how many other packets.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let counts = self.rows.iter().map(|row| match row.arrow {
            Arrow::Message { .. } => (1, 0),
            Arrow::Run { packets, .. } => (0, packets),
        });
        counts.fold((0, 0), |(messages, others), (one, more)| (messages + one, others + more))
    }
}

impl Row {
    /// What the arrow says, without what became of it.
    pub(crate) fn label(&self) -> String {
        match &self.arrow {
            Arrow::Message { label, .. } => label.clone(),
            Arrow::Run { stream, packets, last, .. } => {
                let plural = if *packets == 1 { "packet" } else { "packets" };
                let seconds = last.saturating_sub(self.at).as_secs_f64();
                format!("{stream} · {packets} {plural} · {seconds:.1} s")
            }
        }
    }

    /// What became of it, in a few words; empty if nothing is to be said.
    pub(crate) fn remark(&self) -> String {
        match &self.arrow {
            Arrow::Message { lost, repeat, .. } => {
                let repeat = repeat.map(|repeat| match repeat {
                    Repeat::Again => "again",
                    Repeat::Duplicate => "duplicate",
                });
                repeat.into_iter().chain(lost.then_some("lost")).collect::<Vec<_>>().join(", ")
            }
            Arrow::Run { lost: 0, .. } => String::new(),
            Arrow::Run { lost, .. } => format!("{lost} lost"),
        }
    }

    pub(crate) const fn is_lost(&self) -> bool {
        matches!(self.arrow, Arrow::Message { lost: true, .. })
    }
}

#[derive(Debug)]
struct Draft {
    places: Places,
    columns: Vec<(Place, String)>,
    strangers: usize,
    rows: Vec<Row>,
    /// Where in `rows` the runs stand that go on: those since the last message.
    runs: HashMap<(usize, usize, Stream), usize>,
    /// What was sent, by whom, and what came from strangers.
    seen: HashSet<(PartyId, bool, Bytes)>,
    /// Payloads whose sender was recorded.
    sent: HashSet<Bytes>,
}

impl Draft {
    fn new(recording: &Recording, places: Places) -> Self {
        let parties = recording.parties();
        let columns = parties.map(|(id, name)| (Place::Party(id), name.to_owned())).collect();
        Self {
            places,
            columns,
            strangers: 0,
            rows: Vec::new(),
            runs: HashMap::new(),
            seen: HashSet::new(),
            sent: HashSet::new(),
        }
    }

    fn add(&mut self, journey: &Journey<'_>) {
        let Some(packet) = journey.packet() else { return };
        let near = Place::Party(packet.party);
        let far = match journey {
            Journey { sent: Some(_), received: Some(received) } => Place::Party(received.party),
            _ => self.places.far_end(packet),
        };
        let (from, to) = if journey.sent.is_some() { (near, far) } else { (far, near) };
        let lost = journey.received.is_none() && matches!(to, Place::Party(_));
        let (from, to) = (self.column(from), self.column(to));
        match PacketKind::of(&packet.payload) {
            PacketKind::Message(Summary { label, sdp }) => {
                let label = if sdp { format!("{label} + SDP") } else { label };
                let repeat = self.repeat(journey);
                let arrow = Arrow::Message { label, lost, repeat, took: journey.took() };
                self.rows.push(Row { at: packet.at, from, to, arrow });
                self.runs.clear();
            }
            PacketKind::Stream(stream) => self.add_to_run(packet.at, from, to, stream, lost),
        }
    }

    fn column(&mut self, place: Place) -> usize {
        if let Some(index) = self.columns.iter().position(|(known, _)| *known == place) {
            return index;
        }
        match place {
            // Whoever sends from ever new addresses gets no column for each.
            Place::Stranger(_) if self.strangers >= MOST_STRANGERS => self.column(Place::Others),
            Place::Stranger(address) => {
                self.strangers += 1;
                self.new_column(place, address.to_string())
            }
            Place::Others | Place::Party(_) => self.new_column(place, "other addresses".to_owned()),
        }
    }

    fn new_column(&mut self, place: Place, name: String) -> usize {
        self.columns.push((place, name));
        self.columns.len() - 1
    }

    fn repeat(&mut self, journey: &Journey<'_>) -> Option<Repeat> {
        let packet = journey.packet()?;
        let is_sent = journey.sent.is_some();
        if is_sent {
            self.sent.insert(packet.payload.clone());
        } else if self.sent.contains(&packet.payload) {
            return Some(Repeat::Duplicate);
        }
        let new = self.seen.insert((packet.party, is_sent, packet.payload.clone()));
        (!new).then_some(Repeat::Again)
    }

    fn add_to_run(&mut self, at: Duration, from: usize, to: usize, stream: Stream, lost: bool) {
        let index = *self.runs.entry((from, to, stream)).or_insert(self.rows.len());
        let more_lost = u64::from(lost);
        if let Some(Row { arrow: Arrow::Run { packets, lost, last, .. }, .. }) =
            self.rows.get_mut(index)
        {
            *packets += 1;
            *lost += more_lost;
            *last = at;
        } else {
            let arrow = Arrow::Run { stream, packets: 1, lost: more_lost, last: at };
            self.rows.push(Row { at, from, to, arrow });
        }
    }

    fn finish(self, recording: &Recording) -> Ladder {
        let columns = self.columns.into_iter().map(|(_, name)| name).collect();
        Ladder { columns, rows: self.rows, omitted: recording.omitted().packets }
    }
}

/// More columns would not fit side by side.
const MOST_STRANGERS: usize = 6;
