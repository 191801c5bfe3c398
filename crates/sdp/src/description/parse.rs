//! Text to description: one pass over the lines (RFC 8866 §5, §9).
//!
//! What the grammar asks for and senders get wrong without doing harm is accepted: a bare LF, a
//! missing `s=` or `t=`, spaces at the end, another order of lines, unknown letters, blank lines.
#![deny(clippy::arithmetic_side_effects)]

use bytes::Bytes;

use super::{
    line::{Field, Line},
    media::MediaDescription,
    origin::Origin,
    session::SessionDescription,
    words::Fault,
};
use crate::error::ParseError;

impl SessionDescription {
    /// Reads a description of at most 64 KiB, 1000 lines and 64 streams.
    ///
    /// # Errors
    /// The text is too long, it is not made of lines `x=…`, it does not begin with `v=0`, it has
    /// no `o=` line or two, or the value of an `o=`, `c=` or `m=` line cannot be read.
    pub fn parse(text: &[u8]) -> Result<Self, ParseError> {
        if text.len() > MAXIMUM_BYTES {
            return Err(fault("at most 65536 bytes", "RFC 8866 §7").on_line(1));
        }
        let mut sections = Sections::default();
        let mut rest = Bytes::copy_from_slice(text);
        let mut number: usize = 0;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', &rest).map_or(rest.len(), |at| at.saturating_add(1));
            let line = rest.split_to(end);
            number = number.saturating_add(1);
            sections.read(line, number).map_err(|fault| fault.on_line(number))?;
        }
        sections.finish().map_err(|fault| fault.on_line(number.saturating_add(1)))
    }
}

/// What has been read so far.
#[derive(Debug, Default)]
struct Sections {
    has_version: bool,
    origin: Option<Origin>,
    lines: Vec<Line>,
    media: Vec<MediaDescription>,
}

impl Sections {
    fn read(&mut self, line: Bytes, number: usize) -> Result<(), Fault> {
        if number > MAXIMUM_LINES {
            return Err(fault("at most 1000 lines", "RFC 8866 §7"));
        }
        let line = Line::read(line)?;
        match line.field() {
            Field::Other { letter: b'v', value } => self.check_version(value)?,
            Field::Blank => {}
            _ if !self.has_version => return Err(fault("v=0", "RFC 8866 §5.1")),
            Field::Origin(origin) => self.keep_origin(origin.clone())?,
            Field::Media(media) => {
                let media = MediaDescription::begin(media.clone(), line);
                return self.begin_media(media);
            }
            Field::Connection(_) | Field::Attribute(_) | Field::Other { .. } => {}
        }
        match self.media.last_mut() {
            Some(media) => media.push(line),
            None => self.lines.push(line),
        }
        Ok(())
    }

    /// A second `v=` begins a second description, and an offer has exactly one (RFC 3264 §5).
    fn check_version(&mut self, value: &[u8]) -> Result<(), Fault> {
        if self.has_version {
            return Err(fault("one session description only", "RFC 3264 §5"));
        }
        if value.trim_ascii() != b"0" {
            return Err(fault("version 0", "RFC 8866 §5.1").shifted(2));
        }
        self.has_version = true;
        Ok(())
    }

    fn keep_origin(&mut self, origin: Origin) -> Result<(), Fault> {
        match self.origin.replace(origin) {
            Some(_) => Err(fault("one o= line only", "RFC 8866 §5")),
            None if !self.media.is_empty() => Err(fault("o= before m=", "RFC 8866 §5")),
            None => Ok(()),
        }
    }

    fn begin_media(&mut self, media: MediaDescription) -> Result<(), Fault> {
        if self.media.len() >= MAXIMUM_MEDIA {
            return Err(fault("at most 64 media descriptions", "RFC 8866 §7"));
        }
        self.media.push(media);
        Ok(())
    }

    fn finish(self) -> Result<SessionDescription, Fault> {
        if !self.has_version {
            return Err(fault("v=0", "RFC 8866 §5.1"));
        }
        let origin = self.origin.ok_or(fault("an o= line", "RFC 8866 §5.2"))?;
        Ok(SessionDescription::from_parts(origin, self.lines, self.media))
    }
}

/// A fault at the beginning of a line.
const fn fault(expected: &'static str, rfc: &'static str) -> Fault {
    Fault { at: 0, expected, rfc }
}

/// What fits into a UDP datagram, and what any honest description stays far below.
const MAXIMUM_BYTES: usize = 65_536;
const MAXIMUM_LINES: usize = 1000;
const MAXIMUM_MEDIA: usize = 64;
