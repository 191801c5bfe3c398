//! Escaping in URIs (RFC 3261 §19.1.2): `%` and two hexadecimal digits.

use std::{borrow::Cow, fmt};

use crate::parse::Class;

/// Escapes `text` so that it can be the user part of a SIP URI.
///
/// ```
/// assert_eq!(offhook_sip_message::escape_user("j@s0n 1"), "j%40s0n%201");
/// ```
pub fn escape_user(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        // Writing to a String cannot fail.
        let _ = write_byte(byte, Class::USER.has(byte), &mut escaped);
    }
    escaped
}

/// Undoes the escapes of `text`, once. A `%` that starts no escape stays as it is.
///
/// The result is bytes: escapes can stand for any of them, NUL included.
pub fn unescape(text: &str) -> Cow<'_, [u8]> {
    if memchr::memchr(b'%', text.as_bytes()).is_none() {
        return Cow::Borrowed(text.as_bytes());
    }
    Cow::Owned(Octets(text.as_bytes()).map(|(byte, _)| byte).collect())
}

/// Writes `text` and escapes what is neither of the class `plain` nor part of an escape, so that
/// it stays within its part of the URI whatever it holds (RFC 3261 §19.1.2).
pub(super) fn write_escaped(text: &str, plain: Class, out: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = text;
    loop {
        let (fit, after) = take_fit(rest, plain, false);
        out.write_str(fit)?;
        let mut characters = after.chars();
        let Some(unfit) = characters.next() else { return Ok(()) };
        let mut bytes = [0; 4];
        unfit.encode_utf8(&mut bytes).bytes().try_for_each(|byte| write_byte(byte, false, out))?;
        rest = characters.as_str();
    }
}

/// Writes one byte, as it is or escaped.
pub(super) fn write_byte(byte: u8, is_plain: bool, out: &mut impl fmt::Write) -> fmt::Result {
    if is_plain { out.write_char(char::from(byte)) } else { write!(out, "%{byte:02X}") }
}

/// The longest start of `i` that is of the class `class` and of escapes. If `lax`, what peers
/// forget to escape belongs to it too; it is escaped when it is written.
#[inline]
pub(super) fn take_fit(i: &str, class: Class, lax: bool) -> (&str, &str) {
    let bytes = i.as_bytes();
    let mut length = class.length(bytes);
    loop {
        let step = match bytes.get(length..).unwrap_or_default() {
            [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => 3,
            [byte, ..] if lax && is_unescaped_by_peers(*byte) => 1,
            // All bytes above ASCII are taken or none of them, so this is the end of a character.
            _ => return i.split_at_checked(length).unwrap_or((i, "")),
        };
        length = length.saturating_add(step);
        length = length.saturating_add(class.length(bytes.get(length..).unwrap_or_default()));
    }
}

/// What the tolerant profile takes in user parts and passwords though it should be escaped. None
/// of it ends a part of a URI, an address or a list, so that no reader can cut it elsewhere; white
/// space, quotes, angle brackets and a second `@` could be cut and are refused.
fn is_unescaped_by_peers(byte: u8) -> bool {
    match byte {
        // Phones send feature codes, such as `#31#`, as they are dialled.
        b'#' => true,
        // A `%` that starts no escape: soft phones put account names in as they were typed.
        b'%' => true,
        // Account names of Windows domains, and the prefixes that dial plans of gateways put
        // before a number.
        b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => true,
        // UTF-8 in names.
        0x80.. => true,
        _ => false,
    }
}

/// The octets that a text stands for, each with whether it was escaped.
#[derive(Clone)]
pub(super) struct Octets<'a>(pub(super) &'a [u8]);

impl Iterator for Octets<'_> {
    type Item = (u8, bool);

    fn next(&mut self) -> Option<(u8, bool)> {
        let (&byte, rest) = self.0.split_first()?;
        if let (b'%', [high, low, after @ ..]) = (byte, rest)
            && let (Some(high), Some(low)) = (nibble(*high), nibble(*low))
        {
            self.0 = after;
            return Some(((high << 4) | low, true));
        }
        self.0 = rest;
        Some((byte, false))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
