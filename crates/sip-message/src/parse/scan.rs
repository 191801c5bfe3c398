//! The single pass over a message's lines (RFC 3261 §7, §7.3.1, §7.5).

use smallvec::SmallVec;

use super::{Class, ParseError};
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
            let line = lines.required()?;
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

    fn take(&mut self, bytes: &[u8], line: Span, limits: &Limits) -> Result<(), ParseError> {
        let room = self.lines.len() < limits.headers;
        match self.lines.last_mut() {
            Some(field) if is_folded(line.of(bytes)) => {
                field.value.end = line.end;
                field.folded = true;
            }
            _ if room => self.lines.push(field(bytes, line)?),
            _ => return Err(too_large(line, "fewer header fields")),
        }
        match self.lines.last() {
            Some(field)
                if (field.value.end.saturating_sub(field.name.start)) as usize > limits.header =>
            {
                Err(too_large(line, "a shorter header field"))
            }
            _ => Ok(()),
        }
    }
}

/// The first byte that is not of an empty line: those before a message are ignored (RFC 3261 §7.5).
pub(crate) fn start_of_message(bytes: &[u8]) -> usize {
    bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len())
}

/// The lines of a message, without their line ends.
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
    #[inline]
    pub(crate) fn row(&mut self) -> Result<Option<Span>, ParseError> {
        let mut row = self.lines.required()?;
        if row.start == row.end {
            return Ok(None);
        }
        while let Some(b' ' | b'\t') = self.lines.bytes.get(self.lines.at) {
            row.end = self.lines.required()?.end;
        }
        Ok(Some(row))
    }

    /// Holds the row, the `count`th of its message, against the limits.
    #[inline]
    pub(crate) fn check_row(&self, row: Span, count: usize) -> Result<(), ParseError> {
        if count > self.limits.headers {
            return Err(too_large(row, "fewer header fields"));
        }
        if (row.end.saturating_sub(row.start) as usize) > self.limits.header {
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
        if self.profile == Profile::Tolerant && memchr::memchr2(b'\r', b'\n', rest).is_none() {
            let start = self.at;
            self.at = self.bytes.len();
            return Ok(Span::new(start, self.at));
        }
        self.required()
    }

    #[inline]
    fn required(&mut self) -> Result<Span, ParseError> {
        let start = self.at;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let Some(length) = memchr::memchr2(b'\r', b'\n', rest) else {
            let end = self.bytes.len();
            return Err(ParseError::new(end, EMPTY_LINE, "RFC 3261 §7"));
        };
        let end = start.saturating_add(length);
        let line_end = match rest.get(length..) {
            Some([b'\r', b'\n', ..]) => 2,
            Some([b'\n', ..]) if self.profile == Profile::Tolerant => 1,
            Some([b'\n', ..]) => {
                return Err(ParseError::new(end, "CRLF at the end of the line", "RFC 3261 §7"));
            }
            // A lone CR is a line end to some readers and not to others: nobody may smuggle by it.
            // At the end of what is there, more may be lacking than a LF.
            Some([b'\r']) => {
                return Err(ParseError::new(end.saturating_add(1), EMPTY_LINE, "RFC 3261 §7"));
            }
            _ => return Err(ParseError::new(end, "LF after CR", "RFC 3261 §7")),
        };
        self.at = end.saturating_add(line_end);
        Ok(Span::new(start, end))
    }
}

const EMPTY_LINE: &str = "an empty line after the header fields";

fn is_folded(line: &[u8]) -> bool {
    matches!(line, [b' ' | b'\t', ..])
}

/// `header-name *( SP / HTAB ) ":"` and the rest of the line.
fn field(bytes: &[u8], line: Span) -> Result<Line, ParseError> {
    let text = line.of(bytes);
    let start = line.start();
    let malformed = |at: usize, expected| {
        Err(ParseError::new(start.saturating_add(at), expected, "RFC 3261 §7.3.1"))
    };
    let length = Class::TOKEN.length(text);
    let (name, rest) = text.split_at(length);
    if name.is_empty() {
        return malformed(0, "a header field name");
    }
    let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    let colon = length.saturating_add(spaces);
    if rest.get(spaces) != Some(&b':') {
        return malformed(colon, "\":\" after the header field name");
    }
    let end_of_name = start.saturating_add(length);
    let value = start.saturating_add(colon).saturating_add(1);
    Ok(Line {
        known: HeaderName::resolve(name),
        folded: false,
        name: Span::new(start, end_of_name),
        value: Span { start: Span::new(value, value).start, end: line.end },
    })
}

fn too_long_start_line(line: Span) -> ParseError {
    ParseError::new(line.start(), "a shorter start line", "RFC 3261 §21.4.12")
        .with_status(StatusCode::REQUEST_URI_TOO_LONG)
}

fn too_large(line: Span, expected: &'static str) -> ParseError {
    ParseError::new(line.start(), expected, "RFC 3261 §21.5.7")
        .with_status(StatusCode::MESSAGE_TOO_LARGE)
}
