//! What every device offers: mono samples of 16 bits at a fixed rate, in frames of any length.

use crate::DeviceError;

/// Gives mono samples.
pub trait Source: Send {
    /// The rate of the samples, in hertz.
    fn sample_rate(&self) -> u32;

    /// Fills `frame` from the front and returns the samples written.
    ///
    /// A short read happens only at the end; `Ok(0)` for a `frame` with room is the end.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] when the device fails; from then on it is at its end.
    fn read(&mut self, frame: &mut [i16]) -> Result<usize, DeviceError>;
}

/// Takes mono samples.
pub trait Sink: Send {
    /// The rate of the samples, in hertz.
    fn sample_rate(&self) -> u32;

    /// Takes all of `frame`.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] when the device fails or is finished.
    fn write(&mut self, frame: &[i16]) -> Result<(), DeviceError>;

    /// Nothing more will come: all that was written is brought to where it belongs.
    ///
    /// To finish twice is harmless.
    ///
    /// # Errors
    ///
    /// [`DeviceError`] when the device fails at it.
    fn finish(&mut self) -> Result<(), DeviceError>;
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn sample_rate(&self) -> u32 {
        (**self).sample_rate()
    }

    fn read(&mut self, frame: &mut [i16]) -> Result<usize, DeviceError> {
        (**self).read(frame)
    }
}

impl<S: Sink + ?Sized> Sink for Box<S> {
    fn sample_rate(&self) -> u32 {
        (**self).sample_rate()
    }

    fn write(&mut self, frame: &[i16]) -> Result<(), DeviceError> {
        (**self).write(frame)
    }

    fn finish(&mut self) -> Result<(), DeviceError> {
        (**self).finish()
    }
}
