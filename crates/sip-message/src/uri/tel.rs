//! Telephone numbers: `tel` URIs (RFC 3966) and their relation to SIP URIs (RFC 3261 §19.1.6).

use std::{
    borrow::Cow,
    fmt,
    hash::{Hash, Hasher},
};

use super::{
    Host, SipUri,
    compare::same_caseless,
    escape::{Octets, take_fit, write_byte, write_escaped},
};
use crate::{
    Text, WireText,
    parse::{Class, Fault, ParseError, Parsed},
};

/// A `tel:` URI: a number and its parameters, as they were written.
///
/// Two of them are equal by RFC 3966 §4: visual separators, case and the order of parameters do
/// not count.
///
/// ```
/// use offhook_sip_message::TelUri;
///
/// let number = TelUri::global("+1-201-555-0123")?.with_parameter("ext", Some("12"))?;
/// assert_eq!(number.to_string(), "tel:+1-201-555-0123;ext=12");
/// assert_eq!(number.digits(), "+12015550123");
/// let in_sip = number.to_sip_uri("gateway.example".parse()?);
/// assert_eq!(in_sip.to_string(), "sip:+1-201-555-0123;ext=12@gateway.example;user=phone");
/// assert_eq!(in_sip.telephone(), Some(number));
/// # Ok::<(), offhook_sip_message::ParseError>(())
/// ```
#[derive(Clone, Debug)]
pub struct TelUri {
    /// `telephone-subscriber`, as it was written.
    text: Text,
    /// How many bytes of it are the number.
    number: usize,
}

impl TelUri {
    /// The global number `number`: a plus sign and digits, with visual separators if you like.
    ///
    /// # Errors
    /// When it is not (RFC 3966 §3 `global-number-digits`).
    pub fn global(number: &str) -> Result<Self, ParseError> {
        match number_length(number) {
            Some(length) if length == number.len() && number.starts_with('+') => {
                Ok(Self { text: number.into(), number: length })
            }
            _ => Err(ParseError::new(0, "\"+\" and digits", "RFC 3966 §3")),
        }
    }

    /// The local number `number` within `context`, a domain name or the start of a global number
    /// (RFC 3966 §5.1.5).
    ///
    /// # Errors
    /// When one of them is not what it should be.
    pub fn local(number: &str, context: &str) -> Result<Self, ParseError> {
        match number_length(number) {
            Some(length) if length == number.len() && !number.starts_with('+') => {}
            _ => return Err(ParseError::new(0, "digits", "RFC 3966 §3")),
        }
        if !is_context(context) {
            let expected = "a domain name or the start of a global number";
            return Err(ParseError::new(0, expected, "RFC 3966 §5.1.5"));
        }
        let text = [number, ";phone-context=", context].concat();
        Ok(Self { text: text.into(), number: number.len() })
    }

    /// The same number with the parameter `name`, escaped as needed, at the place that RFC 3966 §3
    /// tells: `ext` or `isub` first, then `phone-context`, then the others by name.
    ///
    /// # Errors
    /// When `name` is no parameter name or stands there already, or `ext` has no digits.
    pub fn with_parameter(&self, name: &str, value: Option<&str>) -> Result<Self, ParseError> {
        let refuse = |expected| Err(ParseError::new(0, expected, "RFC 3966 §3"));
        if name.is_empty() || !name.bytes().all(is_name_byte) {
            return refuse("a parameter name of letters, digits and hyphens");
        }
        if self.parameter(name).is_some() {
            return refuse("a parameter that has not come before");
        }
        let mut parameters: Vec<_> = self.parameters().collect();
        parameters.push((name, value));
        parameters.sort_by_key(|(name, _)| rank(name));
        let mut text = self.number().to_owned();
        // Writing to a String cannot fail.
        let _ = write_parameters(&parameters, Class::PARAM, &mut text);
        let text = WireText::from(&*text);
        match subscriber(&text, &text) {
            Ok(("", uri)) => Ok(uri),
            Ok(_) | Err(_) => refuse("a value that the parameter can have"),
        }
    }

    /// The number as it was written, with its visual separators.
    pub fn number(&self) -> &str {
        self.text.get(..self.number).unwrap_or_default()
    }

