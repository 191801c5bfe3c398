//! What the body is (RFC 3261 §20.11, §20.12, §20.14, §20.15, §20.24).

use std::{borrow::Cow, fmt};

use nom::{Parser, branch::alt, character::complete::char};

use super::{Header, HeaderName, shape};
use crate::{
    Parameters, Text, WireText,
    parse::{
        ParseError, Parsed, equal, expect, finish, is_token, number, quoted_string, semi, slash,
        token, write_number,
    },
    uri::header_parameters,
};

/// A media type or, in `Accept`, a range of them (RFC 3261 §25.1 `media-type`, `media-range`).
#[derive(Clone, Debug)]
pub struct MediaType {
    /// The type, such as `application`; `*` stands for all.
    pub kind: Text,
    /// The subtype, such as `sdp`; `*` stands for all.
    pub subtype: Text,
    /// The parameters, such as `boundary` or `q`.
    pub parameters: Parameters,
}

impl MediaType {
    /// The type `kind/subtype` without parameters.
    pub fn new(kind: impl Into<Text>, subtype: impl Into<Text>) -> Self {
        Self { kind: kind.into(), subtype: subtype.into(), parameters: Parameters::new() }
    }

    /// The same type with the parameter `name`; its value `text` is quoted unless it is a token.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<Text>, text: &str) -> Self {
        if is_token(text) {
            self.parameters.set(name, Some(text));
        } else {
            self.parameters.set_quoted(name, text);
        }
        self
    }

    /// What stands between the parts of a multipart body (RFC 2046 §5.1.1).
    pub fn boundary(&self) -> Option<Cow<'_, str>> {
        self.parameters.text("boundary")
    }

    /// Whether this is the type `essence`, such as `application/sdp`, whatever its parameters.
    pub fn is(&self, essence: &str) -> bool {
        essence.split_once('/').is_some_and(|(kind, subtype)| {
            self.kind.eq_ignore_ascii_case(kind) && self.subtype.eq_ignore_ascii_case(subtype)
        })
    }

    /// Whether this range covers the type `essence` (RFC 3261 §20.1).
    pub fn covers(&self, essence: &str) -> bool {
        let matches = |own: &str, other: &str| own == "*" || own.eq_ignore_ascii_case(other);
        essence.split_once('/').is_some_and(|(kind, subtype)| {
            matches(&self.kind, kind) && matches(&self.subtype, subtype)
        })
    }

    pub(super) fn parse(
        value: &WireText<'_>,
        rfc: &'static str,
        parameters: for<'a> fn(&WireText<'_>, &'a str) -> Parsed<'a, Parameters>,
    ) -> Result<Self, ParseError> {
        let (kind, subtype, parameters) = finish(value, rfc, |i| {
            let (i, kind) = token(i)?;
            let (i, _) = slash(i)?;
            let (i, subtype) = token(i)?;
            let (i, parameters) = parameters(value, i)?;
            Ok((i, (kind, subtype, parameters)))
        })?;
        Ok(Self { kind: part(value, kind), subtype: part(value, subtype), parameters })
    }

    pub(super) fn write(&self, out: &mut String) {
        out.push_str(&self.kind);
        out.push('/');
        out.push_str(&self.subtype);
        self.parameters.write(out);
    }
}

/// The part `text` of `owner`. Most are one of a few, which need no share of it.
fn part(owner: &WireText<'_>, text: &str) -> Text {
    match text {
        "application" => Text::from_static("application"),
        "sdp" => Text::from_static("sdp"),
        _ => owner.slice_ref(text),
    }
}

impl PartialEq for MediaType {
    fn eq(&self, other: &Self) -> bool {
        self.kind.eq_ignore_ascii_case(&other.kind)
            && self.subtype.eq_ignore_ascii_case(&other.subtype)
            && self.parameters == other.parameters
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}{}", self.kind, self.subtype, self.parameters)
    }
}

impl std::str::FromStr for MediaType {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(&text.into(), "RFC 3261 §20.15", header_parameters)
    }
}

/// The type of the body, RFC 3261 §20.15.
#[derive(Clone, Debug, PartialEq)]
pub struct ContentType(pub MediaType);

impl ContentType {
    /// Whether the body is of the type `essence`, such as `application/sdp`.
    pub fn is(&self, essence: &str) -> bool {
        self.0.is(essence)
    }
}

impl Header for ContentType {
    const NAME: HeaderName = HeaderName::CONTENT_TYPE;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        MediaType::parse(value, "RFC 3261 §20.15", media_parameters).map(Self)
    }

    fn write(&self, out: &mut String) {
        self.0.write(out);
    }

    fn fits(&self) -> bool {
        is_token(&self.0.kind) && is_token(&self.0.subtype) && self.0.parameters.fit_header()
    }
}

/// `*( SEMI m-attribute EQUAL ( token / quoted-string ) )`. Peers in use also send parameters
/// without a value and values of other characters, which end where they end.
fn media_parameters<'a>(value: &WireText<'_>, i: &'a str) -> Parsed<'a, Parameters> {
    let mut rest = i;
    while !value.is_tolerant()
        && let Ok((after, _)) = semi(rest)
    {
        let text = expect("a token or a quoted string", alt((quoted_string, token)));
        (rest, _) = (expect("a parameter name", token), equal, text).parse(after)?;
    }
    header_parameters(value, i)
}

/// How many bytes the body has, RFC 3261 §20.14.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContentLength(pub usize);

impl Header for ContentLength {
    const NAME: HeaderName = HeaderName::CONTENT_LENGTH;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        finish(value, "RFC 3261 §20.14", number).map(Self)
    }

    fn write(&self, out: &mut String) {
        // A usize has at most 64 bits.
        write_number(self.0 as u64, out);
    }
}

