//! The basic rules of RFC 3261 §25.1, over values whose folding is already undone.

use std::borrow::Cow;

use nom::{
    Parser,
    branch::alt,
    bytes::complete::{take_while, take_while1},
    character::complete::{char, satisfy},
    combinator::recognize,
    multi::many0_count,
    sequence::{delimited, preceded},
};

use super::{Fault, ParseError, Parsed};

/// Whether `text` is a `token`.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_byte)
}

pub(crate) fn is_token_char(c: char) -> bool {
    u8::try_from(c).is_ok_and(is_token_byte)
}

pub(super) fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

/// A character of a generic parameter value: `token` or `host` (RFC 3261 §25.1 `gen-value`).
pub(crate) fn is_host_char(c: char) -> bool {
    is_token_char(c) || matches!(c, '[' | ']' | ':')
}

/// `token`.
pub(crate) fn token(i: &str) -> Parsed<'_, &str> {
    expect("a token", take_while1(is_token_char)).parse(i)
}

/// `SWS`: white space that may be absent.
pub(crate) fn lws(i: &str) -> Parsed<'_, &str> {
    take_while(is_wsp)(i)
}

/// `LWS`: white space that must be there.
pub(crate) fn lws1(i: &str) -> Parsed<'_, &str> {
    expect("white space", take_while1(is_wsp)).parse(i)
}

/// `SEMI`.
pub(crate) fn semi(i: &str) -> Parsed<'_, char> {
    expect("\";\"", delimited(lws, char(';'), lws)).parse(i)
}

/// `EQUAL`.
pub(crate) fn equal(i: &str) -> Parsed<'_, char> {
    expect("\"=\"", delimited(lws, char('='), lws)).parse(i)
}

/// `SLASH`.
pub(crate) fn slash(i: &str) -> Parsed<'_, char> {
    expect("\"/\"", delimited(lws, char('/'), lws)).parse(i)
}

/// `1*DIGIT` as a number that fits `N`; leading zeros are allowed (RFC 4475 §3.1.1.1).
pub(crate) fn number<N: std::str::FromStr>(i: &str) -> Parsed<'_, N> {
    let (rest, digits) = expect("a number", take_while1(|c: char| c.is_ascii_digit())).parse(i)?;
    match digits.parse() {
        Ok(number) => Ok((rest, number)),
        Err(_) => Fault::error(i, "a number within its range"),
    }
}

/// `quoted-string` with its quotes and escapes as they stand; see [`unquote`].
pub(crate) fn quoted_string(i: &str) -> Parsed<'_, &str> {
    let inside = many0_count(alt((take_while1(is_qdtext), quoted_pair)));
    let open = expect("a quoted string", char('"'));
    recognize((open, inside, expect("a closing quote", char('"')))).parse(i)
}

/// `comment`: balanced parentheses around anything, nested to a bounded depth.
pub(crate) fn comment(i: &str) -> Parsed<'_, &str> {
    let mut depth = 0_u8;
    let mut characters = i.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            '\\' => drop(characters.next()),
            _ if depth == 0 => break,
            _ => {}
        }
        if depth == 0 {
            let (text, rest) = i.split_at(at.saturating_add(1));
            return if text.len() > 1 { Ok((rest, text)) } else { Fault::error(i, "a comment") };
        }
        if depth == MAX_COMMENT_DEPTH {
            return Fault::error(i, "a comment that is not nested so deep");
        }
    }
    Fault::error(i, "a comment in parentheses")
}

/// Tells what `parser` looks for when it fails without saying so itself.
pub(crate) fn expect<'a, O, P>(
    expected: &'static str,
    mut parser: P,
) -> impl Parser<&'a str, Output = O, Error = Fault<'a>>
where
    P: Parser<&'a str, Output = O, Error = Fault<'a>>,
{
    let name = move |fault: Fault<'a>| match fault.expected {
        "" => Fault { expected, ..fault },
        _ => fault,
    };
    move |i: &'a str| parser.parse(i).map_err(|error| error.map(name))
}

/// Runs `parser` over the whole of `text`, white space at the ends aside.
pub(crate) fn finish<'a, O>(
    text: &'a str,
    rfc: &'static str,
    parser: impl Parser<&'a str, Output = O, Error = Fault<'a>>,
) -> Result<O, ParseError> {
    let stop = |rest: &str, expected: &'static str| {
        let expected = if expected.is_empty() { "a value of this header field" } else { expected };
        ParseError::new(text.len().saturating_sub(rest.len()), expected, rfc)
    };
    match delimited(lws, parser, lws).parse(text) {
        Ok(("", value)) => Ok(value),
        Ok((rest, _)) => Err(stop(rest, "the end of the value")),
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => {
            Err(stop(fault.rest, fault.expected))
        }
        Err(nom::Err::Incomplete(_)) => Err(stop("", "more")),
    }
}

/// The text that a quoted string stands for; text without quotes stays as it is.
pub(crate) fn unquote(raw: &str) -> Cow<'_, str> {
    let inside = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
    let Some(inside) = inside else { return Cow::Borrowed(raw) };
    if !inside.contains('\\') {
        return Cow::Borrowed(inside);
    }
    let mut text = String::with_capacity(inside.len());
    let mut characters = inside.chars();
    while let Some(c) = characters.next() {
        let c = if c == '\\' { characters.next() } else { Some(c) };
        text.extend(c);
    }
    Cow::Owned(text)
}

/// Writes `text` as a quoted string (RFC 3261 §25.1).
pub(crate) fn write_quoted(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        if !is_qdtext(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

fn quoted_pair(i: &str) -> Parsed<'_, &str> {
    let escaped = satisfy(|c| c.is_ascii() && c != '\r' && c != '\n');
    recognize(preceded(char('\\'), escaped)).parse(i)
}

fn is_qdtext(c: char) -> bool {
    is_wsp(c) || matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e') || !c.is_ascii()
}

fn is_wsp(c: char) -> bool {
    c == ' ' || c == '\t'
}

/// Deeper comments have no use but to exhaust a reader.
const MAX_COMMENT_DEPTH: u8 = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_strings_end_at_the_first_unescaped_quote() {
        assert_eq!(quoted_string(r#""a\"b\\"c"#), Ok(("c", r#""a\"b\\""#)));
        assert!(quoted_string(r#""a\""#).is_err());
        assert!(quoted_string("\"a\r\n\"").is_err());
        assert!(quoted_string("\"a\\\r\"").is_err());
    }

    #[test]
    fn quoting_is_undone() {
        let mut quoted = String::new();
        write_quoted("a\"b\\c\u{7}é", &mut quoted);
        assert_eq!(quoted, "\"a\\\"b\\\\c\\\u{7}é\"");
        assert_eq!(unquote(&quoted), "a\"b\\c\u{7}é");
    }

    #[test]
    fn comments_nest_within_bounds() {
        assert_eq!(comment("(a(b)\\)c) d"), Ok((" d", "(a(b)\\)c)")));
        assert!(comment("(a(b)").is_err());
        assert!(comment(&"(".repeat(100_000)).is_err());
        assert!(comment("a").is_err());
        assert!(comment(")").is_err());
    }

    #[test]
    fn numbers_must_fit() {
        assert_eq!(number::<u8>("0068 "), Ok((" ", 68)));
        assert!(number::<u8>("256").is_err());
        assert!(number::<u32>("36893488147419103232").is_err());
        assert!(number::<u32>("-1").is_err());
    }
}
