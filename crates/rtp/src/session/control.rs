//! The RTCP side of a session: who takes part, when to report, what peers report (RFC 3550 §6).

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use offhook_sansio::{NoRoom, Random};
use tracing::debug;

use super::SessionConfig;
use crate::{
    Dropped, Packet as RtpPacket, Receiver, RemoteReport, Sender, Wallclock, ntp,
    rtcp::{
        Compound, CompoundWriter, Goodbye, Item, LEAVING, Members, Packet, Population, ReportBlock,
        Schedule, SenderInfo,
    },
};

/// What a session knows and does about RTCP.
#[derive(Debug)]
pub(super) struct Control {
    wallclock: Wallclock,
    clock_rate: u32,
    cname: String,
    schedule: Schedule,
    members: Members,
    phase: Phase,
    report_due: bool,
    /// When the last two reports were sent, the older one first: data sent since then makes a
    /// sender (RFC 3550 §6.3).
    reported: [Instant; 2],
    ever_reported: bool,
    /// The middle of the times in our latest sender reports: a peer's LSR must be one of them.
    sent_times: VecDeque<u32>,
    /// The report blocks of one report, kept to save their storage.
    blocks: Vec<ReportBlock>,
    /// An SSRC that we gave up because of a collision: its BYE goes out at once.
    abandoned: Option<u32>,
    /// When a collision made us take another SSRC.
    collided: Option<Instant>,
    round_trip: Option<Duration>,
    remote: Option<RemoteReport>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Present,
    /// A BYE waits for its time; the count is that of the others' BYEs, and one for our own.
    Leaving {
        members: usize,
    },
    Left,
}

impl Control {
    pub(super) fn new(now: Instant, config: &SessionConfig, random: &mut Random) -> Self {
        let cname = config.cname.get(..config.cname.floor_char_boundary(255)).unwrap_or_default();
        let (bandwidth, size) = (config.session_bandwidth, first_report_size(cname));
        Self {
            wallclock: config.wallclock,
            clock_rate: config.jitter.clock_rate.max(1),
            cname: cname.to_owned(),
            schedule: Schedule::new(now, bandwidth, size, random),
            members: Members::new(config.max_members),
            phase: Phase::Present,
            report_due: false,
            reported: [now; 2],
            ever_reported: false,
            sent_times: VecDeque::with_capacity(REMEMBERED_REPORTS),
            blocks: Vec::with_capacity(config.max_sources.clamp(2, 31)),
            abandoned: None,
            collided: None,
            round_trip: None,
            remote: None,
        }
    }

    pub(super) const fn next(&self) -> Option<Instant> {
        match (self.phase, self.abandoned) {
            (Phase::Left, _) => None,
            (Phase::Present | Phase::Leaving { .. }, Some(_)) => self.collided,
            (Phase::Present | Phase::Leaving { .. }, None) => Some(self.schedule.next()),
        }
    }

    /// RFC 3550 §6.3.5 and §6.3.6.
    pub(super) fn handle_timeout(&mut self, now: Instant, sender: &Sender, random: &mut Random) {
        if self.phase == Phase::Left || self.report_due || now < self.schedule.next() {
            return;
        }
        self.time_out_members(now, sender);
        let population = self.population(sender);
        self.report_due = self.schedule.reconsider(now, population, random);
    }

    /// Writes what is due: the BYE of an SSRC that collided, a report, or a BYE that had to wait.
    pub(super) fn write(
        &mut self,
        now: Instant,
        sender: &Sender,
        receiver: &mut Receiver,
        room: &mut [u8],
        random: &mut Random,
    ) -> Option<usize> {
        if self.phase == Phase::Left {
            return None;
        }
        if let Some(old) = self.abandoned.take() {
            self.blocks.clear();
            return self.compound(old, None, true, room).inspect_err(left_out).ok();
        }
        if !std::mem::take(&mut self.report_due) {
            return None;
        }
        let leaving = self.phase != Phase::Present;
        if leaving {
            self.phase = Phase::Left;
        }
        let written = self.report(now, sender, receiver, leaving, room).inspect_err(left_out).ok();
        let population = self.population(sender);
        self.schedule.sent(now, written.unwrap_or(0), population, random);
        self.reported = [self.reported[1], now];
        self.ever_reported |= written.is_some();
        written
    }

