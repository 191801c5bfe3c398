//! The devices for a call that has no sound: nothing to say, and nobody to hear.

use crate::{DeviceError, Sink, Source};

/// A source of endless silence.
#[derive(Clone, Copy, Debug)]
pub struct Silence {
    sample_rate: u32,
}

impl Silence {
    /// Silence at this rate.
    pub const fn new(sample_rate: u32) -> Self {
        Self { sample_rate }
    }
}

impl Source for Silence {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn read(&mut self, frame: &mut [i16]) -> Result<usize, DeviceError> {
        frame.fill(0);
        Ok(frame.len())
    }
}

/// A sink that forgets what it is given, and counts it.
#[derive(Clone, Debug)]
pub struct NullSink {
    sample_rate: u32,
    samples: u64,
    finished: bool,
}

impl NullSink {
    /// A sink for samples of this rate.
    pub const fn new(sample_rate: u32) -> Self {
        Self { sample_rate, samples: 0, finished: false }
    }

    /// How many samples were written to it.
    pub const fn samples(&self) -> u64 {
        self.samples
    }
}

impl Sink for NullSink {
    fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    fn write(&mut self, frame: &[i16]) -> Result<(), DeviceError> {
        if self.finished {
            return Err(DeviceError::Finished);
        }
        self.samples += frame.len() as u64;
        Ok(())
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        self.finished = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_overwrites_the_frame_and_never_ends() {
        let mut frame = [7; 160];
        assert_eq!(Silence::new(8000).read(&mut frame).unwrap(), 160);
        assert_eq!(frame, [0; 160]);
    }

    #[test]
    fn the_null_sink_counts_until_it_is_finished() {
        let mut sink = NullSink::new(8000);
        sink.write(&[1; 160]).unwrap();
        sink.finish().unwrap();
        sink.finish().unwrap();
        assert!(matches!(sink.write(&[1]), Err(DeviceError::Finished)));
        assert_eq!(sink.samples(), 160);
    }
}
