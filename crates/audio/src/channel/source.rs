//! From the program into the call.

use std::sync::Arc;
use std::time::Duration;

use super::queue::Queue;
use super::{ChannelStatistics, Frame};
use crate::{DeviceError, Source};

/// A source that plays the frames of a [`FrameSender`].
///
/// It plays silence while nothing is there, and ends when the sender is dropped and everything
/// sent was played.
#[derive(Debug)]
pub struct ChannelSource {
    queue: Arc<Queue>,
    position: u64,
}

impl ChannelSource {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue, position: 0 }
    }

    /// What passed so far.
    pub fn statistics(&self) -> ChannelStatistics {
        self.queue.lock().statistics
    }
}

impl Source for ChannelSource {
    fn sample_rate(&self) -> u32 {
        self.queue.sample_rate()
    }

    fn read(&mut self, frame: &mut [i16]) -> Result<usize, DeviceError> {
        let mut state = self.queue.lock();
        let mut written = state.play(self.position, frame);
        if !state.closed {
            let silence = frame.get_mut(written..).unwrap_or_default();
            silence.fill(0);
            state.statistics.underflow += silence.len() as u64;
            written = frame.len();
        }
        self.position += written as u64;
        Ok(written)
    }
}

impl Drop for ChannelSource {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Sends frames into a call. Dropping it ends the source, once everything sent was played.
#[derive(Debug)]
pub struct FrameSender {
    queue: Arc<Queue>,
}

impl FrameSender {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// The rate that the samples must have, in hertz.
    pub fn sample_rate(&self) -> u32 {
        self.queue.sample_rate()
    }

    /// Queues a frame behind those sent before.
    ///
    /// It is not played before `frame.at`, counted from the first sample that the source was read
    /// for: leave it zero to have it played as soon as possible. A frame that comes too late is
    /// played as soon as possible, too. What does not fit pushes out the oldest samples.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Closed`] when the source is gone.
    pub fn send(&self, frame: Frame) -> Result<(), DeviceError> {
        if self.queue.lock().closed {
            return Err(DeviceError::Closed);
        }
        self.queue.push(self.queue.place(frame.at), frame.samples);
        Ok(())
    }

    /// How much sound waits to be played.
    pub fn queued(&self) -> Duration {
        let queued = self.queue.lock().queued();
        self.queue.duration(queued as u64)
    }

    /// What passed so far.
    pub fn statistics(&self) -> ChannelStatistics {
        self.queue.lock().statistics
    }
}

impl Drop for FrameSender {
    fn drop(&mut self) {
        self.queue.close();
    }
}
