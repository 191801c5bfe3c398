//! The buffer: what comes in is put in order, what goes out is taken at the pace of the playout.
//!
//! 1. [`insert`](JitterBuffer::insert) places a packet by its sequence number, notes how long it
//!    was on its way, and starts over when the numbers jump.
//! 2. The first packet waits until the initial delay has passed.
//! 3. [`take`](JitterBuffer::take) gives the next packet, or says that it is missing. A packet
//!    that is merely late is waited for: the sound put in its place makes the delay longer.
//! 4. When the delay stays far too long, queued packets are left out one by one.

use std::time::{Duration, Instant};

use super::{
    JitterConfig, JitterCounts,
    adaptation::{Adaptation, Step},
    delay::DelayEstimate,
    order::{Order, Place, Timeline},
    slots::{Queued, Slots},
};
use crate::{
    Packet,
    clock::{MediaClock, ticks_of},
};

/// An adaptive playout buffer for one stream of audio packets.
///
/// It is deterministic, and all of its storage is reserved at construction.
///
/// # Taking
///
/// Call [`take`](Self::take) whenever the playout needs more sound: for packets as long as a frame
/// that is once per frame time. Packets of other lengths are no trouble, as
/// [`Taken::Frame`] says how long its payload lasts: of a 40 ms packet play two frames of 20 ms
/// before the next `take`, and for 10 ms packets take twice. What remains of a packet and is
/// shorter than a frame is kept and played before the next.
///
/// A [`Taken::Missing`] always stands for one frame of [`JitterConfig::frame`].
#[derive(Debug)]
pub struct JitterBuffer {
    clock: Option<MediaClock>,
    clock_rate: u32,
    limits: Limits,
    ssrc: Option<u32>,
    order: Order,
    timeline: Timeline,
    slots: Slots,
    delay: DelayEstimate,
    adaptation: Adaptation,
    state: State,
    /// The stream was said to end: what is queued is played, then nothing is missed.
    ended: bool,
    /// All sequence numbers below this one are over: played or given up.
    next_sequence: Option<i64>,
    /// Where the playout has come to; `None` after a new start.
    position: Option<Position>,
    /// Frames reported missing since the last packet was played.
    missed: i64,
    /// How long packets last, in ticks.
    packet: i64,
    current_delay: i64,
    counts: JitterCounts,
}

/// The settings in ticks.
#[derive(Clone, Copy, Debug)]
struct Limits {
    frame: i64,
    initial: i64,
    min: i64,
    max: i64,
    starvation: i64,
    margin: i64,
    longest_packet: i64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing came, or nothing comes any more.
    Stopped,
    /// Packets are queued until the first has waited long enough. `resuming`: sound was played
    /// right before, so that the wait is a gap to conceal.
    Filling { resuming: bool },
    /// Packets are played.
    Playing,
}

#[derive(Clone, Copy, Debug)]
struct Position {
    /// The timestamp of the last packet played.
    last: i64,
    /// The timestamp where that packet ends.
    end: i64,
    /// How far apart the last two packets were.
    spacing: i64,
}

/// What became of a packet that was inserted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inserted {
    /// It waits to be played.
    Queued,
    /// It waits to be played, and everything before it was dropped: another source, or a jump of
    /// sequence number or timestamp.
    Reset,
    /// It had come before.
    Duplicate,
    /// Its time to play is over.
    Late,
    /// Its payload is longer than [`JitterConfig::payload`].
    TooLarge,
}

/// What is to be played now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken<'a> {
    /// This packet.
    Frame {
        /// The payload.
        payload: &'a [u8],
        /// Its payload type.
        payload_type: u8,
        /// The RTP timestamp of its first sample.
        timestamp: u32,
        /// Its sequence number.
        sequence: u16,
        /// Its marker bit: a talkspurt begins (RFC 3551 §4.1).
        marker: bool,
        /// How long it lasts in ticks of the media clock: the distance to the timestamp of the
        /// next packet, if that is there, or else what the packets before it showed, or else one
        /// frame. Where the decoder tells how much sound there is, the decoder is right.
        duration: u32,
    },
    /// A frame that is lost or not here yet: conceal it.
    Missing,
    /// The stream has not begun or has stopped: silence.
    Empty,
}

