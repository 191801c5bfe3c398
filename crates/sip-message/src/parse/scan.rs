//! The single pass over a message's lines (RFC 3261 §7, §7.3.1, §7.5).

use smallvec::SmallVec;

use super::{Class, ParseError, length_of, position};
use crate::{
    Limits, ParseOptions, Profile, StatusCode,
    header::{HeaderName, Known},
};

/// A range of bytes of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    /// Messages are below 4 GiB, which [`Scan::new`] makes sure of.
    pub(crate) fn new(start: usize, end: usize) -> Self {
        let narrow = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: narrow(start), end: narrow(end) }
    }

    pub(crate) fn start(self) -> usize {
        self.start as usize
    }

    fn length(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    pub(crate) fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// One header field: where its name and its value stand, folded lines included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) known: Option<Known>,
    /// Whether there is more than one line.
    pub(crate) folded: bool,
    pub(crate) name: Span,
    /// From the colon to the end of the last line, white space and folds included.
    pub(crate) value: Span,
}

/// Where everything stands in a message.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) start_line: Span,
    pub(crate) lines: SmallVec<[Line; 32]>,
    /// Where the body starts.
    pub(crate) body: usize,
}

impl Scan {
    /// Scans from `start` (see [`start_of_message`]) up to the empty line.
    pub(crate) fn new(
        bytes: &[u8],
        start: usize,
        options: &ParseOptions,
    ) -> Result<Self, ParseError> {
        let limits = &options.limits;
        if bytes.len() > limits.message.min(u32::MAX as usize) {
            return Err(ParseError::new(limits.message, "a smaller message", "RFC 3261 §21.5.7")
                .with_status(StatusCode::MESSAGE_TOO_LARGE));
        }
        let mut lines = Lines { bytes, at: start, profile: options.profile };
        let start_line = lines.required()?;
        if start_line.of(bytes).len() > limits.start_line {
            return Err(too_long_start_line(start_line));
        }
        let mut scan = Self { start_line, lines: SmallVec::new(), body: bytes.len() };
        loop {
            let line = lines.next()?;
            if line.start == line.end {
                scan.body = lines.at;
                return Ok(scan);
            }
            scan.take(bytes, line, limits)?;
        }
    }

    /// Finds what it can in a message that [`Scan::new`] refuses: lines that are no header fields
    /// are left out, and the end of the bytes ends the header too.
    pub(crate) fn salvage(bytes: &[u8], options: &ParseOptions) -> Option<Self> {
        if bytes.len() > options.limits.message.min(u32::MAX as usize) {
            return None;
        }
        let mut lines = Lines { bytes, at: 0, profile: Profile::Tolerant };
        let start_line = lines.required().ok()?;
        let mut scan = Self { start_line, lines: SmallVec::new(), body: bytes.len() };
        let mut left_out = false;
        while let Ok(line) = lines.required() {
            if line.start == line.end {
                scan.body = lines.at;
                break;
            }
            // A folded line belongs to the line before, also when that one was left out.
            left_out = left_out && is_folded(line.of(bytes))
                || scan.take(bytes, line, &options.limits).is_err();
        }
        Some(scan)
    }

    /// Scans header fields that are no whole message: a start line only if `with_start_line`, and
    /// the end of the bytes ends the header too, since nothing has to follow (RFC 3420 §2, RFC 2046
    /// §5.1.1).
    pub(crate) fn fragment(
        bytes: &[u8],
        with_start_line: bool,
        options: &ParseOptions,
    ) -> Result<Self, ParseError> {
        let limits = &options.limits;
        if bytes.len() > limits.message.min(u32::MAX as usize) {
            return Err(ParseError::new(limits.message, "a smaller message", "RFC 3261 §21.5.7")
                .with_status(StatusCode::MESSAGE_TOO_LARGE));
        }
        let mut lines = Lines { bytes, at: 0, profile: options.profile };
        let start_line = if with_start_line { lines.last_or_required()? } else { Span::default() };
        if start_line.of(bytes).len() > limits.start_line {
            return Err(too_long_start_line(start_line));
        }
        let mut scan = Self { start_line, lines: SmallVec::new(), body: bytes.len() };
        while lines.at < bytes.len() {
            let line = lines.last_or_required()?;
            if line.start == line.end {
                scan.body = lines.at;
                break;
            }
            scan.take(bytes, line, limits)?;
        }
        Ok(scan)
    }

