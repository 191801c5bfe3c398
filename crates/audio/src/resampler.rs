//! Brings a stream of samples from one rate to another, block by block.

use std::fmt::Display;

use rubato::audioadapter_buffers::direct::SequentialSlice;
use rubato::{Fft, FixedSync, Resampler as _};

use crate::DeviceError;

/// Mono samples in at one rate, out at another, without the delay of the filter.
pub(crate) struct Resampler {
    fft: Fft<f32>,
    output: Vec<f32>,
    /// Samples at the front that are only the filter's delay.
    delay: usize,
}

impl Resampler {
    pub(crate) fn new(from: u32, to: u32) -> Result<Self, DeviceError> {
        let block = block(from as usize, to as usize);
        let fft = Fft::new(from as usize, to as usize, block, 1, FixedSync::Both)
            .map_err(resampling_failed)?;
        let (output, delay) = (vec![0.0; fft.output_frames_max()], fft.output_delay());
        Ok(Self { fft, output, delay })
    }

    /// How many samples [`process`](Self::process) takes at once.
    pub(crate) fn block(&self) -> usize {
        self.fft.input_frames_next()
    }

    /// Takes one block, the last one filled up with zeros, and gives what came out.
    pub(crate) fn process(&mut self, block: &[f32]) -> Result<&[f32], DeviceError> {
        let room = self.output.len();
        let input = SequentialSlice::new(block, 1, block.len()).map_err(resampling_failed)?;
        let mut output = SequentialSlice::new_mut(self.output.as_mut_slice(), 1, room)
            .map_err(resampling_failed)?;
        let (_, written) =
            self.fft.process_into_buffer(&input, &mut output, None).map_err(resampling_failed)?;
        let skipped = self.delay.min(written);
        self.delay -= skipped;
        Ok(self.output.get(skipped..written).unwrap_or_default())
    }
}

/// Samples of the input that are transformed at once.
///
/// The slower side needs a long block as well: it sets how steep the filter is. The block is even,
/// because the filter's delay is half of it and shall be a whole number of samples.
fn block(from: usize, to: usize) -> usize {
    let unit = from / greatest_common_divisor(from, to).max(1);
    let units = (SLOWER_BLOCK * from.div_ceil(to)).div_ceil(unit);
    if unit.is_multiple_of(2) { units * unit } else { units.next_multiple_of(2) * unit }
}

fn greatest_common_divisor(a: usize, b: usize) -> usize {
    if b == 0 { a } else { greatest_common_divisor(b, a % b) }
}

fn resampling_failed(error: impl Display) -> DeviceError {
    DeviceError::Resampling { reason: error.to_string() }
}

/// Samples in a block at the slower of the two rates: 64 ms at 8 kHz.
const SLOWER_BLOCK: usize = 512;
