//! One RTP session of one leg: sender, receiver, jitter buffer and RTCP put together.
//!
//! 1. [`send`](Session::send) writes a packet for each frame of our sound.
//! 2. [`receive_rtp`](Session::receive_rtp) checks what comes and queues it;
//!    [`take`](Session::take) gives it at the pace of the playout.
//! 3. Reports: [`poll_timeout`](Session::poll_timeout), [`handle_timeout`](Session::handle_timeout)
//!    and [`write_rtcp`](Session::write_rtcp) send them, [`receive_rtcp`](Session::receive_rtcp)
//!    reads the peer's.
//! 4. [`bye`](Session::bye) leaves.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod config;
pub use config::SessionConfig;

mod control;

use std::time::Instant;

use offhook_sansio::{NoRoom, Random};
use tracing::debug;

use self::{config::PayloadTypes, control::Control};
use crate::{
    Dropped, Drops, Inserted, JitterBuffer, Packet, Received, Receiver, Sender, Statistics, Taken,
    rtcp::Compound,
};

/// One RTP session.
///
/// It speaks bytes and no addresses: the owner hands in datagrams that came from the right place
/// and sends what is written into its own buffers. Once the first packets have come, sending,
/// receiving and taking allocate nothing.
///
/// A peer's BYE ends nothing but the source it names.
#[derive(Debug)]
pub struct Session {
    sender: Sender,
    receiver: Receiver,
    jitter_buffer: JitterBuffer,
    accepted: PayloadTypes,
    plays_own: bool,
    control: Control,
    drops: Drops,
    random: Random,
    started: Instant,
}

impl Session {
    /// A session that begins at `now`. The first report is due within some seconds.
    pub fn new(now: Instant, config: &SessionConfig, mut random: Random) -> Self {
        let ssrc = config.ssrc.unwrap_or_else(|| random.u32());
        let payload_type = config.send_payload_type;
        Self {
            sender: Sender::new(ssrc, payload_type, config.jitter.clock_rate, &mut random),
            receiver: Receiver::new(config.jitter.clock_rate, config.max_sources),
            jitter_buffer: JitterBuffer::new(&config.jitter),
            accepted: PayloadTypes::of(&config.receive_payload_types),
            plays_own: config.plays_own,
            control: Control::new(now, config, &mut random),
            drops: Drops::default(),
            random,
            started: now,
        }
    }

    /// Writes one RTP packet into `room` and returns its length: see [`Sender::packetize`].
    pub fn send(
        &mut self,
        now: Instant,
        ticks: u32,
        room: &mut [u8],
        fill: impl FnOnce(&mut [u8]) -> usize,
    ) -> Result<usize, NoRoom> {
        self.sender.packetize(now, ticks, room, fill)
    }

    /// Lets `ticks` of the media clock pass without a packet.
    pub const fn pause(&mut self, ticks: u32) {
        self.sender.pause(ticks);
    }