    #[inline(always)]
    fn take(&mut self, bytes: &[u8], line: Span, limits: &Limits) -> Result<(), ParseError> {
        if is_folded(line.of(bytes)) && !self.lines.is_empty() {
            return self.take_folded(line, limits);
        }
        if self.lines.len() >= limits.headers {
            return Err(too_large(line, "fewer header fields"));
        }
        self.lines.push(field(bytes, line)?);
        if line.length() > limits.header {
            return Err(too_large(line, "a shorter header field"));
        }
        Ok(())
    }

    /// The field before goes on.
    #[cold]
    fn take_folded(&mut self, line: Span, limits: &Limits) -> Result<(), ParseError> {
        let Some(field) = self.lines.last_mut() else { return Ok(()) };
        field.value.end = line.end;
        field.folded = true;
        let whole = Span { start: field.name.start, end: line.end };
        if whole.length() > limits.header {
            return Err(too_large(line, "a shorter header field"));
        }
        Ok(())
    }
}

/// The first byte that is not of an empty line: those before a message are ignored (RFC 3261 §7.5).
pub(crate) fn start_of_message(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len())
}

/// The lines of a message, without their line ends.
#[derive(Clone, Copy)]
struct Lines<'a> {
    bytes: &'a [u8],
    at: usize,
    profile: Profile,
}

/// The rows of a message one by one, folded lines joined, for those who keep no index.
pub(crate) struct RowLines<'a> {
    lines: Lines<'a>,
    limits: &'a Limits,
}

/// The rows of the message that starts at byte `start`.
pub(crate) fn lines_of<'a>(
    bytes: &'a [u8],
    start: usize,
    options: &'a ParseOptions,
) -> RowLines<'a> {
    let lines = Lines { bytes, at: start, profile: options.profile };
    RowLines { lines, limits: &options.limits }
}

impl RowLines<'_> {
    pub(crate) fn start_line(&mut self) -> Result<Span, ParseError> {
        let line = self.lines.required()?;
        if line.of(self.lines.bytes).len() > self.limits.start_line {
            return Err(too_long_start_line(line));
        }
        Ok(line)
    }

    /// The next row; `None` at the empty line.
    #[inline(always)]
    pub(crate) fn row(&mut self) -> Result<Option<Span>, ParseError> {
        let row = self.lines.next()?;
        if row.start == row.end {
            return Ok(None);
        }
        if !self.lines.is_folded() {
            return Ok(Some(row));
        }
        let end;
        (end, self.lines) = self.lines.folded()?;
        Ok(Some(Span { end, ..row }))
    }

    /// Holds the row, the `count`th of its message, against the limits.
    #[inline]
    pub(crate) fn check_row(&self, row: Span, count: usize) -> Result<(), ParseError> {
        if count > self.limits.headers {
            return Err(too_large(row, "fewer header fields"));
        }
        if row.length() > self.limits.header {
            return Err(too_large(row, "a shorter header field"));
        }
        Ok(())
    }

    /// Where the next row starts.
    pub(crate) fn position(&self) -> usize {
        self.lines.at
    }
}