    /// The number without visual separators; the plus sign of a global number is kept.
    pub fn digits(&self) -> Cow<'_, str> {
        without_separators(self.number())
    }

    /// Whether the number is valid everywhere; it starts with `+` then.
    pub fn is_global(&self) -> bool {
        self.text.starts_with('+')
    }

    /// Where a local number is valid: a domain name, or the start of a global number. RFC 3966
    /// §5.1.5 asks every local number for it, but many peers leave it out.
    pub fn phone_context(&self) -> Option<&str> {
        self.parameter("phone-context").flatten()
    }

    /// The extension behind a branch exchange (RFC 3966 §5.3), as it was written.
    pub fn extension(&self) -> Option<&str> {
        self.parameter("ext").flatten()
    }

    /// The ISDN subaddress (RFC 3966 §5.2), with its escapes.
    pub fn isdn_subaddress(&self) -> Option<&str> {
        self.parameter("isub").flatten()
    }

    /// The parameter `name`: `None` when absent, `Some(None)` when it has no value. Trunk groups
    /// (RFC 4904: `tgrp`, `trunk-context`) and number portability (RFC 4694: `rn`, `npdi`) are
    /// found by this.
    pub fn parameter(&self, name: &str) -> Option<Option<&str>> {
        self.parameters().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All parameters as they were written.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let text = self.text.get(self.number..).unwrap_or_default();
        text.split(';').skip(1).map(|parameter| match parameter.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (parameter, None),
        })
    }

    /// The parameters that forbid the use of the number to those who do not know them (RFC 3966
    /// §5.4): their names start with `m-`.
    pub fn mandatory_parameters(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let is_mandatory =
            |name: &str| name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("m-"));
        self.parameters().filter(move |(name, _)| is_mandatory(name))
    }

    /// What stands after `tel:`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The SIP URI for this number at `host`: the whole of it becomes the user part, in lower case
    /// and in the order of RFC 3261 §19.1.6, so that equal numbers give equal URIs. The separators
    /// stay.
    pub fn to_sip_uri(&self, host: Host) -> SipUri {
        let folded = self.folded();
        let mut parameters: Vec<_> = folded.parameters().collect();
        parameters.sort_by_key(|(name, _)| sip_rank(name));
        let mut user = String::with_capacity(self.text.len());
        // Writing to a String cannot fail.
        let _ = write_escaped(folded.number(), Class::USER, &mut user);
        let _ = write_parameters(&parameters, Class::USER, &mut user);
        let mut uri = SipUri::new(host);
        uri.user = Some(user.into());
        uri.parameters.set("user", Some("phone"));
        uri
    }

    /// The number in lower case, letters that are escaped without need included.
    fn folded(&self) -> Self {
        let mut text = String::with_capacity(self.text.len());
        for (byte, is_escaped) in Octets(self.text.as_bytes()) {
            let byte = byte.to_ascii_lowercase();
            let is_plain = byte.is_ascii_alphabetic() || (byte.is_ascii() && !is_escaped);
            // Writing to a String cannot fail.
            let _ = write_byte(byte, is_plain, &mut text);
        }
        Self { text: text.into(), number: self.number }
    }

    /// The number that the user part `user` of a SIP URI holds.
    pub(super) fn of_user(user: &Text) -> Option<Self> {
        let text = match memchr::memchr(b'%', user.as_bytes()) {
            None => Cow::Borrowed(user.as_str()),
            Some(_) => unescape_number(user).into(),
        };
        let text = WireText::from(&*text);
        match subscriber(&text, &text) {
            Ok(("", uri)) => Some(uri),
            Ok(_) | Err(_) => None,
        }
    }
}

impl PartialEq for TelUri {
    /// The rules of RFC 3966 §4.
    fn eq(&self, other: &Self) -> bool {
        let same = |(name, value): (&str, Option<&str>)| match (value, other.parameter(name)) {
            (Some(one), Some(Some(other))) => same_value(name, one, other),
            (None, Some(None)) => true,
            (_, None) | (Some(_), Some(None)) | (None, Some(Some(_))) => false,
        };
        self.digits().eq_ignore_ascii_case(&other.digits())
            && self.parameters().count() == other.parameters().count()
            && self.parameters().all(same)
    }
}

impl Eq for TelUri {}

impl Hash for TelUri {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.digits().to_ascii_lowercase().hash(state);
        self.parameters().count().hash(state);
    }
}

impl fmt::Display for TelUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tel:{}", self.text)
    }
}

