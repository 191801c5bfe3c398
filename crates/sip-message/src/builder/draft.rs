//! A message in the making: its rows, the text that was written for them, and its body.

use std::{borrow::Cow, fmt};

use bytes::Bytes;
use smallvec::SmallVec;

use super::{
    BuildError,
    read_back::{content_type_fault, fit, row_fault},
    row::{Row, Source},
};
use crate::{
    Header, HeaderName, Headers, ParseError, Profile, To,
    headers::unfold,
    parse::{Line, Span, is_token},
};

/// The rows and the body of a message in the making. No row has memory of its own.
#[derive(Clone, Default)]
pub(super) struct Draft {
    /// The message that it started from; empty if there is none.
    pub(super) original: Bytes,
    /// What is written for this message: whole rows with their line ends, and the Request-URI.
    pub(super) text: String,
    pub(super) rows: SmallVec<[Row; ROWS]>,
    /// Why rows cannot stand in a message. A fault of a row that has gone means nothing.
    faults: Vec<Fault>,
    pub(super) body: Body,
    /// Whether rows of our own get the compact forms of their names.
    pub(super) has_compact_names: bool,
}

/// What is wrong with the row whose name starts at `place` of the text.
#[derive(Clone)]
struct Fault {
    place: u32,
    why: BuildError,
}

/// The body of a message in the making.
#[derive(Clone)]
pub(super) enum Body {
    /// The body of the message that the draft started from, from this byte on.
    Kept(usize),
    /// Another one.
    Given(Bytes),
}

/// What was taken out of the list in a row.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// Nothing: there is no value in it.
    Nothing,
    /// A value that others follow.
    More,
    /// The only value.
    Last,
}

impl Default for Body {
    fn default() -> Self {
        Self::Given(Bytes::new())
    }
}

impl Draft {
    /// The message with `headers` as it came, its body from byte `body` on.
    pub(super) fn of(headers: &Headers, body: usize) -> Box<Self> {
        let mut draft = Self::without_rows(headers);
        draft.rows.extend(headers.lines.iter().map(Row::kept));
        draft.body = Body::Kept(body);
        draft
    }

    /// A draft that may keep rows of the message with `headers`.
    pub(super) fn without_rows(headers: &Headers) -> Box<Self> {
        let mut draft = Box::<Self>::default();
        draft.original = headers.bytes.clone();
        draft
    }

    pub(super) fn append<H: Header>(&mut self, values: &[&H]) {
        let row = self.written(values);
        self.rows.push(row);
    }

    pub(super) fn append_list<'a, H: Header + 'a>(
        &mut self,
        values: impl IntoIterator<Item = &'a H>,
    ) {
        let values: SmallVec<[&H; 16]> = values.into_iter().collect();
        self.append(&values);
    }

    pub(super) fn append_raw(&mut self, name: &HeaderName, value: &str) {
        let row = self.raw(name, value);
        self.rows.push(row);
    }

    pub(super) fn prepend<H: Header>(&mut self, header: &H) {
        let row = self.written(&[header]);
        self.rows.insert(0, row);
    }

    pub(super) fn prepend_raw(&mut self, name: &HeaderName, value: &str) {
        let row = self.raw(name, value);
        self.rows.insert(0, row);
    }

    pub(super) fn replace<H: Header>(&mut self, header: &H) {
        let row = self.written(&[header]);
        self.put(&H::NAME, row);
    }

    pub(super) fn replace_first<H: Header>(&mut self, header: &H) {
        let place = self.place_of(&H::NAME);
        self.remove_first::<H>();
        let row = self.written(&[header]);
        self.rows.insert(place.unwrap_or(self.rows.len()), row);
    }

    pub(super) fn remove_first<H: Header>(&mut self) {
        while let Some(place) = self.place_of(&H::NAME) {
            let cut = if H::IS_LIST { self.cut_first::<H>(place) } else { Cut::Last };
            if cut != Cut::More {
                self.rows.remove(place);
            }
            // A row of nothing but commas has no value: the first one stands in a later row.
            if cut != Cut::Nothing {
                return;
            }
        }
    }

    pub(super) fn remove(&mut self, name: &HeaderName) {
        let Self { rows, original, text, .. } = self;
        rows.retain(|row| !row.is(name, row.line.name.of(source(original, text, row.source))));
    }

    pub(super) fn set_body(&mut self, content_type: &str, body: Bytes) {
        let name = HeaderName::CONTENT_TYPE;
        let row = self.raw(&name, content_type);
        if !self.is_faulty(&row) {
            self.note(&row, content_type_fault(content_type));
        }
        self.put(&name, row);
        self.body = Body::Given(body);
    }

    pub(super) fn remove_body(&mut self) {
        DESCRIBE_BODY.iter().for_each(|name| self.remove(name));
        self.body = Body::default();
    }