    /// RFC 3550 §6.3.7.
    pub(super) fn bye(
        &mut self,
        now: Instant,
        sender: &Sender,
        receiver: &mut Receiver,
        room: &mut [u8],
        random: &mut Random,
    ) -> usize {
        if self.phase != Phase::Present {
            return 0;
        }
        let silent = sender.packets() == 0 && !self.ever_reported;
        if !silent && self.population(sender).members > MANY_MEMBERS {
            self.phase = Phase::Leaving { members: LEAVING.members };
            self.report_due = false;
            self.schedule.leave(now, first_report_size(&self.cname).saturating_add(8), random);
            return 0;
        }
        self.phase = Phase::Left;
        if silent {
            return 0;
        }
        self.report(now, sender, receiver, true, room).inspect_err(left_out).unwrap_or(0)
    }

    /// A data packet of a valid source has come (RFC 3550 §6.3.3).
    pub(super) fn heard_data(&mut self, now: Instant, packet: &RtpPacket<'_>) {
        self.members.sent_data(now, packet.ssrc());
        for csrc in packet.csrcs() {
            self.members.sent_data(now, csrc);
        }
    }

    /// Reads a compound packet. Returns whether the source that plays has left.
    pub(super) fn receive(
        &mut self,
        now: Instant,
        compound: &Compound<'_>,
        sender: &mut Sender,
        receiver: &mut Receiver,
        random: &mut Random,
    ) -> Result<bool, Dropped> {
        self.refuse_own(now, compound, sender, random)?;
        let goodbye = compound.packets().any(|packet| matches!(packet, Packet::Goodbye(_)));
        if matches!(self.phase, Phase::Present) || goodbye {
            self.schedule.received(compound.as_bytes().len());
        }
        let mut left = false;
        for packet in compound.packets() {
            match packet {
                Packet::SenderReport(report) => {
                    let last_sr = Some(report.info().ntp.middle());
                    self.members.reported(now, report.ssrc(), last_sr);
                    self.read_blocks(now, report.blocks(), sender.ssrc());
                }
                Packet::ReceiverReport(report) => {
                    self.members.reported(now, report.ssrc(), None);
                    self.read_blocks(now, report.blocks(), sender.ssrc());
                }
                Packet::Goodbye(goodbye) => left |= self.see_off(now, &goodbye, sender, receiver),
                // A name, or what other specifications define: nothing of it is kept.
                Packet::SourceDescription(_) | Packet::Application(_) | Packet::Unknown(_) => {}
            }
        }
        Ok(left)
    }

    /// Takes another SSRC, at most once in a while: a loop or a stranger must not make us say BYE
    /// again and again (RFC 3550 §8.2).
    pub(super) fn collide(&mut self, now: Instant, sender: &mut Sender, random: &mut Random) {
        let lately = |at: Instant| now.saturating_duration_since(at) < CONFLICT_MEMORY;
        if self.collided.is_some_and(lately) {
            return;
        }
        self.collided = Some(now);
        let old = sender.ssrc();
        let silent = sender.packets() == 0 && !self.ever_reported;
        sender.change_ssrc(random.u32(), random);
        debug!(old, new = sender.ssrc(), "another source has our SSRC");
        if !silent {
            self.abandoned = Some(old);
        }
        self.sent_times.clear();
    }

    pub(super) const fn round_trip(&self) -> Option<Duration> {
        self.round_trip
    }

    pub(super) const fn remote(&self) -> Option<RemoteReport> {
        self.remote
    }

    fn population(&self, sender: &Sender) -> Population {
        if let Phase::Leaving { members } = self.phase {
            return Population { members, ..LEAVING };
        }
        let [since, _] = self.reported;
        let we_sent = sender.last_sent().is_some_and(|sent| sent >= since);
        self.members.population(since, we_sent)
    }

    /// RFC 3550 §6.3.5: silent for five intervals of a receiver.
    fn time_out_members(&mut self, now: Instant, sender: &Sender) {
        let receiving = Population { we_sent: false, ..self.population(sender) };
        let interval = self.schedule.deterministic_interval(receiving);
        self.members.time_out(now, interval.saturating_mul(TIMEOUT_MULTIPLIER));
        let population = self.population(sender);
        self.schedule.reverse_reconsider(now, population);
    }