impl std::str::FromStr for TelUri {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text.parse()? {
            super::Uri::Tel(uri) => Ok(uri),
            super::Uri::Sip(_) | super::Uri::Absolute(_) => {
                Err(ParseError::new(0, "a telephone number behind \"tel:\"", "RFC 3966 §3"))
            }
        }
    }
}

/// `telephone-subscriber`; `i` must be a part of `owner`. The order of the parameters binds those who write them (RFC 3261
/// §19.1.6 has an example in another one), so it is not asked for.
pub(super) fn subscriber<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, TelUri> {
    let Some(number) = number_length(i) else { return Fault::error(i, "a telephone number") };
    let mut rest = i.get(number..).unwrap_or_default();
    let parameters = rest;
    while let Some(after) = rest.strip_prefix(';') {
        let (end, (name, value)) = parameter(after)?;
        let before = parameters.len().saturating_sub(rest.len());
        check(owner, name, value, parameters.get(..before).unwrap_or_default(), after)?;
        rest = end;
    }
    let (text, rest) = i.split_at_checked(i.len().saturating_sub(rest.len())).unwrap_or((i, ""));
    let uri = TelUri { text: owner.slice_ref(text), number };
    // Phones, and all who put `tel:112` on a page, leave the context out.
    if !uri.is_global() && uri.phone_context().is_none() && !owner.is_tolerant() {
        return Fault::error(rest, "a phone-context of the local number");
    }
    Ok((rest, uri))
}

type Parameter<'a> = (&'a str, Option<&'a str>);

/// `pname [ "=" pvalue ]`. The value of `isub` may be any `uric`; its `;` must be escaped, for
/// parameters end there.
fn parameter(i: &str) -> Parsed<'_, Parameter<'_>> {
    let length = i.bytes().position(|byte| !is_name_byte(byte)).unwrap_or(i.len());
    let (name, rest) = i.split_at_checked(length).unwrap_or((i, ""));
    if name.is_empty() {
        return Fault::error(i, "a parameter name");
    }
    let Some(after) = rest.strip_prefix('=') else { return Ok((rest, (name, None))) };
    let (mut value, mut rest) = take_fit(after, Class::PARAM, false);
    if name.eq_ignore_ascii_case("isub") {
        while let Some(more) = rest.strip_prefix(['?', '@', '=', ',']) {
            rest = take_fit(more, Class::PARAM, false).1;
        }
        value = after.get(..after.len().saturating_sub(rest.len())).unwrap_or_default();
    }
    if value.is_empty() {
        Fault::error(after, "a parameter value")
    } else {
        Ok((rest, (name, Some(value))))
    }
}

/// What RFC 3966 §3 asks of one parameter; `before` are those in front of it, and there are so few
/// that they can be compared one by one.
fn check<'a>(
    owner: &WireText<'_>,
    name: &str,
    value: Option<&str>,
    before: &str,
    at: &'a str,
) -> Result<(), nom::Err<Fault<'a>>> {
    let refuse = |expected| Err(nom::Err::Error(Fault { rest: at, expected }));
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    let mut names = before.split(';').skip(1).map(|own| own.split('=').next().unwrap_or_default());
    if names.clone().count() >= MAX_PARAMETERS {
        return refuse("fewer parameters");
    }
    if names.clone().any(is) {
        return refuse("a parameter that has not come before");
    }
    let other = if is("ext") { "isub" } else { "ext" };
    if (is("ext") || is("isub")) && names.any(|own| own.eq_ignore_ascii_case(other)) {
        return refuse("an extension or an ISDN subaddress, not both");
    }
    if is("ext") && !value.is_some_and(|value| value.bytes().all(is_phone_digit)) {
        return refuse("an extension of digits");
    }
    if is("isub") && value.is_none() {
        return refuse("an ISDN subaddress");
    }
    // Contexts such as `5` are in RFC 3261 §19.1.6 and in use.
    let is_fit = |context| owner.is_tolerant() || is_context(context);
    if is("phone-context") && !value.is_some_and(is_fit) {
        return refuse("a phone-context that is a domain name or the start of a global number");
    }
    Ok(())
}

