//! Ears: which tone is in a recording, and for how long.

use std::{f64::consts::TAU, path::Path};

use hound::{SampleFormat, WavReader, WavSpec, WavWriter};

use crate::Failure;

/// The samples of a mono WAV file of 16 bits.
#[derive(Debug)]
pub struct Recording {
    rate: u32,
    samples: Vec<f64>,
}

impl Recording {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// If it is not there, or no such file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let named = |error: hound::Error| Failure::new(format!("{}: {error}", path.display()));
        let reader = WavReader::open(path).map_err(named)?;
        let spec = reader.spec();
        if spec.channels != 1 || spec.bits_per_sample != 16 {
            return Err(Failure::new(format!("{} is not mono of 16 bits", path.display())));
        }
        let samples = reader.into_samples::<i16>().map(|sample| sample.map(f64::from));
        let samples = samples.collect::<Result<_, _>>().map_err(named)?;
        Ok(Self { rate: spec.sample_rate, samples })
    }

    /// How long it is, in seconds.
    pub fn seconds(&self) -> f64 {
        self.samples.len() as f64 / f64::from(self.rate)
    }

    /// For how many seconds there is sound louder than -50 dB below full scale.
    pub fn sounding(&self) -> f64 {
        self.seconds_of(|segment| power(segment) > QUIET)
    }

    /// For how many seconds it sounds and nearly all of the sound is a tone of this frequency.
    pub fn tone(&self, frequency: f64) -> f64 {
        self.seconds_of(|segment| {
            let power = power(segment);
            power > QUIET && tone_power(segment, frequency, self.rate) > 0.9 * power
        })
    }

    /// Counts seconds in segments of a tenth.
    fn seconds_of(&self, like: impl Fn(&[f64]) -> bool) -> f64 {
        let length = (self.rate / 10) as usize;
        let segments = self.samples.chunks_exact(length.max(1));
        segments.filter(|segment| like(segment)).count() as f64 / 10.0
    }
}

/// Writes a file with a tone at a quarter of full scale.
///
/// # Errors
///
/// If it cannot be written.
pub fn write_tone(path: &Path, rate: u32, frequency: f64, seconds: u32) -> Result<(), Failure> {
    let (channels, bits_per_sample) = (1, 16);
    let spec =
        WavSpec { channels, sample_rate: rate, bits_per_sample, sample_format: SampleFormat::Int };
    let mut writer = WavWriter::create(path, spec)?;
    for n in 0..rate * seconds {
        let phase = TAU * frequency * f64::from(n) / f64::from(rate);
        writer.write_sample((phase.sin() * f64::from(i16::MAX) / 4.0) as i16)?;
    }
    Ok(writer.finalize()?)
}

fn power(segment: &[f64]) -> f64 {
    segment.iter().map(|sample| sample * sample).sum::<f64>() / segment.len() as f64
}

/// The power of the part of the segment that is a sine of this frequency, by correlation.
fn tone_power(segment: &[f64], frequency: f64, rate: u32) -> f64 {
    let (mut cosine, mut sine) = (0.0, 0.0);
    for (n, sample) in segment.iter().enumerate() {
        let phase = TAU * frequency * n as f64 / f64::from(rate);
        cosine += sample * phase.cos();
        sine += sample * phase.sin();
    }
    2.0 * (cosine * cosine + sine * sine) / (segment.len() as f64).powi(2)
}

/// The mean square of sound 50 dB below full scale.
const QUIET: f64 = 32_768.0 * 32_768.0 * 1e-5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_told_from_another_and_from_silence() {
        let path = std::env::temp_dir().join(format!("offhook-tone-{}.wav", std::process::id()));
        write_tone(&path, 8_000, 440.0, 2).unwrap();
        let recording = Recording::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!(recording.seconds(), 2.0);
        assert_eq!(recording.sounding(), 2.0);
        assert_eq!(recording.tone(440.0), 2.0);
        assert_eq!(recording.tone(1_000.0), 0.0);
        assert_eq!(recording.tone(460.0), 0.0);

        let silence = Recording { rate: 8_000, samples: vec![0.0; 16_000] };
        assert_eq!((silence.sounding(), silence.tone(440.0)), (0.0, 0.0));
    }
}
