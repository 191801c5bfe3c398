//! Responses (RFC 3261 §7.2).

use bytes::Bytes;
use smallvec::SmallVec;

use crate::{
    Envelope, Header, Headers, ParseError, Profile, ResponseBuilder, StatusCode, ValidRequest,
    Values,
    builder::Written,
    message::common,
    parse::{Line, Scan, Span},
};

/// A response. Cloning copies the index and shares the bytes.
#[derive(Clone, Debug)]
pub struct Response {
    pub(crate) headers: Headers,
    status: StatusCode,
    version: Span,
    reason: Span,
    pub(crate) body: usize,
}

common!(Response);

impl Response {
    /// Starts a new response that answers no request that is at hand.
    pub fn builder(status: StatusCode) -> ResponseBuilder {
        ResponseBuilder::new(status)
    }

    /// Starts a response to `request`: all `Via`, `From`, `To`, `Call-ID` and `CSeq`, and
    /// `Timestamp` in a 100, are copied as they came (RFC 3261 §8.2.6).
    ///
    /// The `To` tag of §8.2.6.2 is up to the caller: [`ResponseBuilder::to_tag`].
    pub fn reply_to(request: &ValidRequest, status: StatusCode) -> ResponseBuilder {
        ResponseBuilder::reply_to(request, status)
    }

    /// Starts a response that is this one but for the changes to come. A reason phrase with control
    /// characters, which no one may write, gives way to the one of the registry.
    pub fn edit(&self) -> ResponseBuilder {
        ResponseBuilder::edit(self)
    }

    /// The status code.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The reason phrase. Of one that is not UTF-8 this is the part before the first bad byte;
    /// [`Response::reason_bytes`] has it all.
    pub fn reason(&self) -> &str {
        let bytes = self.reason_bytes();
        match str::from_utf8(bytes) {
            Ok(reason) => reason,
            Err(error) => bytes
                .get(..error.valid_up_to())
                .and_then(|valid| str::from_utf8(valid).ok())
                .unwrap_or_default(),
        }
    }

    /// The reason phrase as it came.
    pub fn reason_bytes(&self) -> &[u8] {
        self.reason.of(&self.headers.bytes)
    }

    /// The protocol version as it stands on the status line.
    pub fn version(&self) -> &str {
        str::from_utf8(self.version.of(&self.headers.bytes)).unwrap_or_default()
    }

    pub(crate) fn version_span(&self) -> Span {
        self.version
    }

    pub(crate) fn reason_span(&self) -> Span {
        self.reason
    }

    /// A response that a builder has written.
    #[inline(always)]
    pub(crate) fn built(status: StatusCode, lines: SmallVec<[Line; 32]>, written: Written) -> Self {
        let Written { bytes, start_line: [version, _, reason], body } = written;
        let headers = Headers { bytes, lines, profile: Profile::Tolerant };
        Self { headers, status, version, reason, body }
    }

    /// `SIP-Version SP Status-Code SP Reason-Phrase`.
    #[inline(always)]
    pub(crate) fn index(bytes: Bytes, scan: Scan, profile: Profile) -> Result<Self, ParseError> {
        let line = scan.start_line;
        let text = line.of(&bytes);
        let (status, reason) =
            split_status_line(text, profile).map_err(|error| error.moved_by(line.start()))?;
        let version = memchr::memchr(b' ', text).unwrap_or(text.len());
        let place = |at: usize| line.start().saturating_add(at);
        Ok(Self {
            status,
            version: Span::new(line.start(), place(version)),
            reason: Span::new(place(reason), line.end as usize),
            body: scan.body,
            headers: Headers { bytes, lines: scan.lines, profile },
        })
    }
}

/// The status of a status line, and where its reason phrase starts.
pub(crate) fn split_status_line(
    line: &[u8],
    profile: Profile,
) -> Result<(StatusCode, usize), ParseError> {
    let malformed = |at: usize, expected| ParseError::new(at, expected, "RFC 3261 §7.2");
    let version = memchr::memchr(b' ', line).unwrap_or(line.len());
    let code = version.saturating_add(1);
    let after = line.get(code..).unwrap_or_default();
    let (digits, after) = after.split_at_checked(3).unwrap_or((after, b""));
    let status = status(digits)
        .ok_or_else(|| malformed(code.min(line.len()), "a status code from 100 to 699"))?;
    let end_of_code = code.saturating_add(3);
    match after {
        [b' ', ..] => Ok((status, end_of_code.saturating_add(1))),
        [] if profile == Profile::Tolerant => Ok((status, end_of_code)),
        _ => Err(malformed(end_of_code, "a space after the status code")),
    }
}

/// `3DIGIT` of one of the six classes.
fn status(digits: &[u8]) -> Option<StatusCode> {
    let digits = str::from_utf8(digits).ok()?;
    let all_digits = digits.len() == 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if all_digits { digits.parse().ok().and_then(StatusCode::new) } else { None }
}
