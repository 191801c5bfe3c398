//! The one time a message is written: its size is counted, then all parts are gathered in memory of
//! that size, and where they stand is noted down on the way.

use bytes::Bytes;
use smallvec::SmallVec;

use super::{
    BuildError,
    draft::{Body, Draft},
    row::{Row, Source},
};
use crate::{
    ParseError, StatusCode,
    header::Known,
    parse::{Digits, Line, Span},
};

/// A message that was written, and where its parts stand, its rows aside.
pub(crate) struct Written {
    pub(crate) bytes: Bytes,
    /// The three parts of the start line.
    pub(crate) start_line: [Span; 3],
    /// Where the body starts.
    pub(crate) body: usize,
}

impl Draft {
    /// Writes the message. Its start line has three parts with single spaces between them
    /// (RFC 3261 §7.1, §7.2). The rows that a parse would find go into `lines`, if somebody asks
    /// for them.
    pub(super) fn write(
        &self,
        start_line: [&[u8]; 3],
        lines: Option<&mut SmallVec<[Line; 32]>>,
    ) -> Result<Written, BuildError> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        let length = self.new_content_length();
        let size = self.size(&start_line, length.as_ref());
        // The index holds offsets of 32 bits, in the message and in what it is made of.
        if size.max(self.text.len()) > u32::MAX as usize {
            return Err(too_large().into());
        }
        let out = Vec::with_capacity(size);
        let mut gather = Gather { draft: self, out, lines, pending: Pending::default() };
        let start_line = gather.start_line(start_line);
        self.rows_with(length.as_ref()).for_each(|row| gather.row(row));
        gather.flush();
        if let Some(length) = length {
            gather.content_length(&length);
        }
        gather.push(LINE_END);
        let body = gather.out.len();
        gather.push(self.body());
        debug_assert_eq!(gather.out.len(), size, "the size was counted right");
        Ok(Written { bytes: Bytes::from(gather.out), start_line, body })
    }

    /// The version of the start line: the one of the original at `kept`, or the one we speak.
    pub(super) fn version(&self, kept: Option<Span>) -> &[u8] {
        kept.map_or(b"SIP/2.0", |version| version.of(&self.original))
    }

    /// The digits of a new `Content-Length`, unless the only one there is says what it should.
    fn new_content_length(&self) -> Option<Digits> {
        let length = self.body().len();
        let mut rows = self.rows.iter().filter(|row| is_content_length(row));
        match (rows.next(), rows.next()) {
            (Some(row), None) if self.is_number(row, length) => None,
            _ => Some(Digits::of(length as u64)),
        }
    }

    /// All rows; without those of `Content-Length` if there is to be a new one.
    fn rows_with(&self, new_content_length: Option<&Digits>) -> impl Iterator<Item = &Row> {
        let is_new = new_content_length.is_some();
        self.rows.iter().filter(move |row| !(is_new && is_content_length(row)))
    }

    fn is_number(&self, row: &Row, number: usize) -> bool {
        let value = row.line.value.of(self.source(row.source)).trim_ascii();
        let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
        digits && str::from_utf8(value).is_ok_and(|value| value.parse() == Ok(number))
    }

    fn body(&self) -> &[u8] {
        match &self.body {
            Body::Kept(start) => self.original.get(*start..).unwrap_or_default(),
            Body::Given(body) => body,
        }
    }

    fn size(&self, start_line: &[&[u8]; 3], length: Option<&Digits>) -> usize {
        let ends = LINE_END.len().saturating_mul(2).saturating_add(SPACES);
        let mut size = ends.saturating_add(self.body().len());
        for part in start_line {
            size = size.saturating_add(part.len());
        }
        for row in self.rows_with(length) {
            size = size.saturating_add(self.row_size(row));
        }
        length.map_or(size, |digits| {
            let name = self.name(Known::ContentLength).len();
            let around = COLON.len().saturating_add(LINE_END.len());
            size.saturating_add(name).saturating_add(digits.as_bytes().len()).saturating_add(around)
        })
    }

    fn row_size(&self, row: &Row) -> usize {
        if self.is_as_it_stands(row) {
            let length = row.line.value.end.saturating_sub(row.line.name.start) as usize;
            return length.saturating_add(LINE_END.len());
        }
        let [name, colon, value] = self.parts(row);
        let feeds = if row.line.folded { bare_line_feeds(value) } else { 0 };
        let parts = [name.len(), colon.len(), value.len(), feeds, LINE_END.len()];
        parts.into_iter().fold(0, usize::saturating_add)
    }

    /// Whether the row is written just as it stands in its source.
    fn is_as_it_stands(&self, row: &Row) -> bool {
        !row.line.folded && !row.is_cut && !self.is_renamed(row)
    }

    fn is_renamed(&self, row: &Row) -> bool {
        self.has_compact_names && row.source == Source::Written && row.known().is_some()
    }

    /// Name, colon and value as they are to be written.
    fn parts(&self, row: &Row) -> [&[u8]; 3] {
        let source = self.source(row.source);
        let name = match row.known() {
            Some(known) if self.is_renamed(row) => self.name(known),
            _ => row.line.name.of(source),
        };
        let colon = if row.is_cut { COLON } else { row.colon().of(source) };
        [name, colon, row.line.value.of(source)]
    }

    /// The name of a row of our own.
    fn name(&self, known: Known) -> &'static [u8] {
        let compact = known.compact().filter(|_| self.has_compact_names);
        let letter =
            |compact: char| LETTERS.chunks(1).find(|it| it.first() == Some(&(compact as u8)));
        compact.and_then(letter).unwrap_or(known.as_str().as_bytes())
    }
}