impl Lines<'_> {
    /// The next line. The tolerant profile takes a last one without its line end.
    fn last_or_required(&mut self) -> Result<Span, ParseError> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if self.profile == Profile::Tolerant && position(rest, is_line_end).is_none() {
            let start = self.at;
            self.at = self.bytes.len();
            return Ok(Span::new(start, self.at));
        }
        self.required()
    }

    fn required(&mut self) -> Result<Span, ParseError> {
        self.next()
    }

    /// The next line, for the loops that read many of them.
    #[inline(always)]
    fn next(&mut self) -> Result<Span, ParseError> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let Some(length) = position(rest, is_line_end) else { return Err(self.unended()) };
        // Both ends stay within the bytes, of which there are less than 4 GiB.
        let end = start.wrapping_add(length);
        self.at = match rest.get(length..) {
            Some([b'\r', b'\n', ..]) => end.wrapping_add(2),
            at_end => self.behind_other_end(end, at_end.unwrap_or_default())?,
        };
        Ok(Span { start: start as u32, end: end as u32 })
    }

    /// Whether the next line is a folded one.
    #[inline]
    fn is_folded(&self) -> bool {
        matches!(self.bytes.get(self.at), Some(b' ' | b'\t'))
    }

    /// Where the folded lines end that come next, and the lines behind them.
    #[cold]
    fn folded(mut self) -> Result<(u32, Self), ParseError> {
        let mut end = 0;
        while self.is_folded() {
            end = self.required()?.end;
        }
        Ok((end, self))
    }

    #[cold]
    fn unended(self) -> ParseError {
        ParseError::new(self.bytes.len(), EMPTY_LINE, "RFC 3261 §7")
    }

    /// Where the next line starts when not CRLF is at byte `end`, but `at_end`.
    #[cold]
    fn behind_other_end(self, end: usize, at_end: &[u8]) -> Result<usize, ParseError> {
        let behind = end.saturating_add(1);
        match at_end {
            [b'\n', ..] if self.profile == Profile::Tolerant => Ok(behind),
            [b'\n', ..] => Err(ParseError::new(end, "CRLF at the end of the line", "RFC 3261 §7")),
            // A lone CR is a line end to some readers and not to others: nobody may smuggle by it.
            // At the end of what is there, more may be lacking than a LF.
            [b'\r'] => Err(ParseError::new(behind, EMPTY_LINE, "RFC 3261 §7")),
            _ => Err(ParseError::new(end, "LF after CR", "RFC 3261 §7")),
        }
    }
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

const EMPTY_LINE: &str = "an empty line after the header fields";

fn is_folded(line: &[u8]) -> bool {
    matches!(line, [b' ' | b'\t', ..])
}

/// `header-name *( SP / HTAB ) ":"` and the rest of the line.
#[inline(always)]
fn field(bytes: &[u8], line: Span) -> Result<Line, ParseError> {
    let text = line.of(bytes);
    let length = length_of(Class::TOKEN, text);
    let (name, rest) = text.split_at_checked(length).unwrap_or_default();
    if name.is_empty() {
        return Err(malformed(line, 0, "a header field name"));
    }
    let spaces = if let [b':', ..] = rest { 0 } else { Class::WHITE.length(rest) };
    // Both are within the line.
    let colon = length.wrapping_add(spaces);
    if rest.get(spaces) != Some(&b':') {
        return Err(malformed(line, colon, "\":\" after the header field name"));
    }
    let end_of_name = line.start.wrapping_add(length as u32);
    let value = line.start.wrapping_add(colon as u32).wrapping_add(1);
    Ok(Line {
        known: HeaderName::resolve(name),
        folded: false,
        name: Span { start: line.start, end: end_of_name },
        value: Span { start: value, end: line.end },
    })
}

#[cold]
fn malformed(line: Span, at: usize, expected: &'static str) -> ParseError {
    ParseError::new(line.start().saturating_add(at), expected, "RFC 3261 §7.3.1")
}

#[cold]
fn too_long_start_line(line: Span) -> ParseError {
    ParseError::new(line.start(), "a shorter start line", "RFC 3261 §21.4.12")
        .with_status(StatusCode::REQUEST_URI_TOO_LONG)
}

#[cold]
fn too_large(line: Span, expected: &'static str) -> ParseError {
    ParseError::new(line.start(), expected, "RFC 3261 §21.5.7")
        .with_status(StatusCode::MESSAGE_TOO_LARGE)
}
