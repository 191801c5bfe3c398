//! A steady sine, for tests and for tones that people know.

use std::f64::consts::TAU;
use std::time::Duration;

use crate::{DeviceError, Source};

/// A sine of one frequency. Its phase runs on through every frame and every change.
#[derive(Clone, Debug)]
pub struct ToneSource {
    sample_rate: u32,
    frequency: f64,
    amplitude: f64,
    /// Turns of the sine that are begun and not complete: 0 to 1.
    phase: f64,
    left: Option<u64>,
}

impl ToneSource {
    /// An endless tone of `frequency` hertz.
    ///
    /// `level` is in dBFS: 0 is a sine whose peaks reach full scale, and what is above counts as
    /// 0. A frequency outside 0 to half the sample rate counts as the nearest of the two.
    pub fn new(sample_rate: u32, frequency: f64, level: f64) -> Self {
        let mut tone = Self { sample_rate, frequency: 0.0, amplitude: 0.0, phase: 0.0, left: None };
        tone.set_frequency(frequency);
        tone.set_level(level);
        tone
    }

    /// The same tone, ending after `duration`.
    #[must_use]
    pub fn lasting(self, duration: Duration) -> Self {
        let samples = duration.as_secs_f64() * f64::from(self.sample_rate);
        Self { left: Some(samples.round() as u64), ..self }
    }

    /// Changes the frequency without a jump in the sine. See [`new`](Self::new).
    pub fn set_frequency(&mut self, frequency: f64) {
        let highest = f64::from(self.sample_rate) / 2.0;
        self.frequency = if frequency.is_nan() { 0.0 } else { frequency.clamp(0.0, highest) };
    }

    /// Changes the level. See [`new`](Self::new).
    pub fn set_level(&mut self, level: f64) {
        let level = if level.is_nan() { f64::NEG_INFINITY } else { level.min(0.0) };
        self.amplitude = f64::from(i16::MAX) * 10_f64.powf(level / 20.0);
    }

    fn next_sample(&mut self) -> i16 {
        let sample = self.amplitude * (TAU * self.phase).sin();
        let turn = self.frequency / f64::from(self.sample_rate.max(1));
        self.phase = (self.phase + turn).fract();
        sample.round() as i16
    }
}

impl Source for ToneSource {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn read(&mut self, frame: &mut [i16]) -> Result<usize, DeviceError> {
        let left = self.left.unwrap_or(u64::MAX);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(frame.len());
        frame.iter_mut().take(count).for_each(|sample| *sample = self.next_sample());
        self.left = self.left.map(|left| left - count as u64);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequency_and_level_are_what_was_asked_for() {
        let mut second = [0; 8000];
        ToneSource::new(8000, 440.0, -6.0206).read(&mut second).unwrap();
        let rising = second.windows(2).filter(|pair| pair[0] < 0 && pair[1] >= 0).count();
        assert!((439..=440).contains(&rising), "{rising}");
        let peak = second.iter().max().copied().unwrap();
        assert!((16_370..=16_384).contains(&peak), "{peak}");
    }

    #[test]
    fn the_phase_runs_on_over_frames_and_changes() {
        let mut whole = [0; 1000];
        ToneSource::new(8000, 333.0, 0.0).read(&mut whole).unwrap();
        let mut parts = [0; 1000];
        let mut tone = ToneSource::new(8000, 333.0, 0.0);
        parts.chunks_mut(7).for_each(|frame| assert_eq!(tone.read(frame).unwrap(), frame.len()));
        assert_eq!(parts, whole);

        tone.set_frequency(300.0);
        let mut next = [0; 2];
        tone.read(&mut next).unwrap();
        let steepest = f64::from(i16::MAX) * TAU * 333.0 / 8000.0;
        assert!((f64::from(next[0]) - f64::from(parts[999])).abs() <= steepest + 1.0);
    }

    #[test]
    fn a_tone_lasts_as_long_as_it_was_told() {
        let mut tone = ToneSource::new(8000, 440.0, -20.0).lasting(Duration::from_millis(30));
        let mut frame = [0; 160];
        let reads = [(); 3].map(|()| tone.read(&mut frame).unwrap());
        assert_eq!(reads, [160, 80, 0]);
    }

    #[test]
    fn strange_numbers_make_no_noise() {
        let mut frame = [1; 160];
        for (rate, frequency, level) in
            [(8000, 440.0, f64::NAN), (8000, f64::NAN, 0.0), (0, 440.0, 0.0), (8000, -5.0, 9.0)]
        {
            ToneSource::new(rate, frequency, level).read(&mut frame).unwrap();
            assert_eq!(frame, [0; 160], "{rate} {frequency} {level}");
        }
        ToneSource::new(8000, 1000.0, 40.0).read(&mut frame).unwrap();
        assert_eq!(frame.iter().max(), Some(&i16::MAX));
    }
}