    /// Takes an RTP datagram. What is dropped is counted.
    pub fn receive_rtp(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Dropped> {
        let taken = self.take_rtp(now, datagram);
        taken.inspect_err(|reason| self.dropped(reason))
    }

    /// Takes an RTCP datagram. What is dropped is counted.
    pub fn receive_rtcp(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Dropped> {
        let taken = self.take_rtcp(now, datagram);
        taken.inspect_err(|reason| self.dropped(reason))
    }

    /// The next sound to play: see [`JitterBuffer::take`]. `Empty` until a source is validated.
    pub fn take(&mut self, now: Instant) -> Taken<'_> {
        match self.receiver.playing() {
            Some(_) => self.jitter_buffer.take(now),
            None => Taken::Empty,
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due next; `None` after the BYE.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.control.next()
    }

    /// Does what is due at `now`: decides about a report, and forgets members that fell silent.
    /// Call [`write_rtcp`](Self::write_rtcp) after it.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.control.handle_timeout(now, &self.sender, &mut self.random);
    }

    /// Writes the report that is due into `room` and returns its length; `None` if nothing is due.
    ///
    /// A compound of one report, the CNAME and a BYE takes less than 400 octets, 24 more for each
    /// further source that is heard. If `room` is too small, that report is left out.
    pub fn write_rtcp(&mut self, now: Instant, room: &mut [u8]) -> Option<usize> {
        let Self { control, sender, receiver, random, .. } = self;
        control.write(now, sender, receiver, room, random)
    }

    /// Leaves the session: writes a BYE into `room` and returns its length.
    ///
    /// It is 0 if nothing was ever sent, or if `room` is too small, and no BYE is sent then
    /// (RFC 3550 §6.3.7). It is 0 also in a session of more than 50 members: the BYE is then
    /// scheduled, and comes out of [`write_rtcp`](Self::write_rtcp).
    pub fn bye(&mut self, now: Instant, room: &mut [u8]) -> usize {
        let Self { control, sender, receiver, random, .. } = self;
        control.bye(now, sender, receiver, room, random)
    }

    /// Sends payloads of another type from now on. The clock rate stays.
    pub const fn set_send_payload_type(&mut self, payload_type: u8) {
        self.sender.set_payload_type(payload_type);
    }

    /// Accepts these payload types from now on, and no others.
    pub fn set_receive_payload_types(&mut self, payload_types: &[u8]) {
        self.accepted = PayloadTypes::of(payload_types);
    }

    /// Our synchronisation source. It changes when a collision is found (RFC 3550 §8.2).
    pub const fn ssrc(&self) -> u32 {
        self.sender.ssrc()
    }

    /// The synchronisation source that plays.
    pub fn remote_ssrc(&self) -> Option<u32> {
        self.receiver.playing().map(|source| source.ssrc())
    }

    /// The figures at `now`.
    pub fn statistics(&self, now: Instant) -> Statistics {
        let playing = self.receiver.playing();
        let totals = self.receiver.totals();
        let counts = self.jitter_buffer.counts();
        Statistics {
            elapsed: now.saturating_duration_since(self.started),
            packets_sent: self.sender.packets(),
            octets_sent: self.sender.octets(),
            packets_received: totals.received,
            packets_expected: totals.expected,
            lost: totals.lost(),
            fraction_lost: playing.map_or(0.0, |source| source.fraction_lost()),
            late: counts.late,
            duplicate: counts.duplicate,
            reordered: counts.reordered,
            jitter: playing.map_or(0.0, |source| source.jitter_milliseconds()),
            round_trip: self.control.round_trip(),
            jitter_buffer_delay: self.jitter_buffer.delay(),
            concealed: counts.missing,
            discarded: counts.discarded,
            resyncs: counts.resyncs,
            remote: self.control.remote(),
            drops: self.drops,
        }
    }

    fn take_rtp(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Dropped> {
        let packet = Packet::parse(datagram).map_err(Dropped::Malformed)?;
        if !self.accepted.contains(packet.payload_type()) {
            return Err(Dropped::PayloadType(packet.payload_type()));
        }
        if packet.ssrc() == self.sender.ssrc() {
            self.meet_own_ssrc(now, &packet)?;
        }
        match self.receiver.receive(now, &packet) {
            Received::Playing => self.control.heard_data(now, &packet),
            Received::Candidate => {}
            Received::NotPlaying => {
                self.control.heard_data(now, &packet);
                return Err(Dropped::NotPlaying);
            }
            Received::Probation => return Err(Dropped::Probation),
            Received::BadSequence => return Err(Dropped::BadSequence),
        }
        match self.jitter_buffer.insert(now, &packet) {
            Inserted::Queued | Inserted::Reset => Ok(()),
            Inserted::Duplicate => Err(Dropped::Duplicate),
            Inserted::Late => Err(Dropped::Late),
            Inserted::TooLarge => Err(Dropped::TooLarge),
        }
    }

    /// Our own packet came back, or a stranger has picked our SSRC: then we take another one
    /// (RFC 3550 §8.2).
    fn meet_own_ssrc(&mut self, now: Instant, packet: &Packet<'_>) -> Result<(), Dropped> {
        if !self.sender.may_have_sent(packet.sequence(), packet.timestamp()) {
            self.control.collide(now, &mut self.sender, &mut self.random);
            return Err(Dropped::OwnSsrc);
        }
        if self.plays_own { Ok(()) } else { Err(Dropped::OwnSsrc) }
    }

    fn take_rtcp(&mut self, now: Instant, datagram: &[u8]) -> Result<(), Dropped> {
        let compound = Compound::parse(datagram).map_err(Dropped::MalformedRtcp)?;
        let Self { control, sender, receiver, random, .. } = self;
        let left = control.receive(now, &compound, sender, receiver, random)?;
        if left {
            self.jitter_buffer.end();
        }
        Ok(())
    }

    fn dropped(&mut self, reason: &Dropped) {
        self.drops.count(reason);
        debug!(%reason, "dropped a datagram");
    }
}

#[cfg(test)]
mod tests;
