//! The rows of a message in the making, and the one time they are written.

use bytes::{Bytes, BytesMut};
use bytestring::ByteString;

use super::BuildError;
use crate::{
    Header, HeaderName, Headers, Limits, Message, ParseOptions, Profile, To,
    headers::{element_length, unfold},
    message::content_length,
    parse::{Line, Scan},
};

/// The rows and the body of a message in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) rows: Vec<Row>,
    pub(super) body: Bytes,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) name: HeaderName,
    pub(super) text: Text,
}

#[derive(Clone, Debug)]
pub(super) enum Text {
    /// Name, colon and value as they came, folds included.
    Kept(Bytes),
    /// A value that is to be written behind the name.
    Written(String),
}

impl Row {
    pub(super) fn kept(headers: &Headers, line: &Line) -> Self {
        let range = line.name.start()..line.value.end as usize;
        Self { name: headers.name(line), text: Text::Kept(headers.bytes.slice(range)) }
    }

    pub(super) fn written<H: Header>(header: &H) -> Self {
        Self::list([header])
    }

    pub(super) fn list<'a, H: Header + 'a>(values: impl IntoIterator<Item = &'a H>) -> Self {
        let mut text = String::new();
        for value in values {
            if !text.is_empty() {
                text.push_str(", ");
            }
            value.write(&mut text);
        }
        Self { name: H::NAME, text: Text::Written(text) }
    }

    /// The value as text, if it is text.
    fn value(&self) -> Option<ByteString> {
        match &self.text {
            Text::Written(value) => Some(value.as_str().into()),
            Text::Kept(bytes) => {
                let value = bytes.splitn(2, |&byte| byte == b':').nth(1)?;
                Some(unfold(str::from_utf8(value).ok()?.trim_ascii()).into())
            }
        }
    }

    fn append(&mut self, end: &str) {
        match &mut self.text {
            // What the peer sent stays as it is, even if we would not write it.
            Text::Kept(bytes) if !end.contains(BREAKS) => {
                *bytes = [bytes.as_ref(), end.as_bytes()].concat().into();
            }
            Text::Kept(_) => {
                let value = self.value().unwrap_or_default();
                self.text = Text::Written(format!("{value}{end}"));
            }
            Text::Written(value) => value.push_str(end),
        }
    }

    fn check(&self) -> Result<(), BuildError> {
        match &self.text {
            Text::Written(value) if value.contains(BREAKS) => {
                Err(BuildError::LineBreak(self.name.clone()))
            }
            Text::Written(_) | Text::Kept(_) => Ok(()),
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
        let value = self.rows.get(place).and_then(Row::value).unwrap_or_default();
        let length = if H::IS_LIST { element_length(&value) } else { value.len() };
        match (
            value.get(length..).and_then(|rest| rest.strip_prefix(',')),
            self.rows.get_mut(place),
        ) {
            (Some(rest), Some(row)) => row.text = Text::Written(rest.trim_ascii().to_owned()),
            _ => drop(self.rows.remove(place)),
        }
    }

    pub(super) fn add_to_tag(&mut self, tag: &str) {
        let Some(row) = self.rows.iter_mut().find(|row| row.name == HeaderName::TO) else { return };
        let Some(value) = row.value() else { return };
        // A `To` that cannot be read goes back as it came.
        if To::parse(&value).is_ok_and(|to| to.tag().is_none()) {
            row.append(&format!(";tag={tag}"));
        }
    }

    pub(super) fn write(mut self, start_line: &[u8]) -> Result<Message, BuildError> {
        self.rows.iter().try_for_each(Row::check)?;
        if self.content_length() != Some(self.body.len()) {
            self.rows.retain(|row| row.name != HeaderName::CONTENT_LENGTH);
            let text = Text::Written(self.body.len().to_string());
            self.rows.push(Row { name: HeaderName::CONTENT_LENGTH, text });
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
