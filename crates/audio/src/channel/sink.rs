//! From the call into the program.

use std::sync::Arc;

use super::queue::Queue;
use super::{ChannelStatistics, Frame};
use crate::{DeviceError, Sink};

/// A sink that hands what is written to a [`FrameReceiver`].
#[derive(Debug)]
pub struct ChannelSink {
    queue: Arc<Queue>,
    position: u64,
    finished: bool,
}

impl ChannelSink {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue, position: 0, finished: false }
    }

    /// What passed so far.
    pub fn statistics(&self) -> ChannelStatistics {
        self.queue.lock().statistics
    }
}

impl Sink for ChannelSink {
    fn sample_rate(&self) -> u32 {
        self.queue.sample_rate()
    }

    /// Queues the frame; what nobody took in time is pushed out by it.
    ///
    /// # Errors
    ///
    /// [`DeviceError::Closed`] when the receiver is gone, [`DeviceError::Finished`] after
    /// [`finish`](Sink::finish).
    fn write(&mut self, frame: &[i16]) -> Result<(), DeviceError> {
        if self.finished {
            return Err(DeviceError::Finished);
        }
        if self.queue.lock().closed {
            return Err(DeviceError::Closed);
        }
        self.queue.push(self.position, frame.to_vec());
        self.position += frame.len() as u64;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        self.finished = true;
        self.queue.close();
        Ok(())
    }
}

impl Drop for ChannelSink {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Receives the frames that were written to a [`ChannelSink`], each with its place in the stream.
#[derive(Debug)]
pub struct FrameReceiver {
    queue: Arc<Queue>,
}

impl FrameReceiver {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue }
    }

    /// The rate of the samples, in hertz.
    pub fn sample_rate(&self) -> u32 {
        self.queue.sample_rate()
    }

    /// The oldest frame that was not taken. It waits for one; `None` once the sink is finished or
    /// dropped, and everything was taken.
    ///
    /// A gap between the end of one frame and the place of the next is what was pushed out.
    pub fn receive(&self) -> Option<Frame> {
        self.queue.wait()
    }

    /// The oldest frame that was not taken, if there is one now.
    pub fn try_receive(&self) -> Option<Frame> {
        self.queue.pop()
    }

    /// Whether the sink is finished or dropped: what is queued is all there will be.
    pub fn is_finished(&self) -> bool {
        self.queue.lock().closed
    }

    /// What passed so far.
    pub fn statistics(&self) -> ChannelStatistics {
        self.queue.lock().statistics
    }
}

impl Drop for FrameReceiver {
    fn drop(&mut self) {
        self.queue.close();
    }
}
