//! What it takes to route a message, read without a copy of anything (RFC 3261 §16.3, §17.1.3,
//! §17.2.3).
#![deny(clippy::arithmetic_side_effects)]

use crate::{
    HeaderName, Headers, ParseError, Profile,
    headers::{element_length, is_white},
    parse::{Class, Line},
    valid::missing,
};

/// The parts of a message that a proxy or a transaction layer goes by, borrowed from its bytes.
///
/// Nothing is allocated to read it. Each part is what the typed header field of the same name would
/// give; of the parts that are not shown only the shape is looked at.
///
/// ```
/// use offhook_sip_message::Message;
///
/// let message = Message::parse(
///     "ACK sip:bob@biloxi.example SIP/2.0\r\n\
///      Via: SIP/2.0/UDP pc33.atlanta.example:5066;branch=z9hG4bK74b43\r\n\
///      Route: <sip:ss1.atlanta.example;lr>, <sip:ss2.biloxi.example;lr>\r\n\
///      f: Alice <sip:alice@atlanta.example>;tag=9fxced76sl\r\n\
///      t: Bob <sip:bob@biloxi.example>;tag=8321234356\r\n\
///      Call-ID: 3848276298220188511@atlanta.example\r\n\
///      CSeq: 1 ACK\r\n\r\n"
///         .into(),
/// )?;
/// let envelope = message.envelope()?;
/// assert_eq!(envelope.branch, Some("z9hG4bK74b43"));
/// assert_eq!((envelope.sent_by, envelope.port), ("pc33.atlanta.example", Some(5066)));
/// assert_eq!((envelope.from_tag, envelope.to_tag), (Some("9fxced76sl"), Some("8321234356")));
/// assert_eq!((envelope.cseq, envelope.cseq_method), (1, "ACK"));
/// assert_eq!(envelope.route, Some("sip:ss1.atlanta.example;lr"));
/// assert_eq!(envelope.max_forwards, None);
/// # Ok::<(), offhook_sip_message::ParseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Envelope<'a> {
    /// The topmost `Via` as it stands (RFC 3261 §20.42).
    pub via: &'a str,
    /// The transport of the topmost `Via`, such as `UDP`.
    pub transport: &'a str,
    /// The host of the topmost `Via`, IPv6 with its brackets.
    pub sent_by: &'a str,
    /// The port of the topmost `Via`.
    pub port: Option<u16>,
    /// The branch of the topmost `Via`.
    pub branch: Option<&'a str>,
    /// The tag of `From` (RFC 3261 §20.20).
    pub from_tag: Option<&'a str>,
    /// The tag of `To` (RFC 3261 §20.39).
    pub to_tag: Option<&'a str>,
    /// `Call-ID` (RFC 3261 §20.8).
    pub call_id: &'a str,
    /// The number of `CSeq` (RFC 3261 §20.16).
    pub cseq: u32,
    /// The method of `CSeq`.
    pub cseq_method: &'a str,
    /// `Max-Forwards` (RFC 3261 §20.22).
    pub max_forwards: Option<u8>,
    /// The URI of the topmost `Route` as it stands (RFC 3261 §20.34).
    pub route: Option<&'a str>,
}

