//! Messages out of a byte stream or a WebSocket, and keep-alives (RFC 3261 §18.3, RFC 5626 §3.5.1,
//! RFC 7118 §5).

use bytes::{Buf, Bytes, BytesMut};

use crate::{
    Headers, Limits, ParseError, ParseOptions, Profile, StatusCode, message::content_length,
    parse::Scan,
};

/// Cuts a byte stream into messages and keep-alives.
///
/// Push what came, then take frames until there are no more. After an error the place of the next
/// message is unknown: the error stays, and the connection must be closed. The buffer never holds
/// more than one message of the limits and what was pushed with its end.
///
/// ```
/// use offhook_sip_message::{Frame, Framer, Limits};
///
/// let mut framer = Framer::new(Limits::default());
/// framer.push(b"\r\nSIP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nhi");
/// assert_eq!(framer.next()?, Some(Frame::Pong));
/// let Some(Frame::Message(message)) = framer.next()? else { unreachable!() };
/// assert!(message.ends_with(b"hi"));
/// assert_eq!(framer.next()?, None);
/// # Ok::<(), offhook_sip_message::ParseError>(())
/// ```
#[derive(Debug)]
pub struct Framer {
    options: ParseOptions,
    buffer: BytesMut,
    head: Head,
    /// The length of the message at the front, once its header has been read.
    length: Option<usize>,
    /// Whether the last frame was one CRLF: another one makes a ping.
    after_crlf: bool,
    error: Option<ParseError>,
    /// The header section of the message whose length cannot be told.
    refused: Option<Bytes>,
}

/// How far the header of the message at the front has been looked at. No byte is looked at twice.
#[derive(Debug, Default)]
struct Head {
    /// Where the current line starts; all before it are whole and not empty.
    line: usize,
    /// Up to here no line end has come.
    seen: usize,
    /// Where the current header field starts; it may have folded lines.
    field: usize,
    /// How many header fields have begun.
    fields: usize,
}

/// What a stream holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One whole message, to be given to [`crate::Message::parse`].
    Message(Bytes),
    /// The second CRLF of a ping: to be answered by one CRLF (RFC 5626 §3.5.1).
    ///
    /// Two pongs with no message between them are the same four bytes and show as `Pong`, then
    /// `Ping`. The side that sends the keep-alives itself (RFC 5626 §4.4.1) gets pongs only: it
    /// takes a `Ping` as a sign of life, like a `Pong`, and does not answer it.
    Ping,
    /// A single CRLF: the answer to a ping. The first CRLF of a ping shows as this as well, since
    /// nobody can tell whether more will come; either way the peer is alive. Of two pongs in a row
    /// the second shows as [`Frame::Ping`].
    Pong,
}

impl Frame {
    /// The frame in one WebSocket message, text or binary: a whole SIP message, which needs no
    /// `Content-Length` (RFC 7118 §4.2, §5), or a keep-alive of CRLFs (§6).
    ///
    /// # Errors
    /// When it is empty or larger than the limits. It costs this message only: the next one starts
    /// where the WebSocket says.
    pub fn of_websocket(message: Bytes, limits: &Limits) -> Result<Self, ParseError> {
        if message.len() > limits.message {
            return Err(too_large(limits.message, "a smaller message"));
        }
        match &*message {
            [] => Err(ParseError::new(0, "a SIP message", "RFC 7118 §5")),
            b"\r\n" => Ok(Self::Pong),
            crlfs if crlfs.iter().all(|byte| matches!(byte, b'\r' | b'\n')) => Ok(Self::Ping),
            _ => Ok(Self::Message(message)),
        }
    }
}

/// Whether `datagram` is no message but keeps a NAT binding open: CRLFs (RFC 5626 §3.5.1, sent over
/// UDP as well), zero bytes, as many phones send them, or nothing at all. It is not answered.
///
/// STUN keep-alives (RFC 5626 §3.5.2) hold more and are told by their own header.
pub fn is_keep_alive(datagram: &[u8]) -> bool {
    datagram.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b'\0'))
}

impl Framer {
    /// An empty framer.
    pub fn new(limits: Limits) -> Self {
        Self {
            options: ParseOptions { profile: Profile::Tolerant, limits },
            buffer: BytesMut::new(),
            head: Head::default(),
            length: None,
            after_crlf: false,
            error: None,
            refused: None,
        }
    }

    /// Appends what came. After an error nothing is kept.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.error.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// The next frame, or `None` when more bytes are needed.
    ///
    /// # Errors
    /// When what came is no message, is over the limits, or has no `Content-Length`, which streams
    /// need (RFC 3261 §18.3).
    #[expect(clippy::should_implement_trait, reason = "an iterator would end at the first None")]
    pub fn next(&mut self) -> Result<Option<Frame>, ParseError> {
        if let Some(error) = &self.error {
            return Err(error.clone());
        }
        let frame = self.advance();
        if let Err(error) = &frame {
            self.error = Some(error.clone());
            self.buffer = BytesMut::new();
        }
        frame
    }

