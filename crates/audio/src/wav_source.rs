//! A WAV file as a source: any common coding, mixed to mono, at the rate asked for.

use std::fmt;
use std::path::{Path, PathBuf};

use hound::{SampleFormat, WavReader};

use crate::error::checked_rate;
use crate::resampler::Resampler;
use crate::riff::{self, Samples};
use crate::{DeviceError, Source};

/// Plays a WAV file once, from its beginning to its end.
///
/// It reads integers of 8, 16, 24 and 32 bits and floats of 32 bits, at 1 to 384 kHz. Several
/// channels are averaged to one. A file that has the rate asked for is not resampled: 16-bit mono
/// samples come out as they stand in the file. The file is read as it is played.
pub struct WavSource {
    path: PathBuf,
    sample_rate: u32,
    wav: WavReader<Samples>,
    resampler: Option<Resampler>,
    /// Samples of the file on their way through, of 32 768 to the unit.
    block: Vec<f32>,
    /// Samples to be read, and how many of them were.
    ready: (Vec<i16>, usize),
    /// Samples that did not come out yet.
    left: u64,
}

impl WavSource {
    /// Opens a WAV file to be read at `sample_rate`.
    ///
    /// # Errors
    ///
    /// One line that names the file and the reason: it cannot be read, is no WAV file, is broken,
    /// cut short or empty, or has a coding that is not read here. Also for a sample rate outside
    /// 1 to 384 kHz.
    pub fn open(path: impl AsRef<Path>, sample_rate: u32) -> Result<Self, DeviceError> {
        let path = path.as_ref();
        checked_rate(sample_rate)?;
        let wav = riff::open(path)?;
        let file_rate = wav.spec().sample_rate;
        checked_rate(file_rate)
            .map_err(|error| DeviceError::unsupported(path, error.to_string()))?;
        let resampler = match file_rate == sample_rate {
            true => None,
            false => Some(Resampler::new(file_rate, sample_rate)?),
        };
        let frames = u64::from(wav.duration());
        let mut source = Self {
            path: path.into(),
            sample_rate,
            block: Vec::with_capacity(resampler.as_ref().map_or(BLOCK, Resampler::block)),
            wav,
            resampler,
            ready: (Vec::new(), 0),
            left: (frames * u64::from(sample_rate)).div_ceil(u64::from(file_rate)),
        };
        // A coding that hound does not decode shows only now.
        source.refill()?;
        Ok(source)
    }

    /// Reads all that is left.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or decoded on the way.
    pub fn read_to_end(&mut self) -> Result<Vec<i16>, DeviceError> {
        let (mut samples, mut frame) = (Vec::new(), [0; BLOCK]);
        loop {
            let count = self.read(&mut frame)?;
            samples.extend_from_slice(frame.get(..count).unwrap_or_default());
            if count == 0 {
                return Ok(samples);
            }
        }
    }

    /// Makes the next block ready. Nothing is ready behind the end.
    fn refill(&mut self) -> Result<(), DeviceError> {
        self.read_block()?;
        let samples = match &mut self.resampler {
            None => self.block.as_slice(),
            Some(resampler) => {
                self.block.resize(resampler.block(), 0.0);
                resampler.process(&self.block)?
            }
        };
        let count = usize::try_from(self.left).unwrap_or(usize::MAX).min(samples.len());
        self.left -= count as u64;
        let (ready, taken) = &mut self.ready;
        *taken = 0;
        ready.clear();
        // The cast saturates.
        ready.extend(samples.iter().take(count).map(|sample| sample.round() as i16));
        Ok(())
    }

    fn read_block(&mut self) -> Result<(), DeviceError> {
        self.block.clear();
        while self.block.len() < self.block.capacity() {
            match self.next_mono() {
                Ok(Some(sample)) => self.block.push(sample),
                Ok(None) => break,
                Err(error) => return Err(DeviceError::wav(&self.path, error)),
            }
        }
        Ok(())
    }

    /// The mean of the channels at the next instant.
    fn next_mono(&mut self) -> Result<Option<f32>, hound::Error> {
        let channels = self.wav.spec().channels;
        let mut sum = 0.0;
        for _ in 0..channels {
            match self.next_sample()? {
                Some(sample) => sum += sample,
                None => return Ok(None),
            }
        }
        Ok(Some(sum / f32::from(channels)))
    }

    fn next_sample(&mut self) -> Result<Option<f32>, hound::Error> {
        let spec = self.wav.spec();
        match spec.sample_format {
            SampleFormat::Int => {
                // Powers of two: what has up to 24 bits stays exact.
                let scale = f32::from(spec.bits_per_sample) - 16.0;
                let sample = self.wav.samples::<i32>().next().transpose()?;
                Ok(sample.map(|sample| sample as f32 / scale.exp2()))
            }
            SampleFormat::Float => {
                let sample = self.wav.samples::<f32>().next().transpose()?;
                // One sample that is not a number would silence its whole block.
                let sample = sample.map(|sample| if sample.is_nan() { 0.0 } else { sample });
                Ok(sample.map(|sample| sample.clamp(-1.0, 1.0) * 32_768.0))
            }
        }
    }
}

impl Source for WavSource {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn read(&mut self, frame: &mut [i16]) -> Result<usize, DeviceError> {
        let mut written = 0;
        while let Some(room) = frame.get_mut(written..).filter(|room| !room.is_empty()) {
            let (ready, taken) = &mut self.ready;
            let next = ready.get(*taken..).unwrap_or_default();
            if next.is_empty() {
                if self.left == 0 {
                    break;
                }
                if let Err(error) = self.refill() {
                    self.left = 0;
                    return Err(error);
                }
                continue;
            }
            let count = next.len().min(room.len());
            room.iter_mut().zip(next).for_each(|(room, sample)| *room = *sample);
            *taken += count;
            written += count;
        }
        Ok(written)
    }
}

impl fmt::Debug for WavSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("WavSource")
            .field("path", &self.path)
            .field("sample_rate", &self.sample_rate)
            .field("file", &self.wav.spec())
            .finish_non_exhaustive()
    }
}

/// Samples that are read ahead when nothing is resampled.
const BLOCK: usize = 1024;

#[cfg(test)]
mod tests;