impl<'a> Envelope<'a> {
    /// Reads the envelope of a message.
    ///
    /// # Errors
    /// When `Via`, `From`, `To`, `Call-ID` or `CSeq` is missing, when one of them but `Via` comes
    /// twice, or when one of the parts breaks its grammar.
    pub fn of(headers: &'a Headers) -> Result<Self, ParseError> {
        let rows = Rows::of(headers)?;
        let required = |row: Option<_>, name| row.ok_or_else(|| missing(headers, name));
        let via = Cursor::of(headers, required(rows.via, HeaderName::VIA)?).first_element();
        let from = Cursor::of(headers, required(rows.from, HeaderName::FROM)?);
        let to = Cursor::of(headers, required(rows.to, HeaderName::TO)?);
        let call_id = Cursor::of(headers, required(rows.call_id, HeaderName::CALL_ID)?);
        let cseq = Cursor::of(headers, required(rows.cseq, HeaderName::CSEQ)?);
        let hops = |line| within(Cursor::of(headers, line).only_number(), HeaderName::MAX_FORWARDS);
        let route =
            |line| within(Cursor::of(headers, line).first_element().route(), HeaderName::ROUTE);
        let hop = within(via.hop(), HeaderName::VIA)?;
        let (cseq, cseq_method) = within(cseq.cseq(), HeaderName::CSEQ)?;
        Ok(Self {
            via: within(via.text(via.rest), HeaderName::VIA)?,
            transport: hop.transport,
            sent_by: hop.sent_by,
            port: hop.port,
            branch: hop.branch,
            from_tag: within(from.tag(), HeaderName::FROM)?,
            to_tag: within(to.tag(), HeaderName::TO)?,
            call_id: within(call_id.call_id(), HeaderName::CALL_ID)?,
            cseq,
            cseq_method,
            max_forwards: rows.max_forwards.map(hops).transpose()?,
            route: rows.route.map(route).transpose()?,
        })
    }
}

fn within<T>(read: Result<T, ParseError>, name: HeaderName) -> Result<T, ParseError> {
    read.map_err(|error| error.within(name))
}

/// The rows that hold the envelope.
#[derive(Default)]
struct Rows<'a> {
    via: Option<&'a Line>,
    from: Option<&'a Line>,
    to: Option<&'a Line>,
    call_id: Option<&'a Line>,
    cseq: Option<&'a Line>,
    max_forwards: Option<&'a Line>,
    route: Option<&'a Line>,
}

impl<'a> Rows<'a> {
    fn of(headers: &'a Headers) -> Result<Self, ParseError> {
        let mut rows = Self::default();
        for line in &headers.lines {
            let Some(known) = line.known else { continue };
            let name = HeaderName::known(known);
            let (place, is_list) = match name {
                HeaderName::VIA => (&mut rows.via, true),
                HeaderName::ROUTE => (&mut rows.route, true),
                HeaderName::FROM => (&mut rows.from, false),
                HeaderName::TO => (&mut rows.to, false),
                HeaderName::CALL_ID => (&mut rows.call_id, false),
                HeaderName::CSEQ => (&mut rows.cseq, false),
                HeaderName::MAX_FORWARDS => (&mut rows.max_forwards, false),
                _ => continue,
            };
            if place.is_none() {
                *place = Some(line);
            } else if !is_list {
                let error = ParseError::new(line.name.start(), ONCE, "RFC 3261 §7.3.1");
                return Err(error.within(name));
            }
        }
        Ok(rows)
    }
}

const ONCE: &str = "one such header field";

/// What is left to read of a header field value. Folds count as white space.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    rest: &'a [u8],
    /// Where the value ends in the message.
    end: usize,
    profile: Profile,
}

/// What the topmost `Via` tells.
struct Hop<'a> {
    transport: &'a str,
    sent_by: &'a str,
    port: Option<u16>,
    branch: Option<&'a str>,
}

impl<'a> Cursor<'a> {
    fn of(headers: &'a Headers, line: &Line) -> Self {
        let (rest, start) = headers.placed(line);
        Self { rest, end: start.saturating_add(rest.len()), profile: headers.profile }
    }

    /// Only the first element of a list.
    fn first_element(mut self) -> Self {
        let length = element_length(self.rest);
        self.end = self.end.saturating_sub(self.rest.len().saturating_sub(length));
        self.rest = self.rest.get(..length).unwrap_or_default();
        let white = self.rest.iter().rev().take_while(|byte| is_white(**byte)).count();
        self.end = self.end.saturating_sub(white);
        self.rest = self.rest.get(..length.saturating_sub(white)).unwrap_or_default();
        self
    }

