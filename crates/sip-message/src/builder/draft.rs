//! The rows of a message in the making, and the one time they are written.

use std::fmt;

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::{BuildError, read_back::row_fault};
use crate::{
    ContentType, Header, HeaderName, Headers, Limits, Message, ParseError, ParseOptions, Profile,
    To,
    headers::unfold,
    message::content_length,
    parse::{Line, Scan, is_token},
};

/// The rows and the body of a message in the making.
#[derive(Clone, Default)]
pub(super) struct Draft {
    pub(super) rows: Vec<Row>,
    pub(super) body: Bytes,
}

#[derive(Clone)]
pub(super) struct Row {
    pub(super) name: HeaderName,
    text: Text,
    /// Why the row cannot stand in a message.
    fault: Option<BuildError>,
}

#[derive(Clone)]
enum Text {
    /// Name, colon and value as they came, folds included.
    Kept(Bytes),
    /// A value that is to be written behind the name.
    Written(String),
}

impl Row {
    pub(super) fn kept(headers: &Headers, line: &Line) -> Self {
        let range = line.name.start()..line.value.end as usize;
        let text = Text::Kept(headers.bytes.slice(range));
        Self { name: headers.name(line), text, fault: None }
    }

    pub(super) fn raw(name: HeaderName, value: &str) -> Self {
        Self { name, text: Text::Written(value.to_owned()), fault: None }
    }

    pub(super) fn content_type(value: &str) -> Self {
        let name = HeaderName::CONTENT_TYPE;
        let error = ContentType::parse(&value.into()).err();
        let fault = error.map(|error| BuildError::Header(error.within(name.clone())));
        Self { fault, ..Self::raw(name, value) }
    }

    pub(super) fn written<H: Header>(header: &H) -> Self {
        Self::list([header])
    }

    pub(super) fn list<'a, H: Header + 'a>(values: impl IntoIterator<Item = &'a H>) -> Self {
        let values: Vec<&H> = values.into_iter().collect();
        let mut text = String::new();
        for value in &values {
            if !text.is_empty() {
                text.push_str(", ");
            }
            value.write(&mut text);
        }
        let fault = row_fault(&text, &values);
        Self { name: H::NAME, text: Text::Written(text), fault }
    }

    /// The value as text, if it is text.
    fn value(&self) -> Option<ByteString> {
        match &self.text {
            Text::Written(value) => Some(value.as_str().into()),
            Text::Kept(bytes) => {
                let value = bytes.splitn(2, |&byte| byte == b':').nth(1)?;
                Some(unfold(str::from_utf8(value).ok()?.trim_ascii(), |_| {}).into())
            }
        }
    }

    fn append_tag(&mut self, tag: &str) {
        if !is_token(tag) {
            let error = ParseError::new(0, "a token as the tag", "RFC 3261 §19.3");
            self.fault = Some(BuildError::Header(error.within(self.name.clone())));
            return;
        }
        let end = format!(";tag={tag}");
        match &mut self.text {
            // What the peer sent stays as it is, even if we would not write it.
            Text::Kept(bytes) => *bytes = [bytes.as_ref(), end.as_bytes()].concat().into(),
            Text::Written(value) => value.push_str(&end),
        }
    }

    /// Removes the first element of a list; tells whether another follows it.
    fn remove_first<H: Header>(&mut self) -> bool {
        match &mut self.text {
            Text::Kept(bytes) => {
                let colon = memchr::memchr(b':', bytes).map_or(0, |at| at.saturating_add(1));
                let (name, value) = bytes.split_at(colon);
                let rest =
                    value.get(H::element_length(value, Profile::Tolerant)..).unwrap_or_default();
                let Some(rest) = rest.strip_prefix(b",") else { return false };
                *bytes = [name, b" ", rest.trim_ascii_start()].concat().into();
            }
            Text::Written(value) => {
                let rest = value
                    .get(H::element_length(value.as_bytes(), Profile::Tolerant)..)
                    .unwrap_or_default();
                let Some(rest) = rest.strip_prefix(',') else { return false };
                *value = rest.trim_ascii().to_owned();
            }
        }
        true
    }

    fn check(&self) -> Result<(), BuildError> {
        match (&self.text, &self.fault) {
            (Text::Written(value), _) if value.contains(BREAKS) => {
                Err(BuildError::LineBreak(self.name.clone()))
            }
            (_, Some(fault)) => Err(fault.clone()),
            (Text::Written(_) | Text::Kept(_), None) => Ok(()),
        }
    }

