//! The bounded queue between the two ends of a channel.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{ChannelStatistics, Frame};

#[derive(Debug)]
pub(super) struct Queue {
    sample_rate: u32,
    state: Mutex<State>,
    /// Something was queued, or an end is gone.
    changed: Condvar,
}

#[derive(Debug)]
pub(super) struct State {
    pieces: VecDeque<Piece>,
    /// Samples in all pieces, and the most there may be.
    queued: usize,
    capacity: usize,
    pub(super) statistics: ChannelStatistics,
    /// One of the ends is gone: no more will come, or nobody will take it.
    pub(super) closed: bool,
}

/// Samples of one frame that were not taken yet.
#[derive(Debug)]
struct Piece {
    /// The place of its first sample in the stream.
    start: u64,
    samples: Vec<i16>,
    taken: usize,
}

impl Queue {
    pub(super) fn new(sample_rate: u32, capacity: Duration) -> Arc<Self> {
        let capacity = usize::try_from(place(capacity, sample_rate)).unwrap_or(usize::MAX).max(1);
        let state = State {
            pieces: VecDeque::new(),
            queued: 0,
            capacity,
            statistics: ChannelStatistics::default(),
            closed: false,
        };
        Arc::new(Self { sample_rate, state: Mutex::new(state), changed: Condvar::new() })
    }

    pub(super) fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Nothing under the lock can leave the state half changed, so that a panic elsewhere in a
    /// thread that held it does no harm.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, start: u64, samples: Vec<i16>) {
        let pushed_out = self.lock().push(start, samples);
        self.changed.notify_all();
        if pushed_out > 0 {
            tracing::debug!(samples = pushed_out, "audio channel full, the oldest samples dropped");
        }
    }

    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    pub(super) fn pop(&self) -> Option<Frame> {
        let frame = self.lock().pop();
        frame.map(|(start, samples)| self.frame(start, samples))
    }

    /// Waits until there is a frame; `None` when none will come any more.
    pub(super) fn wait(&self) -> Option<Frame> {
        let mut state = self.lock();
        while state.queued == 0 && !state.closed {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.pop().map(|(start, samples)| self.frame(start, samples))
    }

    /// The place of this time in the stream, in samples.
    pub(super) fn place(&self, at: Duration) -> u64 {
        place(at, self.sample_rate)
    }

    pub(super) fn duration(&self, samples: u64) -> Duration {
        let rate = u64::from(self.sample_rate);
        let nanos = (samples % rate) * 1_000_000_000 / rate;
        Duration::from_secs(samples / rate) + Duration::from_nanos(nanos)
    }

    fn frame(&self, start: u64, samples: Vec<i16>) -> Frame {
        Frame { at: self.duration(start), samples }
    }
}

impl State {
    pub(super) fn queued(&self) -> usize {
        self.queued
    }

    /// Fills `frame` from the front, and returns how much of it. `position` is the place of the
    /// stream that is played now: a piece whose place is not reached yet is waited for with
    /// silence, a piece that is late is played at once.
    pub(super) fn play(&mut self, position: u64, frame: &mut [i16]) -> usize {
        let mut written = 0;
        while let Some(room) = frame.get_mut(written..).filter(|room| !room.is_empty()) {
            let Some(piece) = self.pieces.front_mut() else { break };
            let early = piece.start.saturating_sub(position + written as u64);
            if early > 0 {
                let count = usize::try_from(early).unwrap_or(usize::MAX).min(room.len());
                room.iter_mut().take(count).for_each(|sample| *sample = 0);
                written += count;
                continue;
            }
            let count = piece.left().len().min(room.len());
            room.iter_mut().zip(piece.left()).for_each(|(room, sample)| *room = *sample);
            written += count;
            self.statistics.passed += count as u64;
            self.discard(count);
        }
        written
    }

    /// Returns how many of the oldest samples had to go.
    fn push(&mut self, start: u64, samples: Vec<i16>) -> usize {
        if samples.is_empty() {
            return 0;
        }
        self.queued += samples.len();
        self.pieces.push_back(Piece { start, samples, taken: 0 });
        let excess = self.queued.saturating_sub(self.capacity);
        self.statistics.overflow += excess as u64;
        self.discard(excess);
        excess
    }

    fn pop(&mut self) -> Option<(u64, Vec<i16>)> {
        let Piece { start, mut samples, taken } = self.pieces.pop_front()?;
        samples.drain(..taken);
        self.queued -= samples.len();
        self.statistics.passed += samples.len() as u64;
        Some((start.saturating_add(taken as u64), samples))
    }

    /// Takes the oldest samples away.
    fn discard(&mut self, mut samples: usize) {
        while let Some(piece) = self.pieces.front_mut().filter(|_| samples > 0) {
            let count = piece.left().len().min(samples);
            piece.taken += count;
            samples -= count;
            self.queued -= count;
            if piece.left().is_empty() {
                self.pieces.pop_front();
            }
        }
    }
}

impl Piece {
    fn left(&self) -> &[i16] {
        self.samples.get(self.taken..).unwrap_or_default()
    }
}

/// To the nearest sample: the times of frames are themselves rounded to nanoseconds.
fn place(at: Duration, sample_rate: u32) -> u64 {
    const SECOND: u128 = 1_000_000_000;
    let samples = (at.as_nanos() * u128::from(sample_rate) + SECOND / 2) / SECOND;
    u64::try_from(samples).unwrap_or(u64::MAX)
}