    /// `sent-protocol LWS sent-by *( SEMI via-params )` (RFC 3261 §20.42).
    fn hop(mut self) -> Result<Hop<'a>, ParseError> {
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
        let branch = self.parameter(b"branch", VIA)?;
        Ok(Hop { transport, sent_by, port, branch })
    }

    /// `SIP/2.0/`, white space around each `/`.
    fn sip_2_0(&mut self) -> Result<(), ParseError> {
        if let Some(rest) = self.rest.strip_prefix(b"SIP/2.0/") {
            self.rest = rest;
            self.white();
            return Ok(());
        }
        for part in [&b"SIP"[..], b"/", b"2.0", b"/"] {
            match self.rest.split_at_checked(part.len()) {
                Some((start, rest)) if start.eq_ignore_ascii_case(part) => self.rest = rest,
                _ => return Err(self.error("SIP/2.0", VIA)),
            }
            self.white();
        }
        Ok(())
    }

    fn host(&mut self) -> Result<&'a str, ParseError> {
        if !self.rest.starts_with(b"[") {
            return self.take1(Class::HOST_NAME, "a host", VIA);
        }
        let Some(length) = memchr::memchr(b']', self.rest) else {
            return Err(self.error("\"]\" after the IPv6 address", VIA));
        };
        let (reference, rest) =
            self.rest.split_at_checked(length.saturating_add(1)).unwrap_or((self.rest, b""));
        let text = self.text(reference)?;
        self.rest = rest;
        Ok(text)
    }

    /// The tag behind an address (RFC 3261 §19.3).
    fn tag(mut self) -> Result<Option<&'a str>, ParseError> {
        self.address()?;
        self.parameter(b"tag", ADDRESS)
    }

    /// The URI of `name-addr` (RFC 3261 §20.34).
    fn route(mut self) -> Result<&'a str, ParseError> {
        let Some(uri) = self.address()? else {
            return Err(self.error("\"<\" before the URI", "RFC 3261 §20.34"));
        };
        self.parameter(b"", "RFC 3261 §20.34")?;
        self.text(uri)
    }

    /// `name-addr / addr-spec`; gives the URI if it stands in brackets.
    fn address(&mut self) -> Result<Option<&'a [u8]>, ParseError> {
        if self.rest.starts_with(b"\"") {
            self.quoted(ADDRESS)?;
        }
        match memchr::memchr2(b'<', b';', self.rest) {
            Some(at) if self.rest.get(at) == Some(&b'<') => {
                self.rest = self.rest.get(at.saturating_add(1)..).unwrap_or_default();
                let Some(length) = memchr::memchr(b'>', self.rest) else {
                    return Err(self.error("\">\" after the URI", ADDRESS));
                };
                let uri = self.rest.get(..length);
                self.rest = self.rest.get(length.saturating_add(1)..).unwrap_or_default();
                Ok(uri)
            }
            semicolon => {
                self.rest = semicolon.and_then(|at| self.rest.get(at..)).unwrap_or_default();
                Ok(None)
            }
        }
    }

    /// Reads `*( SEMI generic-param )` up to the end; gives the value of the parameter `name`.
    fn parameter(&mut self, name: &[u8], rfc: &'static str) -> Result<Option<&'a str>, ParseError> {
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
            if self.rest.is_empty() && self.profile == Profile::Tolerant {
                return Ok(found.flatten());
            }
            let own = self.bytes1(Class::TOKEN, "a parameter name", rfc)?;
            let value = self.value(rfc)?;
            if !own.eq_ignore_ascii_case(name) {
                continue;
            }
            let value = value.map(|value| self.text(value)).transpose()?;
            if found.replace(value).is_some() {
                return Err(before.error("a parameter that has not come before", rfc));
            }
        }
    }

    /// `[ EQUAL gen-value ]`.
    fn value(&mut self, rfc: &'static str) -> Result<Option<&'a [u8]>, ParseError> {
        self.white();
        if !self.skip(b'=') {
            return Ok(None);
        }
        self.white();
        let tolerant = self.profile == Profile::Tolerant;
        let value = self.rest;
        match self.rest.first() {
            Some(b'"') => self.quoted(rfc)?,
            Some(b'<') if tolerant => {
                let end = value.iter().position(|byte| matches!(byte, b'>' | b';' | b'"'));
                let end = end.filter(|end| value.get(*end) == Some(&b'>'));
                let Some(end) = end else { return Err(self.error("a parameter value", rfc)) };
                self.rest = value.get(end.saturating_add(1)..).unwrap_or_default();
            }
            _ => {
                let class = if tolerant { Class::LAX_VALUE } else { Class::GEN_VALUE };
                return self.bytes1(class, "a parameter value", rfc).map(Some);
            }
        }
        let length = value.len().saturating_sub(self.rest.len());
        Ok(value.get(..length))
    }

    /// Skips a quoted string.
    fn quoted(&mut self, rfc: &'static str) -> Result<(), ParseError> {
        let mut at = 1_usize;
        while let Some(rest) = self.rest.get(at..)
            && let Some(next) = memchr::memchr2(b'"', b'\\', rest)
        {
            at = at.saturating_add(next).saturating_add(1);
            if rest.get(next) == Some(&b'"') {
                self.rest = self.rest.get(at..).unwrap_or_default();
                return Ok(());
            }
            at = at.saturating_add(1);
        }
        Err(self.error("a closing quote", rfc))
    }

    /// `1*DIGIT LWS Method` (RFC 3261 §20.16).
    fn cseq(mut self) -> Result<(u32, &'a str), ParseError> {
        let number = self.number(CSEQ)?;
        if !self.white() {
            return Err(self.error("white space", CSEQ));
        }
        let method = self.take1(Class::TOKEN, "a method", CSEQ)?;
        self.ended(CSEQ).map(|()| (number, method))
    }

    /// `word [ "@" word ]` (RFC 3261 §20.8).
    fn call_id(mut self) -> Result<&'a str, ParseError> {
        let whole = self.rest;
        self.bytes1(Class::WORD, "a word", CALL_ID)?;
        if self.skip(b'@') {
            self.bytes1(Class::WORD, "a word", CALL_ID)?;
        }
        self.ended(CALL_ID)?;
        self.text(whole)
    }

    fn only_number(mut self) -> Result<u8, ParseError> {
        let number = self.number(MAX_FORWARDS)?;
        self.ended(MAX_FORWARDS).map(|()| number)
    }

    fn number<N: std::str::FromStr>(&mut self, rfc: &'static str) -> Result<N, ParseError> {
        let before = *self;
        let digits = self.take1(Class::DIGIT, "a number", rfc)?;
        digits.parse().map_err(|_| before.error("a number within its range", rfc))
    }

    fn take1(
        &mut self,
        class: Class,
        expected: &'static str,
        rfc: &'static str,
    ) -> Result<&'a str, ParseError> {
        let bytes = self.bytes1(class, expected, rfc)?;
        self.text(bytes)
    }

    fn bytes1(
        &mut self,
        class: Class,
        expected: &'static str,
        rfc: &'static str,
    ) -> Result<&'a [u8], ParseError> {
        match self.rest.split_at_checked(class.length(self.rest)) {
            Some((taken, rest)) if !taken.is_empty() => {
                self.rest = rest;
                Ok(taken)
            }
            _ => Err(self.error(expected, rfc)),
        }
    }

    /// Skips white space; tells whether there was any.
    fn white(&mut self) -> bool {
        let length = self.rest.iter().take_while(|byte| is_white(**byte)).count();
        self.rest = self.rest.get(length..).unwrap_or_default();
        length > 0
    }

    fn skip(&mut self, byte: u8) -> bool {
        let Some(rest) = self.rest.strip_prefix(&[byte]) else { return false };
        self.rest = rest;
        true
    }

    fn ended(&self, rfc: &'static str) -> Result<(), ParseError> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.error("the end of the value", rfc)) }
    }

    fn text(&self, part: &'a [u8]) -> Result<&'a str, ParseError> {
        str::from_utf8(part).map_err(|_| self.error("UTF-8 text", "RFC 3261 §7.3.1"))
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

#[cfg(test)]
mod tests;
