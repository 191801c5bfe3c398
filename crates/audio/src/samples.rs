//! Samples that are in memory already.

use crate::{DeviceError, Source};

/// Plays samples once, from first to last.
#[derive(Clone, Debug)]
pub struct Samples {
    sample_rate: u32,
    samples: Vec<i16>,
    played: usize,
}

impl Samples {
    /// A source of mono samples at `sample_rate` hertz.
    pub fn new(sample_rate: u32, samples: impl Into<Vec<i16>>) -> Self {
        Self { sample_rate, samples: samples.into(), played: 0 }
    }
}

impl Source for Samples {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn read(&mut self, frame: &mut [i16]) -> Result<usize, DeviceError> {
        let left = self.samples.get(self.played..).unwrap_or_default();
        let count = left.len().min(frame.len());
        for (place, sample) in frame.iter_mut().zip(left) {
            *place = *sample;
        }
        self.played += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_played_once_and_the_last_read_is_short() {
        let mut source = Samples::new(8000, [1, 2, 3]);
        let mut frame = [0; 2];
        assert_eq!((source.read(&mut frame).unwrap(), frame), (2, [1, 2]));
        assert_eq!((source.read(&mut frame).unwrap(), frame), (1, [3, 2]));
        assert_eq!(source.read(&mut frame).unwrap(), 0);
    }
}