    /// Our own report came back, or a stranger has our SSRC: another CNAME tells (RFC 3550 §8.2).
    fn refuse_own(
        &mut self,
        now: Instant,
        compound: &Compound<'_>,
        sender: &mut Sender,
        random: &mut Random,
    ) -> Result<(), Dropped> {
        let own = sender.ssrc();
        let reporter = compound.packets().find_map(|packet| match packet {
            Packet::SenderReport(report) => Some(report.ssrc()),
            Packet::ReceiverReport(report) => Some(report.ssrc()),
            _ => None,
        });
        if reporter != Some(own) {
            return Ok(());
        }
        let name = compound.packets().find_map(|packet| match packet {
            Packet::SourceDescription(description) => description.cname(own),
            _ => None,
        });
        if name.is_some_and(|name| name != self.cname.as_bytes()) {
            self.collide(now, sender, random);
        }
        Err(Dropped::OwnSsrc)
    }

    fn read_blocks(
        &mut self,
        now: Instant,
        mut blocks: impl Iterator<Item = ReportBlock>,
        own: u32,
    ) {
        let Some(block) = blocks.find(|block| block.ssrc == own) else { return };
        self.remote = Some(RemoteReport {
            fraction_lost: f64::from(block.fraction_lost) / 256.0,
            lost: block.cumulative_lost,
            jitter: f64::from(block.jitter) * 1000.0 / f64::from(self.clock_rate),
        });
        if self.sent_times.contains(&block.last_sr) {
            let now = self.wallclock.ntp_at(now).middle();
            let age = now.wrapping_sub(block.last_sr);
            // A peer that rounds its delay up must not make the way shorter than nothing.
            let way = age.saturating_sub(block.delay_since_last_sr);
            self.round_trip = Some(ntp::duration_of(way));
        }
    }

    /// RFC 3550 §6.3.4 and §6.3.7.
    fn see_off(
        &mut self,
        now: Instant,
        goodbye: &Goodbye<'_>,
        sender: &Sender,
        receiver: &mut Receiver,
    ) -> bool {
        let mut left = false;
        for ssrc in goodbye.sources() {
            self.members.leave(now, ssrc);
            left |= receiver.leave(ssrc);
            if let Phase::Leaving { members } = &mut self.phase {
                *members = members.saturating_add(1);
            }
        }
        let population = self.population(sender);
        self.schedule.reverse_reconsider(now, population);
        left
    }

    /// Writes a report about what was heard, with a BYE if we leave.
    fn report(
        &mut self,
        now: Instant,
        sender: &Sender,
        receiver: &mut Receiver,
        leaving: bool,
        room: &mut [u8],
    ) -> Result<usize, NoRoom> {
        let [since, _] = self.reported;
        let we_sent = sender.last_sent().is_some_and(|sent| sent >= since);
        let info = we_sent.then(|| self.sender_info(now, sender));
        self.blocks.clear();
        for block in receiver.report() {
            let (last_sr, delay_since_last_sr) = self.members.last_sr(now, block.ssrc);
            self.blocks.push(ReportBlock { last_sr, delay_since_last_sr, ..block });
        }
        self.compound(sender.ssrc(), info.as_ref(), leaving, room)
    }

    fn compound(
        &self,
        ssrc: u32,
        info: Option<&SenderInfo>,
        leaving: bool,
        room: &mut [u8],
    ) -> Result<usize, NoRoom> {
        let cname = Item { item_type: Item::CNAME, text: self.cname.as_bytes() };
        let compound =
            CompoundWriter::report(room, ssrc, info, &self.blocks)?.description(ssrc, &cname)?;
        let compound = if leaving { compound.goodbye(ssrc, "")? } else { compound };
        Ok(compound.written())
    }

    fn sender_info(&mut self, now: Instant, sender: &Sender) -> SenderInfo {
        let ntp = self.wallclock.ntp_at(now);
        if self.sent_times.len() >= REMEMBERED_REPORTS {
            self.sent_times.pop_front();
        }
        self.sent_times.push_back(ntp.middle());
        SenderInfo {
            ntp,
            rtp_timestamp: sender.timestamp_at(now),
            // Both fields count modulo 2³².
            packets: sender.packets() as u32,
            octets: sender.octets() as u32,
        }
    }
}

fn left_out(error: &NoRoom) {
    debug!(%error, "left out an RTCP packet");
}

/// A report with one block and the CNAME.
fn first_report_size(cname: &str) -> usize {
    cname.len().saturating_add(64)
}

/// How many of our sender reports a peer may still refer to.
const REMEMBERED_REPORTS: usize = 8;
/// M of RFC 3550 §6.3.5.
const TIMEOUT_MULTIPLIER: u32 = 5;
/// A BYE of a session with more members has to wait (RFC 3550 §6.3.7).
const MANY_MEMBERS: usize = 50;
/// Ten report intervals (RFC 3550 §8.2).
const CONFLICT_MEMORY: Duration = Duration::from_secs(50);
