//! One line: its bytes as they came, and its typed value (RFC 8866 §5).
#![deny(clippy::arithmetic_side_effects)]

use bytes::Bytes;
use bytestring::ByteString;

use super::{
    attribute::Attribute, connection::Connection, media::MediaLine, origin::Origin, words::Fault,
};
use crate::error::Unwritable;

/// A line of a description. Bytes and value always say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The line with its end, as it came or as it is written.
    bytes: Bytes,
    field: Field,
}

impl Line {
    /// The line for a value.
    ///
    /// # Errors
    /// The value would not be read back as it is, for example because of a line break in it.
    pub fn new(field: Field) -> Result<Self, Unwritable> {
        let mut bytes = Vec::new();
        field.write(&mut bytes);
        let unwritable = Unwritable { line: String::from_utf8_lossy(&bytes).into_owned() };
        let read = match read_field(&Bytes::copy_from_slice(&bytes)) {
            Ok(read) => read,
            Err(_) => return Err(unwritable),
        };
        if read != field {
            return Err(unwritable);
        }
        bytes.extend_from_slice(b"\r\n");
        Ok(Self { bytes: bytes.into(), field })
    }

    /// The bytes of the line, with its end.
    pub const fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The value of the line.
    pub const fn field(&self) -> &Field {
        &self.field
    }

    /// Reads a line with its end. Faults count from the beginning of the line.
    pub(super) fn read(bytes: Bytes) -> Result<Self, Fault> {
        let text = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let field = read_field(&bytes.slice_ref(text))?;
        Ok(Self { bytes, field })
    }
}

/// The value of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `o=`
    Origin(Origin),
    /// `c=`
    Connection(Connection),
    /// `m=`
    Media(MediaLine),
    /// `a=`
    Attribute(Attribute),
    /// Any other type letter, known or not, with the text behind the `=`.
    Other {
        /// The type letter.
        letter: u8,
        /// The value.
        value: Bytes,
    },
    /// An empty line. The grammar has none; some senders end with one.
    Blank,
}

impl Field {
    /// Writes the line without its end: the mirror of `read_field`.
    fn write(&self, out: &mut Vec<u8>) {
        let (letter, text) = match self {
            Self::Origin(origin) => (b'o', origin.to_string()),
            Self::Connection(connection) => (b'c', connection.to_string()),
            Self::Media(media) => (b'm', media.to_string()),
            Self::Attribute(attribute) => {
                out.extend_from_slice(b"a=");
                return attribute.write(out);
            }
            Self::Other { letter, value } => {
                out.extend_from_slice(&[*letter, b'=']);
                return out.extend_from_slice(value);
            }
            Self::Blank => return,
        };
        out.extend_from_slice(&[letter, b'=']);
        out.extend_from_slice(text.as_bytes());
    }
}

fn read_field(line: &Bytes) -> Result<Field, Fault> {
    const FORBIDDEN: &str = "text without NUL, CR and LF";
    if let Some(at) = memchr::memchr3(0, b'\r', b'\n', line) {
        return Err(Fault { at, expected: FORBIDDEN, rfc: "RFC 8866 §9" });
    }
    if line.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
        return Ok(Field::Blank);
    }
    match line.first_chunk() {
        Some([letter, b'=']) if letter.is_ascii_alphabetic() => {
            let value = line.slice(2..);
            read_value(*letter, value).map_err(|fault| fault.shifted(2))
        }
        _ => Err(Fault { at: 0, expected: "a letter and =", rfc: "RFC 8866 §5" }),
    }
}

fn read_value(letter: u8, value: Bytes) -> Result<Field, Fault> {
    Ok(match letter {
        b'o' => Field::Origin(Origin::read(&lossy(&value))?),
        b'c' => Field::Connection(Connection::read(&text(value)?)?),
        b'm' => Field::Media(MediaLine::read(&text(value)?)?),
        b'a' => Field::Attribute(Attribute::read(&value)),
        _ => Field::Other { letter, value },
    })
}

fn text(value: Bytes) -> Result<ByteString, Fault> {
    ByteString::try_from(value).map_err(|error| Fault {
        at: error.valid_up_to(),
        expected: "UTF-8 text",
        rfc: "RFC 8866 §5",
    })
}

/// A user name may be in the character set of `a=charset`: it must not cost the session.
fn lossy(value: &Bytes) -> ByteString {
    let repaired = |_| ByteString::from(String::from_utf8_lossy(value).into_owned());
    ByteString::try_from(value.clone()).unwrap_or_else(repaired)
}
