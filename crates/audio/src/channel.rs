//! Devices whose other end is the program itself: frames with timestamps instead of sound cards.
//!
//! Both directions share one bounded queue of samples. What does not fit pushes out the oldest,
//! since in a call late sound is worth less than fresh sound; where nothing is there, silence is
//! played. Both are counted.

use std::time::Duration;

use crate::DeviceError;
use crate::error::checked_rate;

mod queue;
use queue::Queue;

mod sink;
pub use sink::{ChannelSink, FrameReceiver};

mod source;
pub use source::{ChannelSource, FrameSender};

/// Mono samples and their place in a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Where the first sample stands, counted from the start of the stream.
    pub at: Duration,
    /// The samples.
    pub samples: Vec<i16>,
}

/// What passed a channel, in samples.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct ChannelStatistics {
    /// Samples that came out at the other end.
    pub passed: u64,
    /// Samples that were pushed out by newer ones, because nobody had taken them.
    pub overflow: u64,
    /// Samples of silence that were played, because nothing was there.
    pub underflow: u64,
}

/// A source that plays what the program sends, and the end to send it from.
///
/// At most `capacity` of sound waits in between.
///
/// ```
/// use std::time::Duration;
/// use offhook_audio::{Frame, Source, channel_source};
///
/// let (mut source, sender) = channel_source(8000, Duration::from_secs(1))?;
/// sender.send(Frame { at: Duration::ZERO, samples: vec![5; 100] })?;
/// let mut heard = [1; 160];
/// assert_eq!(source.read(&mut heard)?, 160);
/// assert_eq!((heard[99], heard[100]), (5, 0));
/// assert_eq!(sender.statistics().underflow, 60);
/// # Ok::<(), offhook_audio::DeviceError>(())
/// ```
///
/// # Errors
///
/// [`DeviceError::SampleRate`] for a rate outside 1 to 384 kHz.
pub fn channel_source(
    sample_rate: u32,
    capacity: Duration,
) -> Result<(ChannelSource, FrameSender), DeviceError> {
    let queue = Queue::new(checked_rate(sample_rate)?, capacity);
    Ok((ChannelSource::new(queue.clone()), FrameSender::new(queue)))
}

/// A sink that hands what it is given to the program, and the end to receive it from.
///
/// At most `capacity` of sound waits in between.
///
/// ```
/// use std::time::Duration;
/// use offhook_audio::{Sink, channel_sink};
///
/// let (mut sink, receiver) = channel_sink(8000, Duration::from_secs(1))?;
/// sink.write(&[1; 160])?;
/// sink.write(&[2; 160])?;
/// sink.finish()?;
/// assert_eq!(receiver.receive().map(|frame| frame.at), Some(Duration::ZERO));
/// assert_eq!(receiver.receive().map(|frame| frame.at), Some(Duration::from_millis(20)));
/// assert_eq!(receiver.receive(), None);
/// # Ok::<(), offhook_audio::DeviceError>(())
/// ```
///
/// # Errors
///
/// [`DeviceError::SampleRate`] for a rate outside 1 to 384 kHz.
pub fn channel_sink(
    sample_rate: u32,
    capacity: Duration,
) -> Result<(ChannelSink, FrameReceiver), DeviceError> {
    let queue = Queue::new(checked_rate(sample_rate)?, capacity);
    Ok((ChannelSink::new(queue.clone()), FrameReceiver::new(queue)))
}

#[cfg(test)]
mod tests;