/// A message that is being gathered.
struct Gather<'a> {
    draft: &'a Draft,
    out: Vec<u8>,
    lines: Option<&'a mut SmallVec<[Line; 32]>>,
    pending: Pending,
}

/// Rows that stand side by side in one source and are still to be copied, all at once.
#[derive(Clone, Copy, Default)]
struct Pending {
    source: Source,
    /// Without the line end of the last of them; empty if there are none.
    span: Span,
}

impl Gather<'_> {
    fn start_line(&mut self, parts: [&[u8]; 3]) -> [Span; 3] {
        let [first, second, third] = parts;
        let first = self.push(first);
        self.push(b" ");
        let second = self.push(second);
        self.push(b" ");
        let third = self.push(third);
        self.push(LINE_END);
        [first, second, third]
    }

    fn row(&mut self, row: &Row) {
        if self.draft.is_as_it_stands(row) {
            self.join(row);
        } else {
            self.flush();
            self.in_parts(row);
        }
    }

    /// Adds the row to those that are pending if it follows them in their source.
    fn join(&mut self, row: &Row) {
        let (start, end) = (row.line.name.start, row.line.value.end);
        let gap = Span { start: self.pending.span.end, end: start };
        let follows =
            self.pending.source == row.source && gap.of(self.draft.source(row.source)) == LINE_END;
        if !follows {
            self.flush();
            self.pending = Pending { source: row.source, span: Span { start, end: start } };
        }
        self.pending.span.end = end;
        let Some(lines) = &mut self.lines else { return };
        let distance = end_of(&self.out).wrapping_sub(self.pending.span.start);
        let moved = |span: Span| Span {
            start: span.start.wrapping_add(distance),
            end: span.end.wrapping_add(distance),
        };
        let (name, value) = (moved(row.line.name), moved(row.line.value));
        lines.push(Line { name, value, ..row.line });
    }

    fn flush(&mut self) {
        let Pending { source, span } = self.pending;
        self.pending.span = Span::default();
        if span.start < span.end {
            self.push(span.of(self.draft.source(source)));
            self.push(LINE_END);
        }
    }

    fn in_parts(&mut self, row: &Row) {
        let [name, colon, value] = self.draft.parts(row);
        let name = self.push(name);
        let start = self.push(colon).end;
        // The space of a colon of our own counts as a part of the value.
        let start = if row.is_cut { start.saturating_sub(1) } else { start };
        self.push_lines(value);
        let value = Span { start, end: end_of(&self.out) };
        self.push(LINE_END);
        self.note(Line { name, value, ..row.line });
    }

    fn note(&mut self, line: Line) {
        if let Some(lines) = &mut self.lines {
            lines.push(line);
        }
    }

    /// Folds end in CRLF, whatever the peer has sent.
    fn push_lines(&mut self, value: &[u8]) {
        for (at, line) in value.split(|&byte| byte == b'\n').enumerate() {
            self.push(if at == 0 { b"" } else { LINE_END });
            self.push(line.strip_suffix(b"\r").unwrap_or(line));
        }
    }

    fn content_length(&mut self, digits: &Digits) {
        let name = self.push(self.draft.name(Known::ContentLength));
        let start = self.push(COLON).end.saturating_sub(1);
        let end = self.push(digits.as_bytes()).end;
        self.push(LINE_END);
        let known = Some(Known::ContentLength);
        self.note(Line { known, folded: false, name, value: Span { start, end } });
    }

    fn push(&mut self, bytes: &[u8]) -> Span {
        let start = end_of(&self.out);
        self.out.extend_from_slice(bytes);
        Span { start, end: end_of(&self.out) }
    }
}

#[cold]
fn too_large() -> ParseError {
    ParseError::new(u32::MAX as usize, "a smaller message", "RFC 3261 §21.5.7")
        .with_status(StatusCode::MESSAGE_TOO_LARGE)
}

fn is_content_length(row: &Row) -> bool {
    row.known() == Some(Known::ContentLength)
}

/// How many line feeds without a carriage return there are.
fn bare_line_feeds(value: &[u8]) -> usize {
    let returns =
        |at: &usize| at.checked_sub(1).and_then(|before| value.get(before)) != Some(&b'\r');
    memchr::memchr_iter(b'\n', value).filter(returns).count()
}

fn end_of(out: &[u8]) -> u32 {
    Span::new(0, out.len()).end
}

const LINE_END: &[u8] = b"\r\n";
/// How many spaces a start line has between its parts.
const SPACES: usize = 2;
const COLON: &[u8] = b": ";
const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
