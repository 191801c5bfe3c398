//! The jitter buffer under any order of packets and of time.

use std::time::{Duration, Instant};

use offhook_rtp::{Header, Inserted, JitterBuffer, JitterConfig, Packet, Taken};
use offhook_sansio::Writer;

use crate::{Promised, Script};

/// Runs the input as a list of operations: packets come, frames are taken, time passes.
pub fn jitter_buffer(data: &[u8]) {
    let mut script = Script::new(data);
    let mut listener = Listener::new(&mut script);
    while !script.is_over() {
        match script.u8() % 4 {
            0 => listener.insert_next(&mut script),
            1 => listener.insert_any(&mut script),
            2 => listener.take(),
            _ => listener.now += Duration::from_micros(u64::from(script.u16()).saturating_mul(10)),
        }
    }
    listener.drain();
}

struct Listener {
    config: JitterConfig,
    buffer: JitterBuffer,
    now: Instant,
    sequence: u16,
    timestamp: u32,
    /// The sequence number that was played last; `None` after the buffer started over.
    played: Option<u16>,
    inserted: u64,
    frames: u64,
}

impl Listener {
    fn new(script: &mut Script<'_>) -> Self {
        let frame = Duration::from_millis(u64::from(script.u8() % 60).saturating_add(1));
        let mut config = JitterConfig::new(8000, frame);
        config.packets = usize::from(script.u8() % 70);
        config.payload = 200;
        let (sequence, timestamp) = (script.u16(), script.u32());
        let buffer = JitterBuffer::new(&config);
        let now = Instant::now();
        let (played, inserted, frames) = (None, 0, 0);
        Self { config, buffer, now, sequence, timestamp, played, inserted, frames }
    }

    /// The packet that follows, with steps that the input may set.
    fn insert_next(&mut self, script: &mut Script<'_>) {
        let step = script.u8();
        self.sequence = self.sequence.wrapping_add(u16::from(step % 4));
        self.timestamp = self.timestamp.wrapping_add(u32::from(step / 4).saturating_mul(16));
        self.insert(self.sequence, self.timestamp, 1, script.u8());
    }

    fn insert_any(&mut self, script: &mut Script<'_>) {
        let (sequence, timestamp) = (script.u16(), script.u32());
        self.insert(sequence, timestamp, u32::from(script.u8() % 2), script.u8());
    }

    /// The payload tells which packet it was.
    fn insert(&mut self, sequence: u16, timestamp: u32, ssrc: u32, shape: u8) {
        let mut bytes = [0; 512];
        let mut writer = Writer::new(&mut bytes);
        let header = Header::new(0, sequence, timestamp, ssrc).with_marker(shape & 1 == 1);
        header.write(&mut writer).promised("a header fits");
        writer.u16(sequence).promised("a payload fits");
        writer.u32(timestamp).promised("a payload fits");
        let length = writer.written().saturating_add(usize::from(shape));
        let packet = Packet::parse(bytes.get(..length).unwrap_or_default());
        let packet = packet.promised("what was written is read");
        let inserted = self.buffer.insert(self.now, &packet);
        let too_large = packet.payload().len() > self.config.payload;
        assert_eq!(inserted == Inserted::TooLarge, too_large);
        match inserted {
            Inserted::Queued => self.inserted = self.inserted.saturating_add(1),
            Inserted::Reset => {
                self.inserted = self.inserted.saturating_add(1);
                self.played = None;
            }
            Inserted::Duplicate | Inserted::Late | Inserted::TooLarge => {}
        }
        assert!(self.buffer.len() <= self.config.packets.max(2), "the buffer is bounded");
        assert!(self.buffer.delay() <= Duration::from_secs(3600 * 24 * 7), "a delay is finite");
    }

    fn take(&mut self) {
        let Taken::Frame { payload, sequence, timestamp, duration, .. } =
            self.buffer.take(self.now)
        else {
            return;
        };
        let (number, rest) = payload.split_at(payload.len().min(2));
        assert_eq!(number, sequence.to_be_bytes(), "a payload comes out with its own number");
        assert!(rest.starts_with(&timestamp.to_be_bytes()), "and with its own timestamp");
        assert!(duration > 0, "a packet lasts some time");
        let ahead =
            self.played.is_none_or(|played| (1..0x8000).contains(&sequence.wrapping_sub(played)));
        assert!(ahead, "packets are played in order: {sequence} after {:?}", self.played);
        self.played = Some(sequence);
        self.frames = self.frames.saturating_add(1);
        assert!(self.frames <= self.inserted, "no packet is played twice");
    }

    /// When nothing comes any more, the buffer plays what it has and falls silent.
    fn drain(&mut self) {
        let most = self.config.packets.saturating_add(10).saturating_mul(200);
        for _ in 0..most {
            self.now += self.config.frame;
            if self.buffer.is_empty() && self.buffer.take(self.now) == Taken::Empty {
                return;
            }
            self.take();
        }
        unreachable!("broken promise: the buffer falls silent; {} wait", self.buffer.len());
    }
}