/// What the body is for, RFC 3261 §20.11.
#[derive(Clone, Debug)]
pub struct ContentDisposition {
    /// The use, such as `session`.
    pub disposition: Text,
    /// The parameters, such as `handling`.
    pub parameters: Parameters,
}

impl ContentDisposition {
    /// The use `disposition`, without parameters.
    pub fn new(disposition: impl Into<Text>) -> Self {
        Self { disposition: disposition.into(), parameters: Parameters::new() }
    }

    /// The same use of a body that a peer may ignore when it does not understand it: `handling` is
    /// `optional`.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.parameters.set("handling", Some("optional"));
        self
    }

    /// Whether this is the use `disposition`.
    pub fn is(&self, disposition: &str) -> bool {
        self.disposition.eq_ignore_ascii_case(disposition)
    }

    /// Whether the message must be refused when the body is not understood: so it is unless
    /// `handling` says `optional` (RFC 3261 §20.11), with or without quotes.
    pub fn is_required(&self) -> bool {
        !self.parameters.text("handling").is_some_and(|how| how.eq_ignore_ascii_case("optional"))
    }
}

impl PartialEq for ContentDisposition {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.disposition) && self.parameters == other.parameters
    }
}

impl Header for ContentDisposition {
    const NAME: HeaderName = HeaderName::CONTENT_DISPOSITION;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let (disposition, parameters) = shape::token_and_parameters(value, "RFC 3261 §20.11")?;
        Ok(Self { disposition, parameters })
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.disposition);
        self.parameters.write(out);
    }
}

/// An encoding that was applied to the body, RFC 3261 §20.12.
#[derive(Clone, Debug)]
pub struct ContentEncoding(pub Text);

impl ContentEncoding {
    /// Whether this is `coding`. Codings have no case (RFC 3261 §20.12).
    pub fn is(&self, coding: &str) -> bool {
        self.0.eq_ignore_ascii_case(coding)
    }
}

impl PartialEq for ContentEncoding {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.0)
    }
}

impl Eq for ContentEncoding {}

impl Header for ContentEncoding {
    const NAME: HeaderName = HeaderName::CONTENT_ENCODING;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        finish(value, "RFC 3261 §20.12", token).map(|coding| Self(value.slice_ref(coding)))
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.0);
    }
}

/// The version of MIME that the body follows, RFC 3261 §20.24.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MimeVersion {
    /// The number before the dot.
    pub major: u32,
    /// The number behind the dot.
    pub minor: u32,
}

impl MimeVersion {
    /// 1.0, the only version there is (RFC 2045 §4).
    pub const V1_0: Self = Self { major: 1, minor: 0 };
}

impl Header for MimeVersion {
    const NAME: HeaderName = HeaderName::MIME_VERSION;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let rule = (number, expect("\".\"", char('.')), number);
        let (major, _, minor) = finish(value, "RFC 3261 §20.24", rule)?;
        Ok(Self { major, minor })
    }

    fn write(&self, out: &mut String) {
        write_number(self.major, out);
        out.push('.');
        write_number(self.minor, out);
    }
}

#[cfg(test)]
mod tests {
    use super::super::probe::{forgiven, read, reads, refused, same};
    use super::*;

    #[test]
    fn a_type_is_made_of_its_parts() {
        let made = MediaType::new("multipart", "mixed").with_parameter("boundary", "a b");
        let read: ContentType =
            reads("multipart / mixed ; boundary = \"a b\"", "multipart/mixed;boundary=\"a b\"");
        assert_eq!(read.0, made);
        assert_eq!(read.0.boundary().as_deref(), Some("a b"));
        let made = MediaType::new("Text", "PLAIN").with_parameter("charset", "utf-8");
        assert_eq!(same::<ContentType>("text/plain;charset=utf-8").0, made);
    }

    #[test]
    fn parameters_of_a_type_have_a_token_or_a_quoted_string() {
        forgiven::<ContentType>("application/sdp;", "application/sdp");
        forgiven::<ContentType>("application/isup;version", "application/isup;version");
        let text = "multipart/related;type=text/xml;boundary=--=_a";
        let lax: ContentType = forgiven(text, text);
        assert_eq!(lax.0.boundary().as_deref(), Some("--=_a"));
        refused::<ContentType>("application/sdp;;", 16);
        refused::<ContentType>("application/sdp;a=", 18);
        refused::<ContentType>("application", 11);
        refused::<ContentType>("application/sdp, text/plain", 15);
    }

    #[test]
    fn a_body_is_required_unless_its_handling_is_optional() {
        for (text, is_required) in [
            ("session", true),
            ("session;handling=required", true),
            ("render;handling=OPTIONAL", false),
            ("render;handling=\"optional\"", false),
            ("render;handling=other", true),
            ("render;handling", true),
        ] {
            assert_eq!(same::<ContentDisposition>(text).is_required(), is_required, "{text}");
        }
        let made = ContentDisposition::new("RENDER").optional();
        assert_eq!(read::<ContentDisposition>("render;handling=optional"), made);
        assert!(made.is("render") && !made.is_required());
    }

    #[test]
    fn codings_have_no_case() {
        assert_eq!(same::<ContentEncoding>("gzip"), ContentEncoding("GZIP".into()));
        refused::<ContentEncoding>("gzip;q=1", 4);
    }

    #[test]
    fn a_version_of_mime_is_two_numbers() {
        assert_eq!(same::<MimeVersion>("1.0"), MimeVersion::V1_0);
        refused::<MimeVersion>("1", 1);
        refused::<MimeVersion>("1.", 2);
        refused::<MimeVersion>("1.0.0", 3);
    }
}
