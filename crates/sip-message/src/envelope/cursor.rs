//! Reading the values of an envelope in place, folds and all.

use crate::{
    HeaderName, ParseError, Profile,
    header::Known,
    headers::{element_length, is_white},
    parse::{Class, Span, take_class},
};

/// The head of a message: its bytes, which are text but for what peers get wrong.
pub(crate) struct Head<'a> {
    bytes: &'a [u8],
    /// The same as text, if it is text throughout.
    text: Option<&'a str>,
    tolerant: bool,
}

/// What is left to read of a header field value. Folds count as white space.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
    /// Where the value ends in the message.
    end: usize,
    tolerant: bool,
}

/// What the topmost `Via` tells.
pub(super) struct Hop<'a> {
    pub(super) via: &'a str,
    pub(super) transport: &'a str,
    pub(super) sent_by: &'a str,
    pub(super) port: Option<u16>,
    pub(super) branch: Option<&'a str>,
}

impl<'a> Head<'a> {
    /// The text of a part of the head, if it is text.
    pub(crate) fn text(&self, part: Span) -> Option<&'a str> {
        match self.text {
            Some(text) => text.get(part.start()..part.end as usize),
            None => str::from_utf8(part.of(self.bytes)).ok(),
        }
    }

    pub(crate) fn of(bytes: &'a [u8], profile: Profile) -> Self {
        let tolerant = profile == Profile::Tolerant;
        Self { bytes, text: str::from_utf8(bytes).ok(), tolerant }
    }

    #[inline]
    pub(super) fn required(
        &self,
        row: Option<Span>,
        known: Known,
    ) -> Result<Cursor<'a>, ParseError> {
        match self.optional(row, known)? {
            Some(value) => Ok(value),
            None => Err(ParseError::new(self.bytes.len(), "this header field", "RFC 3261 §8.1.1")
                .within(HeaderName::known(known))),
        }
    }

    #[inline]
    pub(super) fn optional(
        &self,
        row: Option<Span>,
        known: Known,
    ) -> Result<Option<Cursor<'a>>, ParseError> {
        let Some(row) = row else { return Ok(None) };
        let (start, end) = (row.start(), row.end as usize);
        let text = match self.text {
            Some(text) => text.get(start..end).unwrap_or_default(),
            None => self.text_of(row, known)?,
        };
        let text = without_white_end(text);
        let mut value =
            Cursor { rest: text, end: start.saturating_add(text.len()), tolerant: self.tolerant };
        value.white();
        Ok(Some(value))
    }

    #[cold]
    fn text_of(&self, row: Span, known: Known) -> Result<&'a str, ParseError> {
        str::from_utf8(row.of(self.bytes)).map_err(|error| {
            let offset = row.start().saturating_add(error.valid_up_to());
            ParseError::new(offset, "UTF-8 text", "RFC 3261 §7.3.1")
                .within(HeaderName::known(known))
        })
    }
}

impl<'a> Cursor<'a> {
    /// Only the first element of a list. The tolerant profile passes over commas before it.
    pub(super) fn first_element(&mut self) -> &mut Self {
        if self.tolerant && self.rest.starts_with(',') {
            self.rest = self.rest.trim_start_matches([',', ' ', '\t', '\r', '\n']);
        }
        let element = element_length(self.rest.as_bytes());
        let text = without_white_end(self.rest.get(..element).unwrap_or_default());
        self.end = self.end.saturating_sub(self.rest.len().saturating_sub(text.len()));
        self.rest = text;
        self
    }

