//! Reading the values of an envelope in place, folds and all.

use crate::{
    HeaderName, ParseError, Profile,
    header::Known,
    headers::{element_length, is_white},
    parse::{Class, Span, length_of, position},
};

/// The head of a message: its bytes, which are text but for what peers get wrong.
pub(crate) struct Head<'a> {
    bytes: &'a [u8],
    /// The same as text, as far as it is asked for, if it is text throughout.
    text: Option<&'a str>,
    tolerant: bool,
}

/// What is left to read of a header field value. Folds count as white space.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a> {
    /// Text up to the end of the value, with what comes before it.
    text: &'a str,
    /// The place in `text` that is read next.
    at: usize,
    /// Where `text` starts in the message.
    base: usize,
    tolerant: bool,
}

/// Where a value breaks its grammar. A small one, for every step of the reading may return it.
#[derive(Clone, Copy)]
pub(super) struct Stop {
    offset: usize,
    expected: &'static str,
    rfc: &'static str,
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
    /// The head of a message, of which the text up to byte `end` will be asked for.
    #[inline]
    pub(crate) fn of(bytes: &'a [u8], end: usize, profile: Profile) -> Self {
        let text = bytes.get(..end).and_then(|bytes| str::from_utf8(bytes).ok());
        Self { bytes, text, tolerant: profile == Profile::Tolerant }
    }

    /// The text of a part of the head, if it is text.
    #[inline]
    pub(crate) fn text(&self, part: Span) -> Option<&'a str> {
        match self.text {
            Some(text) => text.get(part.start()..part.end as usize),
            None => str::from_utf8(part.of(self.bytes)).ok(),
        }
    }

    #[inline]
    pub(super) fn required(
        &self,
        row: Option<Span>,
        known: Known,
    ) -> Result<Cursor<'a>, ParseError> {
        match row {
            Some(row) => self.value(row, known),
            None => Err(self.lacks(known)),
        }
    }

    #[inline]
    pub(super) fn optional(
        &self,
        row: Option<Span>,
        known: Known,
    ) -> Result<Option<Cursor<'a>>, ParseError> {
        match row {
            Some(row) => self.value(row, known).map(Some),
            None => Ok(None),
        }
    }

    #[inline(always)]
    fn value(&self, row: Span, known: Known) -> Result<Cursor<'a>, ParseError> {
        let tolerant = self.tolerant;
        Ok(match self.text {
            Some(text) => Cursor::over(text, row.start(), row.end as usize, 0, tolerant),
            None => {
                let text = self.text_of(row, known)?;
                Cursor::over(text, 0, text.len(), row.start(), tolerant)
            }
        })
    }

    #[cold]
    fn text_of(&self, row: Span, known: Known) -> Result<&'a str, ParseError> {
        str::from_utf8(row.of(self.bytes)).map_err(|error| {
            let offset = row.start().saturating_add(error.valid_up_to());
            ParseError::new(offset, "UTF-8 text", "RFC 3261 §7.3.1")
                .within(HeaderName::known(known))
        })
    }

    #[cold]
    fn lacks(&self, known: Known) -> ParseError {
        ParseError::new(self.bytes.len(), "this header field", "RFC 3261 §8.1.1")
            .within(HeaderName::known(known))
    }
}

impl Stop {
    #[cold]
    pub(super) fn within(self, known: Known) -> ParseError {
        ParseError::new(self.offset, self.expected, self.rfc).within(HeaderName::known(known))
    }
}

// What is called seldom takes the cursor as a copy: the one that reads stays in registers.
impl<'a> Cursor<'a> {
    /// The value from byte `start` to `end` of `text`, without the white space around it.
    #[inline(always)]
    fn over(text: &'a str, start: usize, end: usize, base: usize, tolerant: bool) -> Self {
        let text = text.get(..end_without_white(text.as_bytes(), start, end)).unwrap_or_default();
        let mut value = Self { text, at: start, base, tolerant };
        value.white();
        value
    }