    fn write(&self, out: &mut BytesMut) {
        match &self.text {
            Text::Kept(bytes) => {
                // Folds end in CRLF, whatever the peer has sent.
                for (at, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
                    out.extend_from_slice(if at == 0 { b"" } else { b"\r\n" });
                    out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
                }
            }
            Text::Written(value) => {
                out.extend_from_slice(self.name.as_str().as_bytes());
                out.extend_from_slice(b": ");
                out.extend_from_slice(value.as_bytes());
            }
        }
        out.extend_from_slice(b"\r\n");
    }
}

impl Draft {
    pub(super) fn of(headers: &Headers, body: Bytes) -> Self {
        let rows = headers.lines.iter().map(|line| Row::kept(headers, line)).collect();
        Self { rows, body }
    }

    pub(super) fn holds(&self, name: &HeaderName) -> bool {
        self.rows.iter().any(|row| row.name == *name)
    }

    pub(super) fn replace(&mut self, new: Row) {
        let place = self.rows.iter().position(|row| row.name == new.name);
        self.rows.retain(|row| row.name != new.name);
        let place = place.unwrap_or(self.rows.len()).min(self.rows.len());
        self.rows.insert(place, new);
    }

    pub(super) fn replace_first<H: Header>(&mut self, header: &H) {
        let place = self.rows.iter().position(|row| row.name == H::NAME);
        self.remove_first::<H>();
        self.rows.insert(place.unwrap_or(self.rows.len()), Row::written(header));
    }

    pub(super) fn remove_first<H: Header>(&mut self) {
        let Some(place) = self.rows.iter().position(|row| row.name == H::NAME) else { return };
        let more_follow =
            H::IS_LIST && self.rows.get_mut(place).is_some_and(Row::remove_first::<H>);
        if !more_follow {
            self.rows.remove(place);
        }
    }

    pub(super) fn add_to_tag(&mut self, tag: &str) {
        let Some(row) = self.rows.iter_mut().find(|row| row.name == HeaderName::TO) else { return };
        let Some(value) = row.value() else { return };
        // A `To` that cannot be read goes back as it came.
        if To::parse(&value.into()).is_ok_and(|to| to.tag().is_none()) {
            row.append_tag(tag);
        }
    }

    pub(super) fn write(mut self, start_line: &[u8]) -> Result<Message, BuildError> {
        self.rows.iter().try_for_each(Row::check)?;
        if self.content_length() != Some(self.body.len()) {
            self.rows.retain(|row| row.name != HeaderName::CONTENT_LENGTH);
            self.rows.push(Row::raw(HeaderName::CONTENT_LENGTH, &self.body.len().to_string()));
        }
        let mut out = BytesMut::with_capacity(self.size(start_line));
        out.extend_from_slice(start_line);
        for row in &self.rows {
            row.write(&mut out);
        }
        out.extend_from_slice(b"\r\n");
        out.extend_from_slice(&self.body);
        let bytes = out.freeze();
        let scan = Scan::new(&bytes, 0, &UNBOUNDED)?;
        let message = Message::index(bytes, scan, &UNBOUNDED)?;
        content_length(message.headers())?;
        Ok(message)
    }

    /// The length that the one `Content-Length` row tells, if there is exactly one.
    fn content_length(&self) -> Option<usize> {
        let mut rows = self.rows.iter().filter(|row| row.name == HeaderName::CONTENT_LENGTH);
        let (first, second) = (rows.next()?, rows.next());
        if second.is_some() { None } else { first.value()?.parse().ok() }
    }

    fn size(&self, start_line: &[u8]) -> usize {
        let row = |row: &Row| match &row.text {
            Text::Kept(bytes) => bytes.len().saturating_add(2),
            Text::Written(value) => {
                row.name.as_str().len().saturating_add(value.len()).saturating_add(4)
            }
        };
        let rows: usize = self.rows.iter().map(row).sum();
        start_line.len().saturating_add(rows).saturating_add(2).saturating_add(self.body.len())
    }
}

impl fmt::Debug for Draft {
    /// Names only: values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.rows.iter().map(|row| &row.name)).finish()
    }
}

/// What would end a line, or a text for readers in C.
const BREAKS: [char; 3] = ['\r', '\n', '\0'];

/// What is built is ours: nothing bounds it but what the index can hold.
const UNBOUNDED: ParseOptions = ParseOptions {
    profile: Profile::Tolerant,
    limits: Limits {
        message: usize::MAX,
        start_line: usize::MAX,
        header: usize::MAX,
        headers: usize::MAX,
        body: usize::MAX,
    },
};