impl JitterBuffer {
    /// An empty buffer.
    pub fn new(config: &JitterConfig) -> Self {
        let limits = Limits::new(config);
        Self {
            clock: None,
            clock_rate: config.clock_rate,
            limits,
            ssrc: None,
            order: Order::default(),
            timeline: Timeline::default(),
            slots: Slots::new(config.packets, config.payload),
            delay: DelayEstimate::new(),
            adaptation: Adaptation::new(limits.initial, limits.frame),
            state: State::Stopped,
            ended: false,
            next_sequence: None,
            position: None,
            missed: 0,
            packet: limits.frame,
            current_delay: 0,
            counts: JitterCounts::default(),
        }
    }

    /// Puts in a packet that has just arrived.
    pub fn insert(&mut self, now: Instant, packet: &Packet<'_>) -> Inserted {
        if packet.payload().len() > self.slots.payload_size() {
            self.counts.too_large = self.counts.too_large.saturating_add(1);
            return Inserted::TooLarge;
        }
        let other_source = self.ssrc.replace(packet.ssrc()).is_some_and(|it| it != packet.ssrc());
        if other_source {
            self.start_over();
        }
        let (sequence, ahead, jumped) = match self.order.place(packet.sequence()) {
            Place::Ahead(sequence) => (sequence, true, false),
            Place::Behind(sequence) => (sequence, false, false),
            Place::Seen => {
                self.counts.duplicate = self.counts.duplicate.saturating_add(1);
                return Inserted::Duplicate;
            }
            Place::Jump => {
                self.start_over();
                self.order.place(packet.sequence());
                (i64::from(packet.sequence()), true, true)
            }
        };
        if !ahead {
            self.counts.reordered = self.counts.reordered.saturating_add(1);
        }
        let inserted = self.queue(now, packet, sequence, ahead);
        let reset = other_source || jumped;
        if reset && inserted == Inserted::Queued { Inserted::Reset } else { inserted }
    }

