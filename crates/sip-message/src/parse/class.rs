//! Classes of bytes: which of them a rule of RFC 3261 §25.1 takes, one bit a rule.

use super::{Fault, Parsed};

/// The bytes that a rule takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Class(u16);

impl Class {
    /// `token`.
    pub(crate) const TOKEN: Self = Self(1 << 0);
    /// `token / host`: a parameter value without quotes (`gen-value`).
    pub(crate) const GEN_VALUE: Self = Self(1 << 1);
    /// What stands in a `quoted-string` without a backslash: `qdtext`.
    pub(crate) const QDTEXT: Self = Self(1 << 2);
    /// `WSP`.
    pub(crate) const WHITE: Self = Self(1 << 3);
    /// `DIGIT`.
    pub(crate) const DIGIT: Self = Self(1 << 4);
    /// `unreserved / user-unreserved`.
    pub(crate) const USER: Self = Self(1 << 5);
    /// What `password` holds besides escapes.
    pub(crate) const PASSWORD: Self = Self(1 << 6);
    /// `param-unreserved / unreserved`.
    pub(crate) const PARAM: Self = Self(1 << 7);
    /// `hnv-unreserved / unreserved`.
    pub(crate) const HEADER: Self = Self(1 << 8);
    /// Letters, digits, `.`, `-`, and `_`, which is in names that are in use.
    pub(crate) const HOST_NAME: Self = Self(1 << 9);
    /// `word`.
    pub(crate) const WORD: Self = Self(1 << 10);
    /// `unreserved / reserved`, and what RFC 2732 §3 adds.
    pub(crate) const URIC: Self = Self(1 << 11);
    /// `unreserved`.
    pub(crate) const UNRESERVED: Self = Self(1 << 12);
    /// A parameter value as peers in use write it: no white space, quote, bracket or separator.
    pub(crate) const LAX_VALUE: Self = Self(1 << 14);
    /// `ALPHA / DIGIT / "+" / "-" / "."`: what a `scheme` goes on with.
    pub(crate) const SCHEME: Self = Self(1 << 13);

    /// Whether the class has `byte`.
    pub(crate) fn has(self, byte: u8) -> bool {
        CLASSES.get(usize::from(byte)).is_some_and(|classes| classes & self.0 != 0)
    }

    /// Whether the class has `byte`, for constants.
    pub(crate) const fn has_const(self, byte: u8) -> bool {
        classes_of(byte) & self.0 != 0
    }

    /// How many bytes at the start of `text` are of the class.
    pub(crate) fn length(self, text: &[u8]) -> usize {
        let mut length = 0_usize;
        while let Some(&byte) = text.get(length)
            && self.has(byte)
        {
            length = length.wrapping_add(1);
        }
        length
    }

    /// Whether all bytes of `text` are of the class.
    pub(crate) fn covers(self, text: &str) -> bool {
        text.bytes().all(|byte| self.has(byte))
    }
}

/// The longest start of `i` that is of the class `class`, which may be empty.
pub(crate) fn take_class(i: &str, class: Class) -> (&str, &str) {
    // A class has all bytes above ASCII or none of them, so the end is one of a character.
    i.split_at_checked(class.length(i.as_bytes())).unwrap_or((i, ""))
}

/// The longest start of `i` that is of the class `class` and of escapes, `"%" HEXDIG HEXDIG`.
pub(crate) fn take_escapable(i: &str, class: Class) -> (&str, &str) {
    let mut rest = take_class(i, class).1;
    while let [b'%', high, low, ..] = rest.as_bytes()
        && high.is_ascii_hexdigit()
        && low.is_ascii_hexdigit()
    {
        rest = take_class(rest.get(3..).unwrap_or_default(), class).1;
    }
    i.split_at_checked(i.len().saturating_sub(rest.len())).unwrap_or((i, ""))
}

/// One or more bytes of the class `class`.
pub(crate) fn take_class1<'a>(
    i: &'a str,
    class: Class,
    expected: &'static str,
) -> Parsed<'a, &'a str> {
    match take_class(i, class) {
        ("", _) => Fault::error(i, expected),
        (text, rest) => Ok((rest, text)),
    }
}

/// The bits of the classes that each byte is in.
#[expect(clippy::indexing_slicing, reason = "it is computed when the crate is compiled")]
static CLASSES: [u16; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = classes_of(byte as u8);
        byte += 1;
    }
    classes
};

