//! A whole session description (RFC 8866 §5).

use bytes::Bytes;

use super::{
    attribute::Attribute,
    connection::Connection,
    direction::Direction,
    line::{Field, Line},
    media::{self, MediaDescription},
    origin::Origin,
};
use crate::error::Unwritable;

/// A session description: the lines of the session, and its streams in order.
///
/// [`SessionDescription::parse`] keeps every line with its bytes, and writing gives them back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionDescription {
    origin: Origin,
    /// All lines before the first `m=` line.
    lines: Vec<Line>,
    /// The streams, matched between offer and answer by their place (RFC 3264 §6).
    pub media: Vec<MediaDescription>,
}

impl SessionDescription {
    /// A description without streams, as RFC 3264 §5 wants it: no subject, no bounds in time.
    ///
    /// # Errors
    /// A value cannot be written as one line.
    pub fn new(origin: Origin, connection: Connection) -> Result<Self, Unwritable> {
        Self::with_times(origin, connection, vec![unbounded()])
    }

    /// A description with the time lines of an offer: its answer must repeat them (RFC 3264 §6).
    pub(crate) fn with_times(
        origin: Origin,
        connection: Connection,
        times: Vec<Field>,
    ) -> Result<Self, Unwritable> {
        let version = Field::Other { letter: b'v', value: Bytes::from_static(b"0") };
        let subject = Field::Other { letter: b's', value: Bytes::from_static(b"-") };
        let head = [version, Field::Origin(origin.clone()), subject, Field::Connection(connection)];
        let lines = head.into_iter().chain(times).map(Line::new).collect::<Result<_, _>>()?;
        Ok(Self { origin, lines, media: Vec::new() })
    }

    /// Adds an attribute of the session.
    ///
    /// # Errors
    /// The value cannot be written as one line.
    pub fn add(&mut self, attribute: Attribute) -> Result<(), Unwritable> {
        self.lines.push(Line::new(Field::Attribute(attribute))?);
        Ok(())
    }

    /// The originator and the version.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The lines of the session, those before the first `m=` line.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// The connection that holds for streams without their own: the first, if there are several.
    pub fn connection(&self) -> Option<&Connection> {
        self.lines.iter().find_map(|line| match line.field() {
            Field::Connection(connection) => Some(connection),
            _ => None,
        })
    }

    /// The attributes of the session in order.
    pub fn attributes(&self) -> impl Iterator<Item = &Attribute> {
        media::attributes(&self.lines)
    }

    /// The direction that holds for streams without their own.
    pub fn direction(&self) -> Option<Direction> {
        media::direction(&self.lines)
    }

    /// The lines `t=`, `r=` and `z=`: when the session takes place. At least one.
    pub(crate) fn times(&self) -> Vec<Field> {
        let is_time =
            |field: &&Field| matches!(field, Field::Other { letter: b't' | b'r' | b'z', .. });
        let mut times: Vec<_> =
            self.lines.iter().map(Line::field).filter(is_time).cloned().collect();
        if times.is_empty() {
            times.push(unbounded());
        }
        times
    }

    pub(super) const fn from_parts(
        origin: Origin,
        lines: Vec<Line>,
        media: Vec<MediaDescription>,
    ) -> Self {
        Self { origin, lines, media }
    }
}

/// A session that begins and ends by signalling, not by the clock (RFC 3264 §5).
pub(crate) fn unbounded() -> Field {
    Field::Other { letter: b't', value: Bytes::from_static(b"0 0") }
}