    pub(super) fn add_to_tag(&mut self, tag: &str) {
        let Some(place) = self.place_of(&HeaderName::TO) else { return };
        let Some(row) = self.rows.get(place).copied() else { return };
        let Some(value) = self.value(&row).filter(|_| !self.is_faulty(&row)) else { return };
        // A `To` that cannot be read goes back as it came.
        if To::parse(&(*value).into()).is_ok_and(|to| to.tag().is_none()) {
            let tagged = self.tagged(&row, tag);
            self.rows.iter_mut().skip(place).take(1).for_each(|row| *row = tagged);
        }
    }

    /// Appends what `write` writes to the text; tells where it stands.
    pub(super) fn write_text(&mut self, write: impl FnOnce(&mut String)) -> Span {
        if self.text.capacity() == 0 {
            self.text = String::with_capacity(TEXT);
        }
        let start = self.text.len();
        write(&mut self.text);
        Span::new(start, self.text.len())
    }

    /// Whether a row is `name` already.
    pub(super) fn holds(&self, name: &HeaderName) -> bool {
        self.place_of(name).is_some()
    }

    /// Why the first row that is unfit cannot stand in a message.
    pub(super) fn fault(&self) -> Option<BuildError> {
        if self.faults.is_empty() {
            return None;
        }
        self.rows.iter().find_map(|row| self.fault_of(row)).map(|fault| fault.why.clone())
    }

    pub(super) fn source(&self, source_of_row: Source) -> &[u8] {
        source(&self.original, &self.text, source_of_row)
    }

    /// Puts `row` where the first row named `name` stands, or last; all others of that name go.
    fn put(&mut self, name: &HeaderName, row: Row) {
        let Some(place) = self.place_of(name) else { return self.rows.push(row) };
        if self.place_behind(place, name).is_some() {
            self.remove(name);
            self.rows.insert(place.min(self.rows.len()), row);
        } else if let Some(old) = self.rows.get_mut(place) {
            *old = row;
        }
    }

    /// Writes one row with `values`, separated by commas.
    fn written<H: Header>(&mut self, values: &[&H]) -> Row {
        let row = self.write_row(&H::NAME, |text| {
            for (at, value) in values.iter().enumerate() {
                text.push_str(if at == 0 { "" } else { ", " });
                value.write(text);
            }
        });
        if !fit(values) && !self.is_faulty(&row) {
            let fault = row_fault(self.value_of(&row), values);
            self.note(&row, fault);
        }
        debug_assert!(
            !fit(values)
                || self.is_faulty(&row)
                || row_fault(self.value_of(&row), values).is_none()
        );
        row
    }

    fn raw(&mut self, name: &HeaderName, value: &str) -> Row {
        self.write_row(name, |text| text.push_str(value))
    }

    /// Writes `name: value` and looks for what would end the line.
    fn write_row(&mut self, name: &HeaderName, value: impl FnOnce(&mut String)) -> Row {
        let known = name.as_known();
        let name_span = self.write_text(|text| text.push_str(name.as_str()));
        self.text.push_str(": ");
        value(&mut self.text);
        let start = name_span.end.saturating_add(1);
        let value = Span { start, end: Span::new(0, self.text.len()).end };
        self.text.push_str("\r\n");
        let line = Line { known, folded: false, name: name_span, value };
        let row = Row { line, source: Source::Written, is_cut: false };
        if breaks_line(value.of(self.text.as_bytes())) {
            self.note(&row, Some(BuildError::LineBreak(name.clone())));
        }
        row
    }

    /// A copy of `row` with the tag `tag` at its end. What the peer sent stays as it is, even if we
    /// would not write it.
    fn tagged(&mut self, row: &Row, tag: &str) -> Row {
        let name = self.copy(row.source, row.line.name);
        if row.is_cut {
            self.text.push_str(": ");
        } else {
            self.copy(row.source, row.colon());
        }
        let mut value = self.copy(row.source, row.line.value);
        let ends_open = self.text.trim_ascii_end().ends_with(';');
        if is_token(tag) {
            self.text.push_str(if ends_open { "tag=" } else { ";tag=" });
            self.text.push_str(tag);
        }
        value.end = Span::new(0, self.text.len()).end;
        self.text.push_str("\r\n");
        let source = if row.source == Source::Kept { Source::Copied } else { row.source };
        let tagged = Row { line: Line { name, value, ..row.line }, source, is_cut: false };
        if !is_token(tag) {
            self.note(&tagged, Some(tag_fault()));
        }
        tagged
    }

