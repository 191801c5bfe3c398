//! A call's sound as frames, for programs that speak and listen by themselves.

use std::{sync::Arc, time::Duration};

use offhook_audio::{
    ChannelSink, ChannelSource, ChannelStatistics, DeviceError, Frame, FrameReceiver, FrameSender,
    Sink, channel_sink, channel_source,
};
use tokio::sync::Notify;

/// The two ends of a call's sound, as mono frames with their place in the stream.
#[derive(Debug)]
pub struct Audio {
    /// What is heard.
    pub heard: AudioReceiver,
    /// What is to be spoken.
    pub spoken: FrameSender,
}

impl Audio {
    /// The handles, and the devices that a call works with.
    pub(crate) fn channel(
        sample_rate: u32,
    ) -> Result<(Self, ChannelSource, NotifyingSink), DeviceError> {
        let (source, spoken) = channel_source(sample_rate, ROOM)?;
        let (sink, frames) = channel_sink(sample_rate, ROOM)?;
        let written = Arc::new(Notify::new());
        let heard = AudioReceiver { frames, written: Arc::clone(&written) };
        Ok((Self { heard, spoken }, source, NotifyingSink { sink, written }))
    }
}

/// Receives what is heard in a call.
#[derive(Debug)]
pub struct AudioReceiver {
    frames: FrameReceiver,
    written: Arc<Notify>,
}

impl AudioReceiver {
    /// The rate of the samples in Hz.
    pub fn sample_rate(&self) -> u32 {
        self.frames.sample_rate()
    }

    /// The next frame; `None` when the call is over and everything was taken. Who is more than a
    /// second late misses frames, and sees it by the place of the next one.
    pub async fn receive(&self) -> Option<Frame> {
        loop {
            let written = self.written.notified();
            if let Some(frame) = self.frames.try_receive() {
                return Some(frame);
            }
            if self.frames.is_finished() {
                return None;
            }
            written.await;
        }
    }

    /// What passed so far.
    pub fn statistics(&self) -> ChannelStatistics {
        self.frames.statistics()
    }
}

/// A channel's sink that wakes the task which waits for its frames.
#[derive(Debug)]
pub(crate) struct NotifyingSink {
    sink: ChannelSink,
    written: Arc<Notify>,
}

impl Sink for NotifyingSink {
    fn sample_rate(&self) -> u32 {
        self.sink.sample_rate()
    }

    fn write(&mut self, frame: &[i16]) -> Result<(), DeviceError> {
        let result = self.sink.write(frame);
        self.written.notify_one();
        result
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        let result = self.sink.finish();
        // All who wait, and the one who is about to.
        self.written.notify_waiters();
        self.written.notify_one();
        result
    }
}

impl Drop for NotifyingSink {
    fn drop(&mut self) {
        // Finishing twice is harmless, and who waits must learn of the end.
        let _ = self.finish();
    }
}

/// How much sound waits in each direction before the oldest is dropped.
const ROOM: Duration = Duration::from_secs(1);
