//! Shapes that many header fields share: a token or a number of seconds, and parameters behind it
//! (RFC 3261 §25.1).

use std::fmt::{self, Write};

use nom::Parser;

use crate::{
    Parameters, Text, WireText,
    parse::{Class, Fault, ParseError, Parsed, finish, take_class1, token},
    uri::header_parameters,
};

/// `token *( SEMI generic-param )`.
pub(super) fn token_and_parameters(
    value: &WireText<'_>,
    rfc: &'static str,
) -> Result<(Text, Parameters), ParseError> {
    let (head, parameters) = with_parameters(value, rfc, token)?;
    Ok((value.slice_ref(head), parameters))
}

/// `delta-seconds *( SEMI generic-param )`.
pub(super) fn seconds_and_parameters(
    value: &WireText<'_>,
    rfc: &'static str,
) -> Result<(u32, Parameters), ParseError> {
    with_parameters(value, rfc, |i| delta_seconds(value, i))
}

/// `head *( SEMI generic-param )`.
pub(super) fn with_parameters<'a, O>(
    value: &'a WireText<'_>,
    rfc: &'static str,
    head: impl Parser<&'a str, Output = O, Error = Fault<'a>>,
) -> Result<(O, Parameters), ParseError> {
    finish(value, rfc, (head, |i| header_parameters(value, i)))
}

/// `delta-seconds`. More than 2^32-1 seconds, 136 years, may count as so many (RFC 3261 §10.2);
/// gateways send such numbers for "never".
pub(super) fn delta_seconds<'a>(value: &WireText<'_>, i: &'a str) -> Parsed<'a, u32> {
    let (rest, seconds) = saturating_seconds(i)?;
    match seconds {
        Some(seconds) => Ok((rest, seconds)),
        None if value.is_tolerant() => Ok((rest, u32::MAX)),
        None => Fault::error(i, "a number below 2^32"),
    }
}

/// `1*DIGIT`; `None` stands for more than 2^32-1.
pub(super) fn saturating_seconds(i: &str) -> Parsed<'_, Option<u32>> {
    let (rest, digits) = take_class1(i, Class::DIGIT, "a number of seconds")?;
    Ok((rest, digits.parse().ok()))
}

/// Appends `text` to `out`.
pub(super) fn append(text: impl fmt::Display, out: &mut String) {
    // Writing to a string does not fail.
    let _ = write!(out, "{text}");
}
