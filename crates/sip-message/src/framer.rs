//! Messages out of a byte stream (RFC 3261 §18.3, RFC 5626 §3.5.1).
#![deny(clippy::arithmetic_side_effects)]

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
    /// Up to here the buffer holds whole lines of header, none of them empty.
    searched: usize,
    /// The length of the message at the front, once its header has been read.
    length: Option<usize>,
    /// Whether the last frame was one CRLF: another one makes a ping.
    after_crlf: bool,
    error: Option<ParseError>,
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

impl Framer {
    /// An empty framer.
    pub fn new(limits: Limits) -> Self {
        Self {
            options: ParseOptions { profile: Profile::Tolerant, limits },
            buffer: BytesMut::new(),
            searched: 0,
            length: None,
            after_crlf: false,
            error: None,
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

    fn advance(&mut self) -> Result<Option<Frame>, ParseError> {
        if self.length.is_none() && self.searched == 0 {
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
        self.searched = 0;
        Ok(Some(Frame::Message(self.buffer.split_to(length).freeze())))
    }

    fn message_length(&mut self) -> Result<Option<usize>, ParseError> {
        if self.length.is_none() {
            let Some(body) = self.end_of_header()? else { return Ok(None) };
            self.length = Some(self.read_length(body)?);
        }
        Ok(self.length)
    }

    /// Where the body starts, if the empty line has come. Whole lines are looked at once.
    fn end_of_header(&mut self) -> Result<Option<usize>, ParseError> {
        loop {
            let rest = self.buffer.get(self.searched..).unwrap_or_default();
            let Some(newline) = memchr::memchr(b'\n', rest) else {
                return self.bounded(self.buffer.len()).map(|()| None);
            };
            let line = rest.get(..newline).unwrap_or_default();
            let is_empty = matches!(line, b"" | b"\r");
            self.searched = self.searched.saturating_add(newline).saturating_add(1);
            self.bounded(self.searched)?;
            if is_empty {
                return Ok(Some(self.searched));
            }
        }
    }

    fn bounded(&self, length: usize) -> Result<(), ParseError> {
        let limit = self.options.limits.message;
        if length <= limit {
            return Ok(());
        }
        Err(ParseError::new(limit, "a smaller message", "RFC 3261 §21.5.7")
            .with_status(StatusCode::MESSAGE_TOO_LARGE))
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

#[cfg(test)]
mod tests;
