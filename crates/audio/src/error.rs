//! Why a device could not be opened, or failed. Each error is one line that names the file.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// Why a device could not be opened, or failed.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// The system refused to open, read or write the file.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not a WAV file, or a broken one.
    #[error("{}: not a valid WAV file: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file holds fewer samples than its header says.
    #[error(
        "{}: truncated: the header announces {announced} bytes of samples, there are {present}",
        path.display()
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Bytes of samples that the header announces.
        announced: u64,
        /// Bytes of samples in the file.
        present: u64,
    },
    /// The file is a WAV file of a kind that is not read here.
    #[error("{}: unsupported WAV file: {reason}", path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is unusual about it.
        reason: String,
    },
    /// The file holds no samples.
    #[error("{}: there are no samples in this WAV file", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file has reached the 4 GiB that a WAV file can hold.
    #[error("{}: a WAV file cannot grow beyond 4 GiB", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// A sample rate that no device works at.
    #[error("a sample rate of {rate} Hz is not within 1000 to 384000 Hz")]
    SampleRate {
        /// The rate asked for, in hertz.
        rate: u32,
    },
    /// The samples could not be brought to the rate asked for.
    #[error("resampling failed: {reason}")]
    Resampling {
        /// What the resampler said.
        reason: String,
    },
    /// The device was finished before; nothing can be written to it.
    #[error("the device is finished, nothing more can be written to it")]
    Finished,
    /// The other end of the channel is gone.
    #[error("the other end of the audio channel is gone")]
    Closed,
}

impl DeviceError {
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.into(), source }
    }

    pub(crate) fn malformed(path: &Path, reason: impl Into<String>) -> Self {
        Self::Malformed { path: path.into(), reason: reason.into() }
    }

    pub(crate) fn unsupported(path: &Path, reason: impl Into<String>) -> Self {
        Self::Unsupported { path: path.into(), reason: reason.into() }
    }

    pub(crate) fn wav(path: &Path, error: hound::Error) -> Self {
        match error {
            hound::Error::IoError(source) => Self::file(path, source),
            hound::Error::FormatError(reason) => Self::malformed(path, reason),
            hound::Error::UnfinishedSample => Self::malformed(path, "its last sample is cut"),
            hound::Error::Unsupported
            | hound::Error::TooWide
            | hound::Error::InvalidSampleFormat => {
                Self::unsupported(path, "its coding is neither integer PCM nor 32-bit float")
            }
        }
    }
}

/// Refuses a rate that cannot be worked at.
pub(crate) fn checked_rate(rate: u32) -> Result<u32, DeviceError> {
    if RATES.contains(&rate) { Ok(rate) } else { Err(DeviceError::SampleRate { rate }) }
}

/// From below the telephone's 8 kHz to the fastest converters.
pub(crate) const RATES: RangeInclusive<u32> = 1000..=384_000;
