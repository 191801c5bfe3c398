//! The sending side of a stream: sequence numbers, timestamps and counts (RFC 3550 §5.1, §6.4.1).

use std::time::Instant;

use offhook_sansio::{NoRoom, Random, Writer};

use crate::{clock::ticks_of, packet::Header};

/// Puts one source's payloads into RTP packets.
///
/// Sequence number and timestamp begin at random values (RFC 3550 §5.1).
#[derive(Debug)]
pub struct Sender {
    ssrc: u32,
    payload_type: u8,
    clock_rate: u32,
    next_sequence: u16,
    next_timestamp: u32,
    talkspurt_begins: bool,
    packets: u64,
    octets: u64,
    /// When a packet was sent last, and its timestamp: what a sender report extrapolates from.
    last_sent: Option<(Instant, u32)>,
}

impl Sender {
    /// A sender that has sent nothing. `clock_rate` is in ticks per second.
    pub fn new(ssrc: u32, payload_type: u8, clock_rate: u32, random: &mut Random) -> Self {
        Self {
            ssrc,
            payload_type,
            clock_rate,
            next_sequence: random.u32() as u16,
            next_timestamp: random.u32(),
            talkspurt_begins: true,
            packets: 0,
            octets: 0,
            last_sent: None,
        }
    }

    /// Writes one packet into `room` and returns its length.
    ///
    /// `fill` gets the room after the header, writes the payload there and returns its length.
    /// `samples` is how long the payload lasts, in ticks of the media clock. The marker is set on
    /// the first packet and on the first one after a pause (RFC 3551 §4.1). If `fill` writes
    /// nothing, nothing is to be sent: the time passes as in [`pause`](Self::pause), and 0 is
    /// returned.
    pub fn packetize(
        &mut self,
        now: Instant,
        samples: u32,
        room: &mut [u8],
        fill: impl FnOnce(&mut [u8]) -> usize,
    ) -> Result<usize, NoRoom> {
        let mut writer = Writer::new(room);
        Header::new(self.payload_type, self.next_sequence, self.next_timestamp, self.ssrc)
            .with_marker(self.talkspurt_begins)
            .write(&mut writer)?;
        let header = writer.written();
        let left = room.len().saturating_sub(header);
        let payload = fill(room.get_mut(header..).unwrap_or_default());
        if payload == 0 {
            self.pause(samples);
            return Ok(0);
        }
        if payload > left {
            return Err(NoRoom { needed: payload, left });
        }
        self.sent(now, samples, payload);
        Ok(header.saturating_add(payload))
    }

    /// Lets `ticks` of the media clock pass without a packet: the source is silent. The next
    /// packet opens a talkspurt.
    pub const fn pause(&mut self, ticks: u32) {
        self.next_timestamp = self.next_timestamp.wrapping_add(ticks);
        self.talkspurt_begins = true;
    }

    /// Sends payloads of another type from now on.
    pub const fn set_payload_type(&mut self, payload_type: u8) {
        self.payload_type = payload_type;
    }

    /// Takes a new identifier, and with it new random beginnings and counts from zero
    /// (RFC 3550 §6.4.1, §8.2).
    pub(crate) fn change_ssrc(&mut self, ssrc: u32, random: &mut Random) {
        *self = Self::new(ssrc, self.payload_type, self.clock_rate, random);
    }

    /// The synchronisation source of the packets.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// How many packets were sent.
    pub const fn packets(&self) -> u64 {
        self.packets
    }

    /// How many octets of payload were sent, without headers.
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// When the last packet was sent; `None` before the first.
    pub fn last_sent(&self) -> Option<Instant> {
        self.last_sent.map(|(instant, _)| instant)
    }

    /// The timestamp that corresponds to `now`, for a sender report (RFC 3550 §6.4.1).
    pub fn timestamp_at(&self, now: Instant) -> u32 {
        let Some((instant, timestamp)) = self.last_sent else { return self.next_timestamp };
        let elapsed = ticks_of(now.saturating_duration_since(instant), self.clock_rate);
        timestamp.wrapping_add(elapsed as u32)
    }

    /// Whether this sender could have sent a packet with these numbers a short while ago: its own
    /// packets came back (RFC 3550 §8.2).
    pub(crate) fn may_have_sent(&self, sequence: u16, timestamp: u32) -> bool {
        let packets_ago = u64::from(self.next_sequence.wrapping_sub(sequence));
        let ticks_ago = u64::from(self.next_timestamp.wrapping_sub(timestamp));
        let in_sequence = packets_ago != 0 && packets_ago <= self.packets.min(LOOP_PACKETS);
        in_sequence && ticks_ago <= u64::from(self.clock_rate) * LOOP_SECONDS
    }

    fn sent(&mut self, now: Instant, samples: u32, payload: usize) {
        self.last_sent = Some((now, self.next_timestamp));
        self.next_sequence = self.next_sequence.wrapping_add(1);
        self.next_timestamp = self.next_timestamp.wrapping_add(samples);
        self.talkspurt_begins = false;
        self.packets = self.packets.saturating_add(1);
        self.octets = self.octets.saturating_add(payload as u64);
    }
}

/// How far back a packet may lie and still be taken for one of our own that came back.
const LOOP_PACKETS: u64 = 3_000;
const LOOP_SECONDS: u64 = 60;

#[cfg(test)]
mod tests;
