//! A WAV file as a sink.

use std::fmt;
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavSpec, WavWriter};

use crate::error::checked_rate;
use crate::{DeviceError, Sink};

/// Records into a WAV file of 16-bit mono samples.
///
/// The lengths in its header are right after [`finish`](Sink::finish), and also when it is only
/// dropped; but then a full disk is only logged.
pub struct WavSink {
    path: PathBuf,
    sample_rate: u32,
    /// `None` once it is finished.
    wav: Option<WavWriter<BufWriter<File>>>,
    /// Samples that the file can still take.
    room: usize,
}

impl WavSink {
    /// Creates the file, or empties it if it is there.
    ///
    /// # Errors
    ///
    /// One line that names the file and what the system said. Also for a sample rate outside 1 to
    /// 384 kHz.
    pub fn create(path: impl AsRef<Path>, sample_rate: u32) -> Result<Self, DeviceError> {
        let path = path.as_ref();
        let spec = WavSpec {
            channels: 1,
            sample_rate: checked_rate(sample_rate)?,
            bits_per_sample: 16,
            sample_format: SampleFormat::Int,
        };
        let wav = WavWriter::create(path, spec).map_err(|error| DeviceError::wav(path, error))?;
        Ok(Self { path: path.into(), sample_rate, wav: Some(wav), room: MOST_SAMPLES })
    }
}

impl Sink for WavSink {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn write(&mut self, frame: &[i16]) -> Result<(), DeviceError> {
        let wav = self.wav.as_mut().ok_or(DeviceError::Finished)?;
        self.room = self
            .room
            .checked_sub(frame.len())
            .ok_or_else(|| DeviceError::Full { path: self.path.clone() })?;
        frame
            .iter()
            .try_for_each(|sample| wav.write_sample(*sample))
            .map_err(|error| DeviceError::wav(&self.path, error))
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        match self.wav.take() {
            None => Ok(()),
            Some(wav) => wav.finalize().map_err(|error| DeviceError::wav(&self.path, error)),
        }
    }
}

impl Drop for WavSink {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            tracing::debug!(%error, "a dropped recording could not be completed");
        }
    }
}

impl fmt::Debug for WavSink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WavSink")
            .field("path", &self.path)
            .field("sample_rate", &self.sample_rate)
            .field("finished", &self.wav.is_none())
            .finish_non_exhaustive()
    }
}

/// The length of a RIFF file is 32 bits wide and counts the header as well; a sample is two bytes.
const MOST_SAMPLES: usize = (u32::MAX as usize - 44) / 2;

#[cfg(test)]
mod tests;