    /// Only the first element of a list. The tolerant profile passes over commas before it.
    #[inline(always)]
    pub(super) fn first_element(mut self) -> Self {
        if self.tolerant && self.next() == Some(b',') {
            while self.next().is_some_and(|byte| byte == b',' || is_white(byte)) {
                self.step();
            }
        }
        match position(self.rest(), |byte| byte == b',') {
            Some(_) => self.element_of_many(),
            None => self,
        }
    }

    #[cold]
    fn element_of_many(self) -> Self {
        let end = self.at.saturating_add(element_length(self.rest()));
        Self::over(self.text, self.at, end, self.base, self.tolerant)
    }

    /// `sent-protocol LWS sent-by *( SEMI via-params )` (RFC 3261 §20.42).
    #[inline]
    pub(super) fn hop(mut self) -> Result<Hop<'a>, Stop> {
        let via = self.text.get(self.at..).unwrap_or_default();
        self.sip_2_0()?;
        let transport = self.take1(Class::TOKEN, "a transport", VIA)?;
        if !self.white() {
            return Err(self.stop("white space", VIA));
        }
        let sent_by = self.host()?;
        self.white();
        let port = if self.skip(b':') {
            self.white();
            Some(self.number(VIA)?)
        } else {
            None
        };
        let branch = self.parameter(b"branch", VIA)?.flatten();
        Ok(Hop { via, transport, sent_by, port, branch })
    }

    /// `SIP/2.0/`, white space around each `/`.
    #[inline]
    fn sip_2_0(&mut self) -> Result<(), Stop> {
        if self.rest().starts_with(b"SIP/2.0/") {
            self.at = self.at.wrapping_add(8);
            self.white();
        } else {
            *self = self.behind_spaced_sip_2_0()?;
        }
        Ok(())
    }

    #[cold]
    fn behind_spaced_sip_2_0(mut self) -> Result<Self, Stop> {
        for part in ["SIP", "/", "2.0", "/"] {
            match self.rest().get(..part.len()) {
                Some(start) if start.eq_ignore_ascii_case(part.as_bytes()) => {
                    self.at = self.at.saturating_add(part.len());
                }
                _ => return Err(self.stop("SIP/2.0", VIA)),
            }
            self.white();
        }
        Ok(self)
    }

    #[inline]
    fn host(&mut self) -> Result<&'a str, Stop> {
        if self.next() != Some(b'[') {
            return self.take1(Class::HOST_NAME, "a host", VIA);
        }
        match position(self.rest(), |byte| byte == b']') {
            Some(close) => Ok(self.take(close.saturating_add(1))),
            None => Err(self.stop("\"]\" after the IPv6 address", VIA)),
        }
    }

    /// The tag behind an address (RFC 3261 §19.3).
    pub(super) fn tag(mut self) -> Result<Option<&'a str>, Stop> {
        self.address()?;
        match self.parameter(b"tag", ADDRESS)? {
            Some(None) => Err(self.stop("a value of the tag", ADDRESS)),
            tag => Ok(tag.flatten()),
        }
    }

    /// The URI of `name-addr` (RFC 3261 §20.34).
    pub(super) fn route(mut self) -> Result<&'a str, Stop> {
        let Some(uri) = self.address()? else {
            return Err(self.stop("\"<\" before the URI", "RFC 3261 §20.34"));
        };
        self.parameter(b"", "RFC 3261 §20.34").map(|_| uri)
    }

    /// `name-addr / addr-spec`; gives the URI if it stands in brackets.
    #[inline]
    fn address(&mut self) -> Result<Option<&'a str>, Stop> {
        if self.next() == Some(b'"') {
            self.at = self.end_of_quoted(ADDRESS)?;
        }
        let Some(at) = position(self.rest(), |byte| matches!(byte, b'<' | b';')) else {
            self.at = self.text.len();
            return Ok(None);
        };
        self.take(at);
        if !self.skip(b'<') {
            return Ok(None);
        }
        let Some(close) = position(self.rest(), |byte| byte == b'>') else {
            return Err(self.stop("\">\" after the URI", ADDRESS));
        };
        let uri = self.take(close);
        self.step();
        Ok(Some(uri))
    }

    /// Reads `*( SEMI generic-param )` up to the end; gives the parameter `name`: `Some(None)` when
    /// it has no value.
    #[inline]
    fn parameter<const N: usize>(
        mut self,
        name: &[u8; N],
        rfc: &'static str,
    ) -> Result<Option<Option<&'a str>>, Stop> {
        let mut found = None;
        loop {
            self.white();
            let before = self;
            if self.next().is_none() {
                return Ok(found);
            }
            if !self.skip(b';') {
                return Err(self.stop("\";\"", rfc));
            }
            self.white();
            if self.tolerant && self.next().is_none() {
                return Ok(found);
            }
            let own = self.bytes1(Class::TOKEN, "a parameter name", rfc)?;
            let value = self.value(rfc)?;
            let own = <&[u8; N]>::try_from(own);
            if !own.is_ok_and(|own| own == name || own.eq_ignore_ascii_case(name)) {
                continue;
            }
            if found.replace(value).is_some() {
                return Err(before.stop("a parameter that has not come before", rfc));
            }
        }
    }

    /// `[ EQUAL gen-value ]`.
    #[inline(always)]
    fn value(&mut self, rfc: &'static str) -> Result<Option<&'a str>, Stop> {
        self.white();
        if !self.skip(b'=') {
            return Ok(None);
        }
        self.white();
        let start = self.at;
        match self.next() {
            Some(b'"') => self.at = self.end_of_quoted(rfc)?,
            Some(b'<') if self.tolerant => self.at = self.end_of_bracketed(rfc)?,
            _ => {
                let class = if self.tolerant { Class::LAX_VALUE } else { Class::GEN_VALUE };
                self.bytes1(class, "a parameter value", rfc)?;
            }
        }
        Ok(Some(self.since(start)))
    }

    #[cold]
    fn end_of_bracketed(self, rfc: &'static str) -> Result<usize, Stop> {
        let ends = |byte| matches!(byte, b'>' | b';' | b',' | b'"' | b' ');
        match position(self.rest(), ends) {
            Some(end) if self.rest().get(end) == Some(&b'>') => {
                Ok(self.at.saturating_add(end).saturating_add(1))
            }
            _ => Err(self.stop("a parameter value", rfc)),
        }
    }

    /// Behind the closing quote of a quoted string.
    #[inline(never)]
    fn end_of_quoted(self, rfc: &'static str) -> Result<usize, Stop> {
        let bytes = self.text.as_bytes();
        let mut at = self.at.saturating_add(1);
        while let Some(rest) = bytes.get(at..)
            && let Some(next) = position(rest, |byte| matches!(byte, b'"' | b'\\'))
        {
            at = at.saturating_add(next).saturating_add(1);
            if rest.get(next) == Some(&b'"') {
                return Ok(at);
            }
            at = at.saturating_add(1);
        }
        Err(self.stop("a closing quote", rfc))
    }

    /// `1*DIGIT LWS Method` (RFC 3261 §20.16).
    #[inline]
    pub(super) fn cseq(mut self) -> Result<(u32, &'a str), Stop> {
        let number = self.number(CSEQ)?;
        if !self.white() {
            return Err(self.stop("white space", CSEQ));
        }
        let method = self.take1(Class::TOKEN, "a method", CSEQ)?;
        self.ended(CSEQ).map(|()| (number, method))
    }

    /// `word [ "@" word ]` (RFC 3261 §20.8).
    #[inline]
    pub(super) fn call_id(mut self) -> Result<&'a str, Stop> {
        let start = self.at;
        self.bytes1(Class::WORD, "a word", CALL_ID)?;
        if self.skip(b'@') {
            self.bytes1(Class::WORD, "a word", CALL_ID)?;
        }
        self.ended(CALL_ID).map(|()| self.since(start))
    }

    #[inline]
    pub(super) fn only_number(mut self) -> Result<u8, Stop> {
        let number = self.number(MAX_FORWARDS)?;
        self.ended(MAX_FORWARDS).map(|()| number)
    }

    /// `1*DIGIT` as a number that fits `N`; leading zeros are allowed (RFC 4475 §3.1.1.1).
    #[inline]
    fn number<N: TryFrom<u64>>(&mut self, rfc: &'static str) -> Result<N, Stop> {
        let before = *self;
        let mut number = 0_u64;
        while let Some(byte @ b'0'..=b'9') = self.next() {
            let digit = u64::from(byte.wrapping_sub(b'0'));
            // No `N` is as large as what it stops at.
            number = number.saturating_mul(10).saturating_add(digit);
            self.step();
        }
        if self.at == before.at {
            return Err(self.stop("a number", rfc));
        }
        N::try_from(number).map_err(|_| before.stop("a number within its range", rfc))
    }

    /// One or more bytes of a class, none of which has a part of a character.
    #[inline]
    fn take1(
        &mut self,
        class: Class,
        expected: &'static str,
        rfc: &'static str,
    ) -> Result<&'a str, Stop> {
        let start = self.at;
        self.bytes1(class, expected, rfc).map(|_| self.since(start))
    }

    #[inline]
    fn bytes1(
        &mut self,
        class: Class,
        expected: &'static str,
        rfc: &'static str,
    ) -> Result<&'a [u8], Stop> {
        let length = length_of(class, self.rest());
        if length == 0 {
            return Err(self.stop(expected, rfc));
        }
        let bytes = self.rest().get(..length).unwrap_or_default();
        self.at = self.at.wrapping_add(length);
        Ok(bytes)
    }

    /// Skips white space; tells whether there was any.
    #[inline]
    fn white(&mut self) -> bool {
        let start = self.at;
        while self.next().is_some_and(is_white) {
            self.step();
        }
        self.at != start
    }

    #[inline]
    fn skip(&mut self, byte: u8) -> bool {
        let is_next = self.next() == Some(byte);
        if is_next {
            self.step();
        }
        is_next
    }

    #[inline]
    fn ended(self, rfc: &'static str) -> Result<(), Stop> {
        if self.next().is_none() { Ok(()) } else { Err(self.stop("the end of the value", rfc)) }
    }

    #[inline]
    fn next(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Behind the next byte, which is there.
    #[inline]
    fn step(&mut self) {
        self.at = self.at.wrapping_add(1);
    }

    #[inline]
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// The next `length` bytes, which are there and end with a character.
    #[inline]
    fn take(&mut self, length: usize) -> &'a str {
        let start = self.at;
        self.at = start.wrapping_add(length);
        self.since(start)
    }

    #[inline]
    fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    #[cold]
    fn stop(self, expected: &'static str, rfc: &'static str) -> Stop {
        Stop { offset: self.base.saturating_add(self.at), expected, rfc }
    }
}

const VIA: &str = "RFC 3261 §20.42";
const CALL_ID: &str = "RFC 3261 §20.8";
const CSEQ: &str = "RFC 3261 §20.16";
const MAX_FORWARDS: &str = "RFC 3261 §20.22";
const ADDRESS: &str = "RFC 3261 §20.10";

/// The end of the value from byte `start` to `end` without the white space that it ends with.
#[inline]
fn end_without_white(bytes: &[u8], start: usize, mut end: usize) -> usize {
    while end > start
        && let last = end.wrapping_sub(1)
        && bytes.get(last).is_some_and(|byte| is_white(*byte))
    {
        end = last;
    }
    end
}
