//! When two SIP URIs are equal (RFC 3261 §19.1.4).

use std::borrow::Cow;

use super::{
    Parameters, SipUri,
    escape::escape_unless,
    is_reserved,
    sip::{is_param_char, is_password_char, is_user_char},
    unescape,
};

impl PartialEq for SipUri {
    /// The rules of RFC 3261 §19.1.4. They are not transitive.
    fn eq(&self, other: &Self) -> bool {
        self.secure == other.secure
            && same_option(self.user.as_deref(), other.user.as_deref(), |one, other| {
                normal(one, is_user_char) == normal(other, is_user_char)
            })
            && same_option(self.password.as_deref(), other.password.as_deref(), |one, other| {
                normal(one, is_password_char) == normal(other, is_password_char)
            })
            && self.host == other.host
            && self.port == other.port
            && same_parameters(&self.parameters, &other.parameters)
            && same_parameters(&other.parameters, &self.parameters)
            && same_headers(self, other)
    }
}

/// Whether each parameter of `one` allows `other` to be equal.
fn same_parameters(one: &Parameters, other: &Parameters) -> bool {
    one.iter().all(|(name, value)| {
        let name = normal(name, is_param_char);
        let found = other.iter().find(|(own, _)| same_caseless(own, &name));
        match found {
            Some((_, own)) => same_option(value, own, same_caseless),
            // These five change where the request goes or what it is.
            None => !DECISIVE.iter().any(|decisive| decisive.eq_ignore_ascii_case(&name)),
        }
    })
}

/// Header components are never ignored; their order does not matter.
fn same_headers(one: &SipUri, other: &SipUri) -> bool {
    let sorted = |uri: &SipUri| {
        let field = |(name, value): (Cow<'_, [u8]>, Cow<'_, [u8]>)| {
            (name.to_ascii_lowercase(), value.into_owned())
        };
        let mut fields: Vec<_> = uri.header_fields().map(field).collect();
        fields.sort();
        fields
    };
    sorted(one) == sorted(other)
}

fn same_option(one: Option<&str>, other: Option<&str>, same: impl Fn(&str, &str) -> bool) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => same(one, other),
        (None, None) => true,
        (Some(_), None) | (None, Some(_)) => false,
    }
}

fn same_caseless(one: &str, other: &str) -> bool {
    normal(one, is_param_char).eq_ignore_ascii_case(&normal(other, is_param_char))
}

/// Undoes the escapes of what need not be escaped: a character outside of the reserved set is
/// equivalent to its escape, a reserved one is not. What stays escaped gets upper case digits.
/// What is not `plain` counts as its escape, for so it is written.
fn normal(text: &str, plain: fn(char) -> bool) -> Cow<'_, str> {
    let text = escape_unless(text, plain);
    if !text.contains('%') {
        return text;
    }
    let mut normal = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        let (escape, after) = escape.split_at_checked(3).unwrap_or((escape, ""));
        normal.push_str(before);
        match *unescape(escape) {
            [byte] if byte.is_ascii_graphic() && byte != b'%' && !is_reserved(byte.into()) => {
                normal.push(char::from(byte));
            }
            _ => normal.push_str(&escape.to_ascii_uppercase()),
        }
        rest = after;
    }
    normal.push_str(rest);
    Cow::Owned(normal)
}

/// Parameters that never match their absence (RFC 3261 §19.1.4). The text names `user`, `ttl`,
/// `method` and `maddr`; its examples add `transport`.
const DECISIVE: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