/// The length of `global-number-digits` or `local-number-digits` at the start of `text`.
fn number_length(text: &str) -> Option<usize> {
    let (sign, digits) = match text.strip_prefix('+') {
        Some(digits) => (1, digits),
        None => (0, text),
    };
    let is_digit = |byte: u8| match sign {
        1 => byte.is_ascii_digit(),
        _ => byte.is_ascii_hexdigit() || matches!(byte, b'*' | b'#'),
    };
    let fits = |byte: u8| is_digit(byte) || is_separator(byte);
    let length = digits.bytes().position(|byte| !fits(byte)).unwrap_or(digits.len());
    let has_digit = digits.bytes().take(length).any(is_digit);
    has_digit.then(|| length.saturating_add(sign))
}

/// `descriptor`.
fn is_context(text: &str) -> bool {
    if text.starts_with('+') {
        return number_length(text) == Some(text.len());
    }
    let label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(is_name_byte)
    };
    let text = text.strip_suffix('.').unwrap_or(text);
    let top = text.rsplit('.').next().unwrap_or_default();
    text.split('.').all(label) && top.starts_with(|first: char| first.is_ascii_alphabetic())
}

fn same_value(name: &str, one: &str, other: &str) -> bool {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    let are_digits =
        is("ext") || (is("phone-context") && one.starts_with('+') && other.starts_with('+'));
    if are_digits {
        return same_caseless(&without_separators(one), &without_separators(other), Class::PARAM);
    }
    same_caseless(one, other, Class::PARAM)
}

/// Without visual separators, those that are escaped included.
fn without_separators(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| is_separator(byte) || byte == b'%') {
        return Cow::Borrowed(text);
    }
    let mut digits = String::with_capacity(text.len());
    for (byte, is_escaped) in Octets(text.as_bytes()) {
        if !is_separator(byte) {
            // Writing to a String cannot fail.
            let _ = write_byte(byte, byte.is_ascii() && !is_escaped, &mut digits);
        }
    }
    Cow::Owned(digits)
}

/// Undoes the escapes that only keep a character of a number or of its parameters, such as `#` or
/// `:`, out of a user part (RFC 3261 §25.1 `telephone-subscriber`).
fn unescape_number(user: &str) -> String {
    let in_number =
        |byte: u8| byte.is_ascii_hexdigit() || is_separator(byte) || matches!(byte, b'*' | b'#');
    let in_parameters =
        |byte| Class::UNRESERVED.has(byte) || (Class::PARAM.has(byte) && !Class::USER.has(byte));
    let mut is_number = true;
    let mut text = String::with_capacity(user.len());
    for (byte, is_escaped) in Octets(user.as_bytes()) {
        is_number &= is_escaped || byte != b';';
        // A parameter cannot hold all that a number can: there a `#` stays escaped.
        let is_fit = if is_number { in_number(byte) } else { in_parameters(byte) };
        let is_plain = byte.is_ascii() && (!is_escaped || is_fit);
        // Writing to a String cannot fail.
        let _ = write_byte(byte, is_plain, &mut text);
    }
    text
}

fn write_parameters(parameters: &[Parameter<'_>], plain: Class, out: &mut String) -> fmt::Result {
    for (name, value) in parameters {
        out.push(';');
        out.push_str(name);
        if let Some(value) = value {
            out.push('=');
            write_escaped(value, plain, out)?;
        }
    }
    Ok(())
}

/// The order of parameters in a `tel` URI (RFC 3966 §3).
fn rank(name: &str) -> (u8, String) {
    let name = name.to_ascii_lowercase();
    let rank = match &*name {
        "ext" | "isub" => 0,
        "phone-context" => 1,
        _ => 2,
    };
    (rank, name)
}

/// The order of parameters in a SIP URI (RFC 3261 §19.1.6): `ext` is what took the place of
/// `postd`.
fn sip_rank(name: &str) -> (u8, String) {
    let name = name.to_ascii_lowercase();
    let rank = match &*name {
        "isub" => 0,
        "ext" | "postd" => 1,
        _ => 2,
    };
    (rank, name)
}

/// `alphanum / "-"`.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// `phonedigit`.
fn is_phone_digit(byte: u8) -> bool {
    byte.is_ascii_digit() || is_separator(byte)
}

/// `visual-separator`.
fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'.' | b'(' | b')')
}

/// Far above any use. Each parameter is held against all others, so their number must be bounded.
const MAX_PARAMETERS: usize = 32;

#[cfg(test)]
mod tests;
