//! SIP and SIPS URIs (RFC 3261 §19.1.1, §25.1).

use std::{borrow::Cow, fmt};

use super::{
    AddressOfRecord, Host, Parameters, TelUri,
    compare::has_name_twice,
    escape::{escape_user, take_fit, unescape, write_escaped},
    host::{ReadHost, read_host_port},
    parameters::uri_parameters,
    write_v4,
};
use crate::{
    Text, WireText,
    parse::{Class, Digits, Fault, Parsed, Rest},
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
    pub user: Option<Text>,
    /// The password, with its escapes.
    pub password: Option<Text>,
    /// The host.
    pub host: Host,
    /// The port, if one is given.
    pub port: Option<u16>,
    /// The URI parameters, such as `transport` and `lr`.
    pub parameters: Parameters,
    /// What stands after `?`, with its escapes; see [`SipUri::header_fields`].
    pub headers: Option<Text>,
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

    /// The telephone number in the user part, if `user=phone` says that there is one (RFC 3261
    /// §19.1.6). A local number may lack the context that RFC 3966 §5.1.5 asks for.
    pub fn telephone(&self) -> Option<TelUri> {
        let is_phone = self.parameters.value("user")?.eq_ignore_ascii_case("phone");
        if is_phone { TelUri::of_user(self.user.as_ref()?) } else { None }
    }

    /// What identifies the resource behind this URI to a registrar (RFC 3261 §10.3 step 5).
    pub fn address_of_record(&self) -> AddressOfRecord {
        AddressOfRecord::of(self)
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

impl SipUri {
    pub(super) fn write(&self, out: &mut impl fmt::Write) -> fmt::Result {
        out.write_str(if self.secure { "sips:" } else { "sip:" })?;
        if let Some(user) = &self.user {
            write_escaped(user, Class::USER, out)?;
            if let Some(password) = &self.password {
                out.write_str(":")?;
                write_escaped(password, Class::PASSWORD, out)?;
            }
            out.write_str("@")?;
        }
        match &self.host {
            Host::Name(name) => out.write_str(name)?,
            Host::V4(address) => write_v4(*address, out)?,
            host @ Host::V6(_) => write!(out, "{host}")?,
        }
        if let Some(port) = self.port {
            out.write_str(":")?;
            out.write_str(Digits::of(port).as_str())?;
        }
        for (name, value) in self.parameters.iter() {
            out.write_str(";")?;
            write_escaped(name, Class::PARAM, out)?;
            if let Some(value) = value {
                out.write_str("=")?;
                write_escaped(value, Class::PARAM, out)?;
            }
        }
        match &self.headers {
            Some(headers) => write_headers(headers, out),
            None => Ok(()),
        }
    }
}

impl fmt::Display for SipUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
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

/// A SIP URI that has been read and does not yet share the bytes it came from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ReadSipUri<'a> {
    pub(super) secure: bool,
    user: Option<&'a str>,
    password: Option<&'a str>,
    host: ReadHost<'a>,
    port: Option<u16>,
    /// All of them as one text, and whether one of them came again.
    parameters: &'a str,
    again: bool,
    headers: Option<&'a str>,
}

impl ReadSipUri<'_> {
    /// The URI; the text it was read from must be a part of `owner`.
    #[inline]
    pub(super) fn of(&self, owner: &WireText<'_>) -> SipUri {
        let slice = |text| owner.slice_ref(text);
        SipUri {
            secure: self.secure,
            user: self.user.map(slice),
            password: self.password.map(slice),
            host: self.host.of(owner),
            port: self.port,
            parameters: Parameters::once(owner, self.parameters, self.again),
            headers: self.headers.map(slice),
        }
    }
}

/// Reads what follows `sip:` or `sips:` into `uri`; `i` must be a part of `owner`. Gives what is
/// left.
#[inline]
pub(super) fn sip_uri<'a>(owner: &WireText<'_>, i: &'a str, uri: &mut ReadSipUri<'a>) -> Rest<'a> {
    let tolerant = owner.is_tolerant();
    let (i, (user, password)) = userinfo(i, tolerant);
    (uri.user, uri.password) = (user, password);
    let (mut i, (host, port)) = read_host_port(i, false, tolerant)?;
    (uri.host, uri.port) = (host, port);
    if i.starts_with(';') {
        let (rest, (parameters, again)) = uri_parameters(tolerant, i)?;
        let has_escapes = parameters.bytes().any(|byte| byte == b'%');
        if has_escapes && has_name_twice(&Parameters::of(owner, parameters)) {
            return Fault::stop(i, "parameters of which no name comes twice");
        }
        (i, uri.parameters, uri.again) = (rest, parameters, again);
    }
    if let Some(after) = i.strip_prefix('?') {
        let (rest, headers) = headers(after, tolerant)?;
        (i, uri.headers) = (rest, Some(headers));
    }
    Ok(i)
}

/// `[ user [ ":" password ] "@" ]`. None of the parts behind can hold an unescaped `@`.
#[inline]
fn userinfo(i: &str, tolerant: bool) -> (&str, (Option<&str>, Option<&str>)) {
    let (user, rest) = take_fit(i, Class::USER, tolerant);
    let (password, rest) = match rest.strip_prefix(':') {
        None => (None, rest),
        Some(after) => {
            let (password, rest) = take_fit(after, Class::PASSWORD, tolerant);
            (Some(password), rest)
        }
    };
    match rest.strip_prefix('@') {
        Some(rest) if !user.is_empty() => (rest, (Some(user), password)),
        _ => (i, (None, None)),
    }
}

/// `header *( "&" header )`, as one text.
///
/// In the tolerant profile a value may hold what should be escaped but ends nothing here: phones
/// write `?Replaces=id@host;to-tag=a;from-tag=b` into `Refer-To` as it stands.
fn headers(i: &str, tolerant: bool) -> Parsed<'_, &str> {
    let mut rest = i;
    loop {
        let (name, after) = take_fit(rest, Class::HEADER, false);
        if name.is_empty() {
            return Fault::error(rest, "a URI header");
        }
        let Some(value) = after.strip_prefix('=') else {
            return Fault::error(after, "\"=\" after a URI header name");
        };
        rest = take_fit(value, Class::HEADER, false).1;
        while tolerant && let Some(after) = rest.strip_prefix(['@', ';', '=', ',']) {
            rest = take_fit(after, Class::HEADER, false).1;
        }
        let Some(next) = rest.strip_prefix('&') else { break };
        rest = next;
    }
    let length = i.len().saturating_sub(rest.len());
    Ok((rest, i.get(..length).unwrap_or_default()))
}

/// Each `=` behind the first of a header, and all that does not fit, is escaped.
fn write_headers(headers: &str, f: &mut impl fmt::Write) -> fmt::Result {
    for (at, header) in headers.split('&').enumerate() {
        f.write_str(if at == 0 { "?" } else { "&" })?;
        let (name, value) = match header.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (header, None),
        };
        write_escaped(name, Class::HEADER, f)?;
        if let Some(value) = value {
            f.write_str("=")?;
            write_escaped(value, Class::HEADER, f)?;
        }
    }
    Ok(())
}
