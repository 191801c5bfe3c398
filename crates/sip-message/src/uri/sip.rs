//! SIP and SIPS URIs (RFC 3261 §19.1.1, §25.1).

use std::{borrow::Cow, fmt};

use bytestring::ByteString;
use nom::{
    Parser,
    branch::alt,
    bytes::complete::take_while1,
    character::complete::char,
    combinator::{opt, recognize},
    multi::{many0_count, separated_list1},
    sequence::{preceded, terminated},
};

use super::{
    Host, Parameters,
    escape::{escapable, escape_unless, escape_user, escaped, unescape},
    host_port, is_unreserved,
    parameters::uri_parameters,
};
use crate::{
    WireText,
    parse::{Parsed, expect},
};

/// A `sip:` or `sips:` URI and its parts. Texts stay escaped as they were written.
///
/// When the URI is written, what the grammar does not allow in a part is escaped, so that no text
/// reaches beyond its part. Two URIs are equal when they are by the rules of RFC 3261 §19.1.4.
#[derive(Clone)]
pub struct SipUri {
    /// Whether the scheme is `sips`.
    pub secure: bool,
    /// The user part, with its escapes; see [`SipUri::user_text`].
    pub user: Option<ByteString>,
    /// The password, with its escapes.
    pub password: Option<ByteString>,
    /// The host.
    pub host: Host,
    /// The port, if one is given.
    pub port: Option<u16>,
    /// The URI parameters, such as `transport` and `lr`.
    pub parameters: Parameters,
    /// What stands after `?`, with its escapes; see [`SipUri::header_fields`].
    pub headers: Option<ByteString>,
}

impl SipUri {
    /// `sip:` and the host.
    pub fn new(host: Host) -> Self {
        Self {
            secure: false,
            user: None,
            password: None,
            host,
            port: None,
            parameters: Parameters::new(),
            headers: None,
        }
    }

    /// The same URI with the user part `user`, escaped as needed.
    #[must_use]
    pub fn with_user(self, user: &str) -> Self {
        Self { user: Some(escape_user(user).into()), ..self }
    }

    /// The same URI with a port.
    #[must_use]
    pub fn with_port(self, port: u16) -> Self {
        Self { port: Some(port), ..self }
    }

    /// The user part without escapes. It may hold any byte, NUL included (RFC 4475 §3.1.1.4).
    pub fn user_text(&self) -> Option<Cow<'_, [u8]>> {
        self.user.as_deref().map(unescape)
    }

    /// The `transport` parameter (RFC 3261 §19.1.1).
    pub fn transport(&self) -> Option<&str> {
        self.parameters.value("transport")
    }

    /// Whether the `lr` parameter says that the host routes loosely (RFC 3261 §16.12).
    pub fn is_loose_router(&self) -> bool {
        self.parameters.contains("lr")
    }

    /// The header fields that a request made from this URI is asked to carry, without escapes.
    pub fn header_fields(&self) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
        let fields = self.headers.as_deref().unwrap_or_default();
        fields.split('&').filter(|field| !field.is_empty()).map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            (unescape(name), unescape(value))
        })
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &self.user {
            f.write_str(&escape_unless(user, is_user_char))?;
            if let Some(password) = &self.password {
                write!(f, ":{}", escape_unless(password, is_password_char))?;
            }
            f.write_str("@")?;
        }
        write!(f, "{}", self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        for (name, value) in self.parameters.iter() {
            write!(f, ";{}", escape_unless(name, is_param_char))?;
            if let Some(value) = value {
                write!(f, "={}", escape_unless(value, is_param_char))?;
            }
        }
        match &self.headers {
            Some(headers) => write!(f, "?{}", escape_unless(headers, is_headers_char)),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for SipUri {
    /// All parts but the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SipUri")
            .field("secure", &self.secure)
            .field("user", &self.user)
            .field("password", &self.password.as_ref().map(|_| "…"))
            .field("host", &self.host)
            .field("port", &self.port)
            .field("parameters", &self.parameters)
            .field("headers", &self.headers)
            .finish()
    }
}

/// What follows `sip:` or `sips:`; `i` must be a part of `owner`.
pub(super) fn sip_uri<'a>(owner: &WireText, secure: bool, i: &'a str) -> Parsed<'a, SipUri> {
    let (i, userinfo) = opt(userinfo).parse(i)?;
    let (i, (host, port)) = host_port(owner, false, i)?;
    let (i, parameters) = uri_parameters(owner, i)?;
    let (i, headers) = opt(preceded(char('?'), headers)).parse(i)?;
    let slice = |text: &str| owner.slice_ref(text);
    let (user, password) = match userinfo {
        Some((user, password)) => (Some(slice(user)), password.map(slice)),
        None => (None, None),
    };
    let headers = headers.map(slice);
    Ok((i, SipUri { secure, user, password, host, port, parameters, headers }))
}

/// `user [ ":" password ] "@"`. None of the parts behind can hold an unescaped `@`.
fn userinfo(i: &str) -> Parsed<'_, (&str, Option<&str>)> {
    let user = escapable(alt((take_while1(is_user_char), escaped)));
    let password = recognize(many0_count(alt((take_while1(is_password_char), escaped))));
    terminated((user, opt(preceded(char(':'), password))), char('@')).parse(i)
}

/// `header *( "&" header )`, as one text.
fn headers(i: &str) -> Parsed<'_, &str> {
    let name = escapable(alt((take_while1(is_header_char), escaped)));
    let value = recognize(many0_count(alt((take_while1(is_header_char), escaped))));
    let header = (name, expect("\"=\" after a URI header name", char('=')), value);
    let list = expect("a URI header", separated_list1(char('&'), header));
    recognize(list).parse(i)
}

/// `unreserved / user-unreserved`.
pub(super) fn is_user_char(c: char) -> bool {
    is_unreserved(c) || "&=+$,;?/".contains(c)
}

/// What `password` may hold besides escapes.
pub(super) fn is_password_char(c: char) -> bool {
    is_unreserved(c) || "&=+$,".contains(c)
}

/// `param-unreserved / unreserved`.
pub(super) fn is_param_char(c: char) -> bool {
    is_unreserved(c) || "[]/:&+$".contains(c)
}

/// `hnv-unreserved / unreserved`.
fn is_header_char(c: char) -> bool {
    is_unreserved(c) || "[]/?:+$".contains(c)
}

/// What the header components hold besides escapes, their separators included.
fn is_headers_char(c: char) -> bool {
    is_header_char(c) || matches!(c, '&' | '=')
}