const fn classes_of(byte: u8) -> u16 {
    let alphanumeric = byte.is_ascii_alphanumeric();
    let token = alphanumeric
        || matches!(byte, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~');
    let unreserved = alphanumeric
        || matches!(byte, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')');
    let white = matches!(byte, b' ' | b'\t');
    let qdtext = white || matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e | 0x80..);
    let password = unreserved || matches!(byte, b'&' | b'=' | b'+' | b'$' | b',');
    let user = password || matches!(byte, b';' | b'?' | b'/');
    let param = unreserved || matches!(byte, b'[' | b']' | b'/' | b':' | b'&' | b'+' | b'$');
    let header = unreserved || matches!(byte, b'[' | b']' | b'/' | b'?' | b':' | b'+' | b'$');
    let uric = user || matches!(byte, b':' | b'@' | b'[' | b']' | b'#');
    let host_name = alphanumeric || matches!(byte, b'.' | b'-' | b'_');
    let word = token
        || matches!(
            byte,
            b'(' | b')'
                | b'<'
                | b'>'
                | b':'
                | b'\\'
                | b'"'
                | b'/'
                | b'['
                | b']'
                | b'?'
                | b'{'
                | b'}'
        );
    let scheme = alphanumeric || matches!(byte, b'+' | b'-' | b'.');
    let lax = byte.is_ascii_graphic() && !matches!(byte, b';' | b',' | b'"' | b'<' | b'>');
    bit(token, Class::TOKEN)
        | bit(token || matches!(byte, b'[' | b']' | b':'), Class::GEN_VALUE)
        | bit(qdtext, Class::QDTEXT)
        | bit(white, Class::WHITE)
        | bit(byte.is_ascii_digit(), Class::DIGIT)
        | bit(user, Class::USER)
        | bit(password, Class::PASSWORD)
        | bit(param, Class::PARAM)
        | bit(header, Class::HEADER)
        | bit(host_name, Class::HOST_NAME)
        | bit(word, Class::WORD)
        | bit(uric, Class::URIC)
        | bit(unreserved, Class::UNRESERVED)
        | bit(scheme, Class::SCHEME)
        | bit(lax, Class::LAX_VALUE)
}

const fn bit(is_in: bool, class: Class) -> u16 {
    if is_in { class.0 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_the_grammar() {
        let all = |class: Class| -> String {
            (0..128_u8).filter(|&byte| class.has(byte)).map(char::from).collect()
        };
        let alphanumeric = |rest: &str| {
            let mut text: Vec<char> = rest.chars().collect();
            text.extend(('0'..='9').chain('A'..='Z').chain('a'..='z'));
            text.sort_unstable();
            text.into_iter().collect::<String>()
        };
        let unreserved = "-_.!~*'()";
        assert_eq!(all(Class::TOKEN), alphanumeric("-.!%*_+`'~"));
        assert_eq!(all(Class::GEN_VALUE), alphanumeric("-.!%*_+`'~[]:"));
        assert_eq!(all(Class::WORD), alphanumeric("-.!%*_+`'~()<>:\\\"/[]?{}"));
        assert_eq!(all(Class::UNRESERVED), alphanumeric(unreserved));
        assert_eq!(all(Class::USER), alphanumeric(&format!("{unreserved}&=+$,;?/")));
        assert_eq!(all(Class::PASSWORD), alphanumeric(&format!("{unreserved}&=+$,")));
        assert_eq!(all(Class::PARAM), alphanumeric(&format!("{unreserved}[]/:&+$")));
        assert_eq!(all(Class::HEADER), alphanumeric(&format!("{unreserved}[]/?:+$")));
        assert_eq!(all(Class::URIC), alphanumeric(&format!("{unreserved};/?:@&=+$,[]#")));
        assert_eq!(all(Class::HOST_NAME), alphanumeric("-._"));
        assert_eq!(all(Class::SCHEME), alphanumeric("+-."));
        assert_eq!(all(Class::DIGIT), "0123456789");
        assert_eq!(all(Class::WHITE), "\t ");
        assert_eq!(all(Class::QDTEXT).len(), 2 + 94 - 2);
        assert_eq!(all(Class::LAX_VALUE).len(), 94 - 5);
    }

    #[test]
    fn only_quoted_text_goes_beyond_ascii() {
        assert!((128..=255).all(|byte| Class::QDTEXT.has(byte)));
        assert!((128..=255).all(|byte| !Class(!Class::QDTEXT.0).has(byte)));
        assert_eq!(take_class("é\"", Class::QDTEXT), ("é", "\""));
        assert_eq!(take_class("aé", Class::TOKEN), ("a", "é"));
    }
}