    /// Copies a part of a row to the end of the text.
    fn copy(&mut self, from: Source, part: Span) -> Span {
        let original = match from {
            Source::Kept => self.original.clone(),
            Source::Copied | Source::Written => Bytes::copy_from_slice(self.text.as_bytes()),
        };
        let part = str::from_utf8(part.of(&original)).unwrap_or_default();
        self.write_text(|text| text.push_str(part))
    }

    /// Takes the first value out of the list in the row at `place`. Commas with nothing between
    /// them separate nothing.
    fn cut_first<H: Header>(&mut self, place: usize) -> Cut {
        let Self { rows, original, text, .. } = self;
        let Some(row) = rows.get_mut(place) else { return Cut::Nothing };
        let value = without_commas(row.line.value.of(source(original, text, row.source)));
        if value.is_empty() {
            return Cut::Nothing;
        }
        let first = H::element_length(value, Profile::Tolerant);
        let rest = without_commas(value.get(first..).unwrap_or_default());
        row.line.value.start = row.line.value.end.saturating_sub(Span::new(0, rest.len()).end);
        row.line.folded = memchr::memchr(b'\n', rest).is_some();
        row.is_cut = true;
        if rest.is_empty() { Cut::Last } else { Cut::More }
    }

    /// The value of a row as text, unfolded, if it is text.
    fn value(&self, row: &Row) -> Option<Cow<'_, str>> {
        let raw = row.line.value.of(self.source(row.source)).trim_ascii();
        let text = str::from_utf8(raw).ok()?;
        Some(if row.line.folded { unfold(text, |_| {}).into() } else { text.into() })
    }

    /// The value of a row that was just written, as it was written.
    fn value_of(&self, row: &Row) -> &str {
        let value = self.text_of(row.line.value);
        value.strip_prefix(' ').unwrap_or_default()
    }

    pub(super) fn text_of(&self, span: Span) -> &str {
        self.text.get(span.start()..span.end as usize).unwrap_or_default()
    }

    fn place_of(&self, name: &HeaderName) -> Option<usize> {
        self.rows.iter().position(|row| self.is_named(row, name))
    }

    /// How far behind `place` the next row named `name` stands.
    fn place_behind(&self, place: usize, name: &HeaderName) -> Option<usize> {
        let mut rows = self.rows.iter().skip(place.saturating_add(1));
        rows.position(|row| self.is_named(row, name))
    }

    fn is_named(&self, row: &Row, name: &HeaderName) -> bool {
        row.is(name, row.line.name.of(self.source(row.source)))
    }

    #[cold]
    fn note(&mut self, row: &Row, fault: Option<BuildError>) {
        self.faults.extend(fault.map(|why| Fault { place: row.line.name.start, why }));
    }

    fn is_faulty(&self, row: &Row) -> bool {
        self.fault_of(row).is_some()
    }

    fn fault_of(&self, row: &Row) -> Option<&Fault> {
        let is_ours = row.source != Source::Kept;
        self.faults.iter().find(|fault| is_ours && fault.place == row.line.name.start)
    }
}

impl fmt::Debug for Draft {
    /// Names only: values may be credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |row: &Row| {
            String::from_utf8_lossy(row.line.name.of(self.source(row.source))).into_owned()
        };
        f.debug_list().entries(self.rows.iter().map(name)).finish()
    }
}

fn source<'a>(original: &'a Bytes, text: &'a str, source: Source) -> &'a [u8] {
    match source {
        Source::Kept => original,
        Source::Copied | Source::Written => text.as_bytes(),
    }
}

/// What stands behind white space and commas.
fn without_commas(list: &[u8]) -> &[u8] {
    let stands = |byte: &u8| *byte != b',' && !byte.is_ascii_whitespace();
    let start = list.iter().position(stands).unwrap_or(list.len());
    list.get(start..).unwrap_or_default()
}

fn tag_fault() -> BuildError {
    let error = ParseError::new(0, "a token as the tag", "RFC 3261 §19.3");
    BuildError::Header(error.within(HeaderName::TO))
}

/// Whether there is what would end a line, or a text for readers in C.
fn breaks_line(value: &[u8]) -> bool {
    // Many bytes are looked at in one step; few values have a control character at all.
    let least = value.iter().fold(u8::MAX, |least, byte| least.min(*byte));
    least < b' ' && memchr::memchr3(b'\r', b'\n', 0, value).is_some()
}

/// The header fields that are about the body (RFC 3261 §7.4.1).
const DESCRIBE_BODY: [HeaderName; 4] = [
    HeaderName::CONTENT_TYPE,
    HeaderName::CONTENT_ENCODING,
    HeaderName::CONTENT_LANGUAGE,
    HeaderName::CONTENT_DISPOSITION,
];

/// Room for the rows of most messages.
const ROWS: usize = 24;
/// Room for the text of most messages.
const TEXT: usize = 1_024;