    /// After an error: the start line and header fields of the message that it is about, if all of
    /// them have come. A request is to be answered before the connection is closed (RFC 3261 §18.3):
    /// [`Rejection::salvage`](crate::Rejection::salvage) has the response.
    pub fn take_refused(&mut self) -> Option<Bytes> {
        self.refused.take()
    }

    fn advance(&mut self) -> Result<Option<Frame>, ParseError> {
        if self.length.is_none() && self.head.line == 0 {
            if self.buffer.starts_with(b"\r\n") {
                self.buffer.advance(2);
                self.after_crlf = !self.after_crlf;
                return Ok(Some(if self.after_crlf { Frame::Pong } else { Frame::Ping }));
            }
            if self.buffer.is_empty() || *self.buffer == *b"\r" {
                return Ok(None);
            }
            self.after_crlf = false;
        }
        let Some(length) = self.message_length()? else { return Ok(None) };
        if self.buffer.len() < length {
            return Ok(None);
        }
        self.length = None;
        self.head = Head::default();
        Ok(Some(Frame::Message(self.buffer.split_to(length).freeze())))
    }

    fn message_length(&mut self) -> Result<Option<usize>, ParseError> {
        if self.length.is_none() {
            let Some(body) = self.end_of_header()? else { return Ok(None) };
            let length = self.read_length(body).inspect_err(|_| {
                self.refused = self.buffer.get(..body).map(Bytes::copy_from_slice);
            });
            self.length = Some(length?);
        }
        Ok(self.length)
    }

    /// Where the body starts, if the empty line has come. Limits hold as soon as they are passed,
    /// not only at the end of a line.
    fn end_of_header(&mut self) -> Result<Option<usize>, ParseError> {
        // Of two limits the one that is passed first is told, however the bytes come.
        let visible = self.options.limits.message.saturating_add(1).min(self.buffer.len());
        loop {
            let rest = self.buffer.get(self.head.seen..visible).unwrap_or_default();
            let newline = memchr::memchr(b'\n', rest);
            let length = newline.unwrap_or(rest.len());
            let end = self.head.seen.saturating_add(length);
            let line = self.buffer.get(self.head.line..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let next = end.saturating_add(1);
            if line.is_empty() {
                self.bounded(if newline.is_some() { next } else { end })?;
                self.head.seen = end;
                return Ok(newline.map(|_| next));
            }
            self.head.take(line, &self.options.limits)?;
            self.bounded(end)?;
            if newline.is_none() {
                self.head.seen = end;
                return Ok(None);
            }
            (self.head.line, self.head.seen) = (next, next);
        }
    }

    fn bounded(&self, length: usize) -> Result<(), ParseError> {
        let limit = self.options.limits.message;
        if length <= limit { Ok(()) } else { Err(too_large(limit, "a smaller message")) }
    }

    /// The length of the message whose header ends at `body`.
    fn read_length(&self, body: usize) -> Result<usize, ParseError> {
        let head = Bytes::copy_from_slice(self.buffer.get(..body).unwrap_or_default());
        let scan = Scan::new(&head, 0, &self.options)?;
        let headers = Headers { bytes: head, lines: scan.lines, profile: self.options.profile };
        let Some((at, length)) = content_length(&headers)? else {
            return Err(ParseError::new(body, "a Content-Length on a stream", "RFC 3261 §18.3"));
        };
        if length > self.options.limits.body {
            return Err(ParseError::new(at, "a smaller body", "RFC 3261 §21.4.11")
                .with_status(StatusCode::REQUEST_ENTITY_TOO_LARGE));
        }
        let whole = body.saturating_add(length);
        self.bounded(whole).map(|()| whole)
    }
}

impl Head {
    /// Holds what there is of the current line, which is not empty, against the limits.
    fn take(&mut self, line: &[u8], limits: &Limits) -> Result<(), ParseError> {
        if self.line == 0 {
            return if line.len() <= limits.start_line {
                Ok(())
            } else {
                Err(ParseError::new(0, "a shorter start line", "RFC 3261 §21.4.12")
                    .with_status(StatusCode::REQUEST_URI_TOO_LONG))
            };
        }
        let is_folded = matches!(line, [b' ' | b'\t', ..]) && self.fields > 0;
        if !is_folded && self.field != self.line {
            self.field = self.line;
            self.fields = self.fields.saturating_add(1);
        }
        let end = self.line.saturating_add(line.len());
        if self.fields > limits.headers {
            return Err(too_large(self.line, "fewer header fields"));
        }
        if end.saturating_sub(self.field) > limits.header {
            return Err(too_large(self.line, "a shorter header field"));
        }
        Ok(())
    }
}

fn too_large(offset: usize, expected: &'static str) -> ParseError {
    ParseError::new(offset, expected, "RFC 3261 §21.5.7").with_status(StatusCode::MESSAGE_TOO_LARGE)
}

#[cfg(test)]
mod tests;
