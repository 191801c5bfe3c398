//! When two SIP URIs are equal (RFC 3261 §19.1.4, RFC 5954 §4.2).

use super::{Parameters, SipUri, escape::Octets};
use crate::parse::Class;

impl PartialEq for SipUri {
    /// The rules of RFC 3261 §19.1.4. They are not transitive.
    fn eq(&self, other: &Self) -> bool {
        self.secure == other.secure
            && self.port == other.port
            && self.host == other.host
            && same_option(self.user.as_deref(), other.user.as_deref(), |one, other| {
                same_text(one, other, Class::USER)
            })
            && same_option(self.password.as_deref(), other.password.as_deref(), |one, other| {
                same_text(one, other, Class::PASSWORD)
            })
            && same_parameters(&self.parameters, &other.parameters)
            && same_parameters(&other.parameters, &self.parameters)
            && same_headers(self, other)
    }
}

/// Whether each parameter of `one` allows `other` to be equal.
fn same_parameters(one: &Parameters, other: &Parameters) -> bool {
    one.iter().all(|(name, value)| {
        let found = other.iter().find(|(own, _)| same_caseless(own, name, Class::PARAM));
        match found {
            Some((_, own)) => {
                same_option(value, own, |one, other| same_caseless(one, other, Class::PARAM))
            }
            // These five change where the request goes or what it is.
            None => !DECISIVE.iter().any(|decisive| same_caseless(decisive, name, Class::PARAM)),
        }
    })
}

/// Whether two of `parameters` have the same name once escapes are undone. Only then could a URI
/// differ from itself, so such a URI is not read (RFC 3261 §19.1.1: a name must not come twice).
pub(super) fn has_name_twice(parameters: &Parameters) -> bool {
    parameters.iter().enumerate().any(|(at, (name, _))| {
        let mut before = parameters.iter().take(at);
        before.any(|(own, _)| same_caseless(own, name, Class::PARAM))
    })
}

/// Header components are never ignored; their order does not matter.
fn same_headers(one: &SipUri, other: &SipUri) -> bool {
    if one.headers == other.headers {
        return true;
    }
    let sorted = |uri: &SipUri| {
        let field = |(name, value): (_, std::borrow::Cow<'_, [u8]>)| {
            let name: std::borrow::Cow<'_, [u8]> = name;
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

/// Whether two texts are the same but for escapes of what need not be escaped.
fn same_text(one: &str, other: &str, plain: Class) -> bool {
    one == other || normal(one, plain).eq(normal(other, plain))
}

/// The same without case.
pub(super) fn same_caseless(one: &str, other: &str, plain: Class) -> bool {
    let lower = |(byte, is_data): (u8, bool)| (byte.to_ascii_lowercase(), is_data);
    one == other || normal(one, plain).map(lower).eq(normal(other, plain).map(lower))
}

/// The octets of `text`, each with whether it stands for itself only when it is escaped: a
/// character outside of the reserved set is equivalent to its escape, a reserved one is not
/// (RFC 3261 §19.1.4). What is not `plain` counts as its escape, for so it is written.
fn normal(text: &str, plain: Class) -> impl Iterator<Item = (u8, bool)> {
    Octets(text.as_bytes()).map(move |(byte, is_escaped)| {
        let counts_as_escaped = is_escaped || !plain.has(byte);
        let needs_escape = !byte.is_ascii_graphic() || byte == b'%' || is_reserved(byte);
        (byte, counts_as_escaped && needs_escape)
    })
}

/// `reserved` (RFC 3261 §25.1).
fn is_reserved(byte: u8) -> bool {
    matches!(byte, b';' | b'/' | b'?' | b':' | b'@' | b'&' | b'=' | b'+' | b'$' | b',')
}

/// Parameters that never match their absence (RFC 3261 §19.1.4). The text names `user`, `ttl`,
/// `method` and `maddr`; its examples add `transport`.
const DECISIVE: [&str; 5] = ["user", "ttl", "method", "maddr", "transport"];