    /// `sent-protocol LWS sent-by *( SEMI via-params )` (RFC 3261 §20.42).
    pub(super) fn hop(&mut self) -> Result<Hop<'a>, ParseError> {
        let via = self.rest;
        self.sip_2_0()?;
        let transport = self.take1(Class::TOKEN, "a transport", VIA)?;
        if !self.white() {
            return Err(self.error("white space", VIA));
        }
        let sent_by = self.host()?;
        self.white();
        let port = if self.skip(b':') {
            self.white();
            Some(self.number(VIA)?)
        } else {
            None
        };
        let branch = self.parameter("branch", VIA)?;
        Ok(Hop { via, transport, sent_by, port, branch })
    }

    /// `SIP/2.0/`, white space around each `/`.
    fn sip_2_0(&mut self) -> Result<(), ParseError> {
        if let Some(rest) = self.rest.strip_prefix("SIP/2.0/") {
            self.rest = rest;
            self.white();
            return Ok(());
        }
        for part in ["SIP", "/", "2.0", "/"] {
            match self.rest.split_at_checked(part.len()) {
                Some((start, rest)) if start.eq_ignore_ascii_case(part) => self.rest = rest,
                _ => return Err(self.error("SIP/2.0", VIA)),
            }
            self.white();
        }
        Ok(())
    }

    fn host(&mut self) -> Result<&'a str, ParseError> {
        if self.rest.as_bytes().first() != Some(&b'[') {
            return self.take1(Class::HOST_NAME, "a host", VIA);
        }
        let Some(length) = memchr::memchr(b']', self.rest.as_bytes()) else {
            return Err(self.error("\"]\" after the IPv6 address", VIA));
        };
        let (reference, rest) =
            self.rest.split_at_checked(length.saturating_add(1)).unwrap_or((self.rest, ""));
        self.rest = rest;
        Ok(reference)
    }

    /// The tag behind an address (RFC 3261 §19.3).
    pub(super) fn tag(&mut self) -> Result<Option<&'a str>, ParseError> {
        self.address()?;
        self.parameter("tag", ADDRESS)
    }

    /// The URI of `name-addr` (RFC 3261 §20.34).
    pub(super) fn route(&mut self) -> Result<&'a str, ParseError> {
        let Some(uri) = self.address()? else {
            return Err(self.error("\"<\" before the URI", "RFC 3261 §20.34"));
        };
        self.parameter("", "RFC 3261 §20.34").map(|_| uri)
    }

    /// `name-addr / addr-spec`; gives the URI if it stands in brackets.
    fn address(&mut self) -> Result<Option<&'a str>, ParseError> {
        if self.rest.as_bytes().first() == Some(&b'"') {
            self.quoted(ADDRESS)?;
        }
        let Some(at) = memchr::memchr2(b'<', b';', self.rest.as_bytes()) else {
            self.rest = "";
            return Ok(None);
        };
        let (_, rest) = self.rest.split_at_checked(at).unwrap_or_default();
        self.rest = rest;
        let Some(inside) = rest.strip_prefix('<') else { return Ok(None) };
        let close = memchr::memchr(b'>', inside.as_bytes());
        let Some((uri, rest)) = close.and_then(|close| inside.split_at_checked(close)) else {
            self.rest = inside;
            return Err(self.error("\">\" after the URI", ADDRESS));
        };
        self.rest = rest.get(1..).unwrap_or_default();
        Ok(Some(uri))
    }

    /// Reads `*( SEMI generic-param )` up to the end; gives the value of the parameter `name`.
    fn parameter(&mut self, name: &str, rfc: &'static str) -> Result<Option<&'a str>, ParseError> {
        let mut found = None;
        loop {
            self.white();
            let before = *self;
            if self.rest.is_empty() {
                return Ok(found.flatten());
            }
            if !self.skip(b';') {
                return Err(self.error("\";\"", rfc));
            }
            self.white();
            if self.rest.is_empty() && self.tolerant {
                return Ok(found.flatten());
            }
            let own = self.take1(Class::TOKEN, "a parameter name", rfc)?;
            let value = self.value(rfc)?;
            if !own.eq_ignore_ascii_case(name) {
                continue;
            }
            if found.replace(value).is_some() {
                return Err(before.error("a parameter that has not come before", rfc));
            }
        }
    }

    /// `[ EQUAL gen-value ]`.
    fn value(&mut self, rfc: &'static str) -> Result<Option<&'a str>, ParseError> {
        self.white();
        if !self.skip(b'=') {
            return Ok(None);
        }
        self.white();
        match self.rest.as_bytes().first() {
            Some(b'"') => self.quoted(rfc).map(Some),
            Some(b'<') if self.tolerant => self.bracketed(rfc).map(Some),
            _ => {
                let class = if self.tolerant { Class::LAX_VALUE } else { Class::GEN_VALUE };
                self.take1(class, "a parameter value", rfc).map(Some)
            }
        }
    }

    fn bracketed(&mut self, rfc: &'static str) -> Result<&'a str, ParseError> {
        let mut bytes = self.rest.bytes();
        let end = bytes.position(|byte| matches!(byte, b'>' | b';' | b',' | b'"' | b' '));
        match end.and_then(|end| self.rest.split_at_checked(end.saturating_add(1))) {
            Some((text, rest)) if text.ends_with('>') => {
                self.rest = rest;
                Ok(text)
            }
            _ => Err(self.error("a parameter value", rfc)),
        }
    }

    /// A quoted string with its quotes.
    fn quoted(&mut self, rfc: &'static str) -> Result<&'a str, ParseError> {
        let bytes = self.rest.as_bytes();
        let mut at = 1_usize;
        while let Some(rest) = bytes.get(at..)
            && let Some(next) = memchr::memchr2(b'"', b'\\', rest)
        {
            at = at.saturating_add(next).saturating_add(1);
            if rest.get(next) == Some(&b'"') {
                let (text, rest) = self.rest.split_at_checked(at).unwrap_or((self.rest, ""));
                self.rest = rest;
                return Ok(text);
            }
            at = at.saturating_add(1);
        }
        Err(self.error("a closing quote", rfc))
    }

    /// `1*DIGIT LWS Method` (RFC 3261 §20.16).
    pub(super) fn cseq(&mut self) -> Result<(u32, &'a str), ParseError> {
        let number = self.number(CSEQ)?;
        if !self.white() {
            return Err(self.error("white space", CSEQ));
        }
        let method = self.take1(Class::TOKEN, "a method", CSEQ)?;
        self.ended(CSEQ).map(|()| (number, method))
    }

    /// `word [ "@" word ]` (RFC 3261 §20.8).
    pub(super) fn call_id(&mut self) -> Result<&'a str, ParseError> {
        let whole = self.rest;
        self.take1(Class::WORD, "a word", CALL_ID)?;
        if self.skip(b'@') {
            self.take1(Class::WORD, "a word", CALL_ID)?;
        }
        self.ended(CALL_ID).map(|()| whole)
    }

    pub(super) fn only_number(&mut self) -> Result<u8, ParseError> {
        let number = self.number(MAX_FORWARDS)?;
        self.ended(MAX_FORWARDS).map(|()| number)
    }

    fn number<N: std::str::FromStr>(&mut self, rfc: &'static str) -> Result<N, ParseError> {
        let before = *self;
        let digits = self.take1(Class::DIGIT, "a number", rfc)?;
        digits.parse().map_err(|_| before.error("a number within its range", rfc))
    }

    #[inline]
    fn take1(
        &mut self,
        class: Class,
        expected: &'static str,
        rfc: &'static str,
    ) -> Result<&'a str, ParseError> {
        match take_class(self.rest, class) {
            ("", _) => Err(self.error(expected, rfc)),
            (taken, rest) => {
                self.rest = rest;
                Ok(taken)
            }
        }
    }

    /// Skips white space; tells whether there was any.
    #[inline]
    fn white(&mut self) -> bool {
        match self.rest.as_bytes() {
            [first, ..] if is_white(*first) => {}
            _ => return false,
        }
        let length = self.rest.bytes().take_while(|byte| is_white(*byte)).count();
        self.rest = self.rest.get(length..).unwrap_or_default();
        true
    }

    #[inline]
    fn skip(&mut self, byte: u8) -> bool {
        if self.rest.as_bytes().first() != Some(&byte) {
            return false;
        }
        self.rest = self.rest.get(1..).unwrap_or_default();
        true
    }

    fn ended(&self, rfc: &'static str) -> Result<(), ParseError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error("the end of the value", rfc)) }
    }

    #[cold]
    fn error(&self, expected: &'static str, rfc: &'static str) -> ParseError {
        ParseError::new(self.end.saturating_sub(self.rest.len()), expected, rfc)
    }
}

const VIA: &str = "RFC 3261 §20.42";
const CALL_ID: &str = "RFC 3261 §20.8";
const CSEQ: &str = "RFC 3261 §20.16";
const MAX_FORWARDS: &str = "RFC 3261 §20.22";
const ADDRESS: &str = "RFC 3261 §20.10";

fn without_white_end(text: &str) -> &str {
    let mut bytes = text.as_bytes();
    while let [rest @ .., last] = bytes
        && is_white(*last)
    {
        bytes = rest;
    }
    text.get(..bytes.len()).unwrap_or_default()
}
