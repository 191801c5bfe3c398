//! Ordered parameters, `;name` or `;name=value`, of URIs and of header fields.

use std::{borrow::Cow, fmt};

use bytestring::ByteString;
use nom::{Parser, branch::alt, bytes::complete::take_while1, combinator::opt};

use crate::{
    WireText,
    parse::{
        Fault, Parsed, equal, expect, is_host_char, quoted_string, semi, token, unquote,
        write_quoted,
    },
};

/// Parameters in the order they came. Names have no case (RFC 3261 §7.3.1).
///
/// Values are the text as it stands on the wire: with its quotes in a header field, with its
/// escapes in a URI.
#[derive(Clone, Default)]
pub struct Parameters(Vec<(ByteString, Option<ByteString>)>);

impl Parameters {
    /// No parameters.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// The parameter `name`: `None` when absent, `Some(None)` when it has no value.
    pub fn get(&self, name: &str) -> Option<Option<&str>> {
        self.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The value of the parameter `name`, as it stands on the wire.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get(name).flatten()
    }

    /// The value of the parameter `name` without quotes and their escapes.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.value(name).map(unquote)
    }

    /// The value of the parameter `name` if it is `1*DIGIT` and fits `N`.
    pub(crate) fn number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        // Rust would take a sign too.
        let digits = |value: &&str| value.bytes().all(|byte| byte.is_ascii_digit());
        self.value(name).filter(digits)?.parse().ok()
    }

    /// Whether there is a parameter `name`, with or without a value.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets the parameter `name` where it stands, or appends it. The value is wire text; see
    /// [`Parameters::set_quoted`] for free text.
    pub fn set(&mut self, name: impl Into<ByteString>, value: Option<impl Into<ByteString>>) {
        let (name, value) = (name.into(), value.map(Into::into));
        match self.0.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(&name)) {
            Some(parameter) => parameter.1 = value,
            None => self.0.push((name, value)),
        }
    }

    /// Sets the parameter `name` to `text` as a quoted string (header fields only).
    pub fn set_quoted(&mut self, name: impl Into<ByteString>, text: &str) {
        let mut quoted = String::new();
        write_quoted(text, &mut quoted);
        self.set(name, Some(quoted));
    }

    /// Removes the parameter `name`; tells whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        self.0.len() != before
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_deref()))
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Appends a parameter that came from the wire; a name must not come twice (RFC 3261 §7.3.1
    /// and §19.1.1).
    pub(super) fn push<'a>(
        &mut self,
        owner: &WireText,
        at: &'a str,
        (name, value): (&str, Option<&str>),
    ) -> Result<(), nom::Err<Fault<'a>>> {
        let refuse = |expected| Err(nom::Err::Failure(Fault { rest: at, expected }));
        if self.len() >= MAX_PARAMETERS {
            return refuse("fewer parameters");
        }
        if self.contains(name) {
            return refuse("a parameter that has not come before");
        }
        self.0.push((owner.slice_ref(name), value.map(|value| owner.slice_ref(value))));
        Ok(())
    }
}

impl PartialEq for Parameters {
    /// The same set of parameters, in any order; token values have no case, quoted ones do
    /// (RFC 3261 §7.3.1).
    fn eq(&self, other: &Self) -> bool {
        let same = |one: Option<&str>, other: Option<&str>| match (one, other) {
            (Some(one), Some(other)) if one.starts_with('"') || other.starts_with('"') => {
                one == other
            }
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.len() == other.len()
            && self.iter().all(|(name, value)| other.get(name).is_some_and(|own| same(own, value)))
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in self.iter() {
            write!(f, ";{name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// `*( SEMI generic-param )`.
pub(crate) fn header_parameters<'a>(owner: &WireText, mut i: &'a str) -> Parsed<'a, Parameters> {
    let mut parameters = Parameters::new();
    while let (rest, Some(_)) = opt(semi).parse(i)? {
        let (after, parameter) = generic_param(rest)?;
        parameters.push(owner, rest, parameter)?;
        i = after;
    }
    Ok((i, parameters))
}

fn generic_param(i: &str) -> Parsed<'_, (&str, Option<&str>)> {
    let value = expect("a parameter value", alt((quoted_string, take_while1(is_host_char))));
    let (i, name) = expect("a parameter name", token).parse(i)?;
    match opt(equal).parse(i)? {
        (i, None) => Ok((i, (name, None))),
        (i, Some(_)) => value.map(|value| (name, Some(value))).parse(i),
    }
}

/// Far above any use. Each parameter is held against all others, so their number must be bounded.
const MAX_PARAMETERS: usize = 128;
