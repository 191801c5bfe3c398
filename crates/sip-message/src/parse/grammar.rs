//! The basic rules of RFC 3261 §25.1, over values whose folding is already undone.

use std::borrow::Cow;

use nom::Parser;

use super::{Class, Fault, ParseError, Parsed, class::take_class1, position, take_class};

/// Whether `text` is a `token`.
pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && Class::TOKEN.covers(text)
}

/// `token`.
pub(crate) fn token(i: &str) -> Parsed<'_, &str> {
    take_class1(i, Class::TOKEN, "a token")
}

/// `SWS`: white space that may be absent.
pub(crate) fn lws(i: &str) -> Parsed<'_, &str> {
    let (white, rest) = take_class(i, Class::WHITE);
    Ok((rest, white))
}

/// `LWS`: white space that must be there.
pub(crate) fn lws1(i: &str) -> Parsed<'_, &str> {
    take_class1(i, Class::WHITE, "white space")
}

/// `SEMI`.
pub(crate) fn semi(i: &str) -> Parsed<'_, char> {
    separator(i, ';', "\";\"")
}

/// `EQUAL`.
pub(crate) fn equal(i: &str) -> Parsed<'_, char> {
    separator(i, '=', "\"=\"")
}

/// `SLASH`.
pub(crate) fn slash(i: &str) -> Parsed<'_, char> {
    separator(i, '/', "\"/\"")
}

/// One character with white space on both sides, which may be absent.
fn separator<'a>(i: &'a str, separator: char, expected: &'static str) -> Parsed<'a, char> {
    let (_, i) = take_class(i, Class::WHITE);
    match i.strip_prefix(separator) {
        Some(rest) => Ok((take_class(rest, Class::WHITE).1, separator)),
        None => Fault::error(i, expected),
    }
}

/// `1*DIGIT` as a number that fits `N`; leading zeros are allowed (RFC 4475 §3.1.1.1).
pub(crate) fn number<N: std::str::FromStr>(i: &str) -> Parsed<'_, N> {
    let (rest, digits) = take_class1(i, Class::DIGIT, "a number")?;
    match digits.parse() {
        Ok(number) => Ok((rest, number)),
        Err(_) => Fault::error(i, "a number within its range"),
    }
}

/// `quoted-string` with its quotes and escapes as they stand; see [`unquote`].
pub(crate) fn quoted_string(i: &str) -> Parsed<'_, &str> {
    let Some(mut rest) = i.strip_prefix('"') else { return Fault::error(i, "a quoted string") };
    loop {
        let end = position(rest.as_bytes(), |byte| !is_qdtext(byte));
        rest = end.and_then(|end| rest.get(end..)).unwrap_or_default();
        rest = match rest.as_bytes() {
            [b'"', ..] => break,
            [b'\\', escaped, ..] if escaped.is_ascii() && !matches!(escaped, b'\r' | b'\n') => {
                rest.get(2..).unwrap_or_default()
            }
            _ => return Fault::error(rest, "a closing quote"),
        };
    }
    let rest = rest.get(1..).unwrap_or_default();
    let (text, rest) = i.split_at_checked(i.len().saturating_sub(rest.len())).unwrap_or((i, ""));
    Ok((rest, text))
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
#[inline]
pub(crate) fn finish<'a, O>(
    text: &'a str,
    rfc: &'static str,
    mut parser: impl Parser<&'a str, Output = O, Error = Fault<'a>>,
) -> Result<O, ParseError> {
    match parser.parse(take_class(text, Class::WHITE).1) {
        Ok((rest, value)) if Class::WHITE.covers(rest) => Ok(value),
        Ok((rest, _)) => {
            let rest = take_class(rest, Class::WHITE).1;
            Err(Fault { rest, expected: "the end of the value" }.in_text(text, rfc))
        }
        Err(nom::Err::Error(fault) | nom::Err::Failure(fault)) => Err(fault.in_text(text, rfc)),
        Err(nom::Err::Incomplete(_)) => {
            Err(Fault { rest: "", expected: "more" }.in_text(text, rfc))
        }
    }
}

/// The text that a quoted string stands for; text without quotes stays as it is.
pub(crate) fn unquote(raw: &str) -> Cow<'_, str> {
    let inside = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
    let Some(inside) = inside else { return Cow::Borrowed(raw) };
    if position(inside.as_bytes(), |byte| byte == b'\\').is_none() {
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
        if u8::try_from(c).is_ok_and(|byte| !is_qdtext(byte)) {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
}

/// [`Class::QDTEXT`], without a look into the table: many bytes are compared at once.
fn is_qdtext(byte: u8) -> bool {
    (byte >= b' ') & (byte != b'"') & (byte != b'\\') & (byte != 0x7f) | (byte == b'\t')
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
    fn the_text_in_quotes_is_of_its_class() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_qdtext(byte), Class::QDTEXT.has(byte), "{byte:#x}");
        }
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
