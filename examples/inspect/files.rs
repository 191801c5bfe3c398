//! Where the input comes from and where the result goes.

use std::{
    fs::File,
    io::{self, Read, Write},
    path::Path,
};

use bytes::Bytes;

/// Reads the file, or `input` if the file is named `-`.
pub(crate) fn read(file: &Path, input: &mut impl Read) -> Result<Bytes, String> {
    let mut bytes = Vec::new();
    let taken = match file.to_str() {
        Some("-") => input.take(MOST + 1).read_to_end(&mut bytes),
        _ => File::open(file).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)),
    };
    match taken {
        Ok(length) if length as u64 > MOST => Err(format!("{}: too large", file.display())),
        Ok(_) => Ok(bytes.into()),
        Err(error) => Err(format!("{}: {error}", file.display())),
    }
}

/// A reader that has seen enough closes the pipe: that is no failure.
pub(crate) fn print(out: &mut impl Write, text: &str) -> Result<(), String> {
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.to_string()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The largest input, in bytes: far above any message, and no burden.
const MOST: u64 = 16 << 20;
