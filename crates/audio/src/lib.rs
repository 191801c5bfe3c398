//! Where a call's sound comes from and goes to.
//!
//! A [`Source`] gives mono samples, a [`Sink`] takes them: WAV files, a tone, silence, or a
//! channel to the rest of the program. None of them waits for the time to pass: a [`FrameClock`]
//! says when the next frame is due, and whoever drives a call reads and writes then.
//!
//! ```
//! use std::time::{Duration, Instant};
//! use offhook_audio::{FrameClock, Sink, Source, ToneSource, WavSink, WavSource};
//!
//! # let folder = std::env::temp_dir().join(format!("offhook-audio-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let path = folder.join("tone.wav");
//! // One second of the A above middle C, 20 dB below full scale.
//! let mut tone = ToneSource::new(8000, 440.0, -20.0).lasting(Duration::from_secs(1));
//! let mut file = WavSink::create(&path, 8000)?;
//! let mut frame = [0; 160];
//! while let samples @ 1.. = tone.read(&mut frame)? {
//!     file.write(&frame[..samples])?;
//! }
//! file.finish()?;
//!
//! let mut file = WavSource::open(&path, 48_000)?; // resampled on the way
//! let start = Instant::now();
//! let mut clock = FrameClock::new(start, Duration::from_millis(20));
//! let mut frame = [0; 960];
//! assert_eq!(clock.due(start), 1);
//! assert_eq!(file.read(&mut frame)?, 960);
//! assert_eq!(clock.next(), start + Duration::from_millis(20));
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod channel;
pub use channel::{
    ChannelSink, ChannelSource, ChannelStatistics, Frame, FrameReceiver, FrameSender, channel_sink,
    channel_source,
};

mod device;
pub use device::{Sink, Source};

mod error;
pub use error::DeviceError;

mod frame_clock;
pub use frame_clock::FrameClock;

mod resampler;

mod riff;

#[cfg(test)]
mod scratch;

mod samples;
pub use samples::Samples;

mod silence;
pub use silence::{NullSink, Silence};

mod tone;
pub use tone::ToneSource;

mod wav_sink;
pub use wav_sink::WavSink;

mod wav_source;
pub use wav_source::WavSource;
