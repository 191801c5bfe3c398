//! Rules that several families share (RFC 3261 §25.1).

use nom::{Parser, character::complete::char};

use super::shape::append;
use crate::{
    Text, Uri, WireText,
    parse::{
        Class, Parsed, equal, expect, is_token, lws, quoted_string, take_class1, unquote,
        write_quoted,
    },
    uri::uri,
};

/// `LAQUOT absoluteURI RAQUOT`, without a display name; `i` must be a part of `owner`.
pub(super) fn bracketed_uri<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, Uri> {
    let (i, _) = (lws, expect("\"<\" before the URI", char('<'))).parse(i)?;
    let (i, uri) = uri(owner, i)?;
    let (i, _) = expect("\">\" after the URI", char('>')).parse(i)?;
    Ok((i, uri))
}

/// Appends `uri` in angle brackets.
pub(super) fn write_bracketed_uri(uri: &Uri, out: &mut String) {
    append(format_args!("<{uri}>"), out);
}

/// `token / quoted-string`, without quotes and escapes; `i` must be a part of `owner`.
pub(super) fn text<'a>(
    owner: &WireText<'_>,
    expected: &'static str,
    i: &'a str,
) -> Parsed<'a, Text> {
    let (rest, raw) = match i.starts_with('"') {
        true => quoted_string(i)?,
        false => take_class1(i, Class::TOKEN, expected)?,
    };
    Ok((rest, unquoted(owner, raw)))
}

/// Appends `text` in quotes, unless it is a token.
pub(super) fn write_text(text: &str, out: &mut String) {
    if is_token(text) { out.push_str(text) } else { write_quoted(text, out) }
}

/// The text that `raw`, a part of `owner`, stands for.
pub(super) fn unquoted(owner: &WireText<'_>, raw: &str) -> Text {
    match unquote(raw) {
        std::borrow::Cow::Borrowed(text) => owner.slice_ref(text),
        std::borrow::Cow::Owned(text) => text.into(),
    }
}

/// `token [ EQUAL gen-value ]`: the name and the value as it stands. Some peers put slashes and the
/// like in values without quotes, which end nothing.
pub(super) fn generic_param<'a>(
    owner: &WireText<'_>,
    i: &'a str,
) -> Parsed<'a, (&'a str, Option<&'a str>)> {
    let (rest, name) = take_class1(i, Class::TOKEN, "a parameter name")?;
    let Ok((value, _)) = equal(rest) else { return Ok((rest, (name, None))) };
    let class = if owner.is_tolerant() { Class::LAX_VALUE } else { Class::GEN_VALUE };
    let (rest, value) = match value.starts_with('"') {
        true => quoted_string(value)?,
        false => take_class1(value, class, "a parameter value")?,
    };
    Ok((rest, (name, Some(value))))
}
