//! Finds format and samples in a RIFF file, and hands both to hound.
//!
//! A file may hold other chunks before its samples, and a chunk of odd length is followed by a
//! padding byte, which hound takes for the next chunk. The walk over the chunks also knows how
//! much of the samples is there, before the first is played.

use std::fs::{self, File};
use std::io::{self, BufReader, Chain, Cursor, ErrorKind, Read, Seek};
use std::path::Path;

use hound::WavReader;

use crate::DeviceError;

/// A minimal header out of the file's own chunks, then its samples.
pub(crate) type Samples = Chain<Cursor<Vec<u8>>, BufReader<File>>;

/// Opens a WAV file whose samples are all there, and at least one.
pub(crate) fn open(path: &Path) -> Result<WavReader<Samples>, DeviceError> {
    let (file, length) = open_file(path)?;
    let mut file = BufReader::new(file);
    let header = read_header(&mut file, length, path)?;
    let wav = WavReader::new(Cursor::new(header).chain(file))
        .map_err(|error| DeviceError::wav(path, error))?;
    if wav.duration() == 0 {
        return Err(DeviceError::Empty { path: path.into() });
    }
    Ok(wav)
}

/// Only a regular file has a length, and opening a named pipe would wait for its writer.
fn open_file(path: &Path) -> Result<(File, u64), DeviceError> {
    let failed = |error| DeviceError::file(path, error);
    let metadata = fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        let error = io::Error::new(ErrorKind::InvalidInput, "not a regular file");
        return Err(failed(error));
    }
    let file = File::open(path).map_err(failed)?;
    Ok((file, metadata.len()))
}

/// Reads up to the first sample.
fn read_header(
    file: &mut BufReader<File>,
    length: u64,
    path: &Path,
) -> Result<Vec<u8>, DeviceError> {
    if length == 0 {
        return Err(DeviceError::malformed(path, "the file is empty"));
    }
    let mut header = vec![0; 12];
    read(file, &mut header, path, "it ends within the RIFF header")?;
    if header.get(..4) != Some(b"RIFF") || header.get(8..) != Some(b"WAVE") {
        return Err(DeviceError::malformed(path, "it does not begin with RIFF and WAVE"));
    }
    let mut format_seen = false;
    for _ in 0..MOST_CHUNKS {
        let mut chunk = [0; 8];
        read(file, &mut chunk, path, "it ends before its data chunk")?;
        let [a, b, c, d, size @ ..] = chunk;
        let size = u32::from_le_bytes(size);
        match &[a, b, c, d] {
            b"fmt " if !format_seen => {
                format_seen = true;
                header.extend(chunk);
                read_format(file, size, &mut header, path)?;
            }
            b"data" if format_seen => {
                header.extend(chunk);
                check_length(file, length, size, path)?;
                return Ok(header);
            }
            b"data" => return Err(DeviceError::malformed(path, "no fmt chunk before its data")),
            _ => skip(file, u64::from(size) + u64::from(size % 2), path)?,
        }
    }
    Err(DeviceError::malformed(path, "too many chunks before its data"))
}

fn read_format(
    file: &mut BufReader<File>,
    size: u32,
    header: &mut Vec<u8>,
    path: &Path,
) -> Result<(), DeviceError> {
    if !FORMAT_SIZES.contains(&size) {
        return Err(DeviceError::malformed(path, format!("a fmt chunk of {size} bytes")));
    }
    let mut format = vec![0; size as usize];
    read(file, &mut format, path, "it ends within its fmt chunk")?;
    header.extend(format);
    Ok(())
}

fn check_length(
    file: &mut BufReader<File>,
    length: u64,
    size: u32,
    path: &Path,
) -> Result<(), DeviceError> {
    let position = file.stream_position().map_err(|error| DeviceError::file(path, error))?;
    let (announced, present) = (u64::from(size), length.saturating_sub(position));
    if present < announced {
        return Err(DeviceError::Truncated { path: path.into(), announced, present });
    }
    Ok(())
}

fn skip(file: &mut BufReader<File>, bytes: u64, path: &Path) -> Result<(), DeviceError> {
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    file.seek_relative(bytes).map_err(|error| DeviceError::file(path, error))
}

fn read(
    file: &mut BufReader<File>,
    bytes: &mut [u8],
    path: &Path,
    at_end: &str,
) -> Result<(), DeviceError> {
    file.read_exact(bytes).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => DeviceError::malformed(path, at_end),
        _ => DeviceError::file(path, error),
    })
}

/// WAVEFORMAT, WAVEFORMATEX and WAVEFORMATEXTENSIBLE.
const FORMAT_SIZES: [u32; 3] = [16, 18, 40];
/// No honest file comes near it; a file of empty chunks shall not keep a call waiting.
const MOST_CHUNKS: usize = 1000;
