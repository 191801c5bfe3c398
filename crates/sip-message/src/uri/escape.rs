//! Escaping in URIs (RFC 3261 §19.1.2): `%` and two hexadecimal digits.

use std::borrow::Cow;

use nom::{
    Parser, bytes::complete::take_while_m_n, character::complete::char, combinator::recognize,
    multi::many1_count, sequence::preceded,
};

use super::sip::is_user_char;
use crate::parse::{Fault, Parsed, expect};

/// Escapes `text` so that it can be the user part of a SIP URI.
///
/// ```
/// assert_eq!(offhook_sip_message::escape_user("j@s0n 1"), "j%40s0n%201");
/// ```
pub fn escape_user(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    text.bytes().for_each(|byte| push(byte, is_user_char(byte.into()), &mut escaped));
    escaped
}

/// Escapes what is neither `plain` nor part of an escape, so that `text` stays within its part of
/// the URI whatever it holds (RFC 3261 §19.1.2).
pub(super) fn escape_unless(text: &str, plain: fn(char) -> bool) -> Cow<'_, str> {
    if text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let is_escape = byte == b'%'
            && matches!(after, [high, low, ..] if nibble(*high).and(nibble(*low)).is_some());
        push(byte, is_escape || plain(byte.into()), &mut escaped);
        rest = after;
    }
    Cow::Owned(escaped)
}

fn push(byte: u8, is_plain: bool, out: &mut String) {
    if is_plain {
        out.push(char::from(byte));
    } else {
        out.push('%');
        out.extend(hex_digit(byte >> 4));
        out.extend(hex_digit(byte & 0xf));
    }
}

/// Undoes the escapes of `text`, once. A `%` that starts no escape stays as it is.
///
/// The result is bytes: escapes can stand for any of them, NUL included.
pub fn unescape(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let (byte, after) = match (byte, after) {
            (b'%', [high, low, after @ ..]) => match (nibble(*high), nibble(*low)) {
                (Some(high), Some(low)) => ((high << 4) | low, after),
                _ => (byte, rest.get(1..).unwrap_or_default()),
            },
            _ => (byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    Cow::Owned(bytes)
}

/// `escaped`.
pub(super) fn escaped(i: &str) -> Parsed<'_, &str> {
    let hex = take_while_m_n(2, 2, |c: char| c.is_ascii_hexdigit());
    recognize(preceded(char('%'), expect("two hexadecimal digits after \"%\"", hex))).parse(i)
}

/// One or more of `part`, as one text.
pub(super) fn escapable<'a>(
    part: impl Parser<&'a str, Output = &'a str, Error = Fault<'a>>,
) -> impl Parser<&'a str, Output = &'a str, Error = Fault<'a>> {
    recognize(many1_count(part))
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn hex_digit(nibble: u8) -> Option<char> {
    char::from_digit(u32::from(nibble), 16).map(|digit| digit.to_ascii_uppercase())
}