    /// The next sound to play.
    pub fn take(&mut self, now: Instant) -> Taken<'_> {
        let Some(clock) = self.clock else { return Taken::Empty };
        let now = clock.ticks_at(now);
        match self.state {
            State::Stopped => return Taken::Empty,
            State::Filling { resuming } => {
                if !self.has_waited(now) {
                    return if resuming { self.missing() } else { Taken::Empty };
                }
                self.state = State::Playing;
            }
            State::Playing => {}
        }
        match self.next(now) {
            Next::Play(queued) => self.play(&queued),
            Next::Missing => self.missing(),
            Next::Stopped => Taken::Empty,
        }
    }

    /// Says that the source has announced its end (RTCP BYE): what is queued is still played, and
    /// nothing is missed after it. A packet that comes nevertheless begins the stream again.
    pub const fn end(&mut self) {
        self.ended = true;
    }

    /// How long packets that took the quickest way wait before they are played.
    pub fn delay(&self) -> Duration {
        self.clock.map_or(Duration::ZERO, |clock| clock.duration(self.current_delay))
    }

    /// How many packets wait to be played.
    pub const fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether no packet waits to be played.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was counted so far.
    pub const fn counts(&self) -> &JitterCounts {
        &self.counts
    }

    /// Queues a packet that was not seen before, unless it is too late.
    fn queue(&mut self, now: Instant, packet: &Packet<'_>, sequence: i64, ahead: bool) -> Inserted {
        let rate = self.clock_rate;
        let clock = *self.clock.get_or_insert_with(|| MediaClock::new(rate, now));
        let timestamp = self.timeline.extend(packet.timestamp());
        let transit = clock.ticks_at(now).saturating_sub(timestamp);
        let jumped = self.delay.excess(transit).is_some_and(|it| it.saturating_abs() > self.jump());
        if jumped && ahead {
            self.start_new_clock(packet.timestamp());
        } else if jumped || self.is_over(sequence) {
            self.delay_seen(transit, jumped);
            self.counts.late = self.counts.late.saturating_add(1);
            return Inserted::Late;
        }
        let too_far = ahead && self.is_beyond_window(sequence);
        if too_far {
            self.drop_queue();
        }
        let timestamp = self.timeline.extend(packet.timestamp());
        self.delay_seen(clock.ticks_at(now).saturating_sub(timestamp), false);
        self.slots.put(sequence, timestamp, packet);
        self.ended = false;
        if self.state == State::Stopped {
            self.state = State::Filling { resuming: false };
        }
        if too_far || (jumped && ahead) { Inserted::Reset } else { Inserted::Queued }
    }

    fn delay_seen(&mut self, transit: i64, of_another_clock: bool) {
        if !of_another_clock {
            self.delay.observe(transit);
        }
    }

    /// Whether the time of `sequence` is over, or it lies too far back to be put in order.
    fn is_over(&self, sequence: i64) -> bool {
        let given_up = self.next_sequence.is_some_and(|next| sequence < next);
        let highest = self.order.highest().unwrap_or(sequence);
        given_up || highest.saturating_sub(sequence) >= self.slots.window()
    }

    fn is_beyond_window(&mut self, sequence: i64) -> bool {
        let lowest = match (self.state, self.next_sequence) {
            (State::Playing, Some(next)) => next,
            _ => self.slots.head().map_or(sequence, |head| head.sequence),
        };
        sequence.saturating_sub(lowest) >= self.slots.window()
    }

    /// Another source or other sequence numbers: nothing of before holds any more.
    fn start_over(&mut self) {
        self.order.clear();
        self.next_sequence = None;
        self.packet = self.limits.frame;
        self.timeline.clear();
        self.delay.clear();
        self.drop_queue();
    }

    /// The sequence goes on, but timestamps are counted from elsewhere.
    fn start_new_clock(&mut self, timestamp: u32) {
        self.timeline.clear();
        self.timeline.extend(timestamp);
        self.delay.clear();
        self.drop_queue();
    }

    /// Begins again with the packet that follows, after the initial delay: no burst.
    fn drop_queue(&mut self) {
        self.counts.discarded = self.counts.discarded.saturating_add(self.slots.len() as u64);
        self.slots.clear();
        self.adaptation.clear();
        self.position = None;
        self.missed = 0;
        self.counts.resyncs = self.counts.resyncs.saturating_add(1);
        if self.state == State::Playing {
            self.state = State::Filling { resuming: true };
        }
    }

    fn has_waited(&mut self, now: i64) -> bool {
        let wanted = self.limits.initial.max(self.target()).min(self.limits.max);
        match self.slots.head() {
            Some(head) => self.delay_of(now, head.timestamp) >= wanted,
            None => true,
        }
    }

    fn next(&mut self, now: i64) -> Next {
        let Some(mut head) = self.slots.head() else { return self.starve() };
        let position = head.timestamp.saturating_sub(self.due_in(&head).max(0));
        let delay = self.delay_of(now, position);
        self.current_delay = delay;
        match self.step(delay) {
            Step::Keep => {}
            Step::Grow => return Next::Missing,
            Step::Shrink if delay > self.limits.max.saturating_mul(2) => self.catch_up(now),
            Step::Shrink => self.leave_out(&head),
        }
        head = self.slots.head().unwrap_or(head);
        // Rounded to the nearest whole frame.
        if self.due_in(&head).saturating_mul(2) >= self.limits.frame {
            self.missed = self.missed.saturating_add(1);
            return Next::Missing;
        }
        Next::Play(head)
    }

    fn step(&mut self, delay: i64) -> Step {
        let target = self.target();
        let step = self.adaptation.observe(delay, target, self.packet);
        if delay > self.limits.max { Step::Shrink } else { step }
    }

    /// How many ticks of missing sound still come before `head`.
    fn due_in(&self, head: &Queued) -> i64 {
        let Some(position) = self.position else { return 0 };
        let gap = head.timestamp.saturating_sub(position.end);
        // Without a marker a neighbour follows at once, however long the packet before it was.
        let neighbour = self.next_sequence == Some(head.sequence)
            && !head.marker
            && gap <= self.limits.longest_packet;
        let gap = if neighbour { 0 } else { gap.max(0) };
        gap.saturating_sub(self.missed.saturating_mul(self.limits.frame))
    }

    /// How long a packet of `timestamp` would have waited at `now`, had it come the quickest way.
    fn delay_of(&self, now: i64, timestamp: i64) -> i64 {
        now.saturating_sub(timestamp).saturating_sub(self.delay.minimum())
    }

    fn target(&self) -> i64 {
        let wanted = self.delay.spread().saturating_add(self.limits.margin);
        wanted.max(self.limits.min).min(self.limits.max)
    }

    /// A transit this far from the usual belongs to another clock.
    fn jump(&self) -> i64 {
        self.limits.max.saturating_mul(2)
    }

    /// Leaves out the packet at the head, or what is missing before it.
    fn leave_out(&mut self, head: &Queued) {
        if self.due_in(head).saturating_mul(2) >= self.limits.frame {
            self.missed = self.missed.saturating_add(1);
        } else if self.slots.len() > 1 {
            self.discard(head);
        }
    }

    /// Leaves out as many packets as bring the delay back to the target at once.
    fn catch_up(&mut self, now: i64) {
        let target = self.target();
        while let Some(head) = self.slots.head()
            && self.slots.len() > 1
            && self.delay_of(now, head.timestamp) > target
        {
            self.discard(&head);
        }
        self.position = None;
        self.adaptation.clear();
        self.counts.resyncs = self.counts.resyncs.saturating_add(1);
    }

    fn discard(&mut self, head: &Queued) {
        self.slots.remove(head);
        self.advance(head);
        self.counts.discarded = self.counts.discarded.saturating_add(1);
    }

    fn starve(&mut self) -> Next {
        self.missed = self.missed.saturating_add(1);
        let silent = self.missed.saturating_mul(self.limits.frame);
        if self.ended || silent > self.limits.starvation {
            self.state = State::Stopped;
            self.position = None;
            self.missed = 0;
            return Next::Stopped;
        }
        Next::Missing
    }

    fn play(&mut self, queued: &Queued) -> Taken<'_> {
        self.slots.remove(queued);
        let duration = self.advance(queued);
        self.counts.played = self.counts.played.saturating_add(1);
        Taken::Frame {
            payload: self.slots.payload(queued),
            payload_type: queued.payload_type,
            timestamp: queued.timestamp as u32,
            sequence: queued.sequence as u16,
            marker: queued.marker,
            duration: u32::try_from(duration).unwrap_or(u32::MAX),
        }
    }

    /// Moves the playout past a packet and returns how long that lasts.
    fn advance(&mut self, queued: &Queued) -> i64 {
        let spacing = self.learn_length(queued);
        let next = queued.sequence.saturating_add(1);
        let distance = self
            .slots
            .get(next)
            .filter(|next| !next.marker)
            .map(|next| next.timestamp.saturating_sub(queued.timestamp))
            .filter(|distance| (1..=self.limits.longest_packet).contains(distance));
        let duration = distance.unwrap_or(self.packet);
        self.next_sequence = Some(next);
        let end = queued.timestamp.saturating_add(duration);
        self.position = Some(Position { last: queued.timestamp, end, spacing });
        self.missed = 0;
        duration
    }

    /// Learns how long packets last from two neighbours. A marker says that silence may lie
    /// between them (RFC 3551 §4.1), so there the same distance is wanted twice.
    fn learn_length(&mut self, queued: &Queued) -> i64 {
        let Some(position) = self.position else { return 0 };
        if self.next_sequence != Some(queued.sequence) {
            return 0;
        }
        let spacing = queued.timestamp.saturating_sub(position.last);
        let believed = !queued.marker || spacing == position.spacing;
        if believed && (1..=self.limits.longest_packet).contains(&spacing) {
            self.packet = spacing;
        }
        spacing
    }

    fn missing(&mut self) -> Taken<'static> {
        self.counts.missing = self.counts.missing.saturating_add(1);
        Taken::Missing
    }
}

/// What the playout does next.
enum Next {
    Play(Queued),
    Missing,
    Stopped,
}

impl Limits {
    fn new(config: &JitterConfig) -> Self {
        let ticks = |duration| ticks_of(duration, config.clock_rate);
        Self {
            frame: ticks(config.frame).max(1),
            initial: ticks(config.initial_delay),
            min: ticks(config.min_delay),
            max: ticks(config.max_delay).max(1),
            starvation: ticks(config.starvation),
            margin: ticks(MARGIN),
            longest_packet: ticks(LONGEST_PACKET),
        }
    }
}

/// What the target delay has above the spread of the packets: jitter not seen so far.
const MARGIN: Duration = Duration::from_millis(10);
/// A receiver should take packets of up to 200 ms (RFC 3551 §4.2).
const LONGEST_PACKET: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests;
