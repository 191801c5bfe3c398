//! Where more is to be found: `Alert-Info`, `Call-Info` and `Error-Info` (RFC 3261 §20.4, §20.9,
//! §20.18).

use nom::{Parser, bytes::complete::take_while1, character::complete::char, combinator::opt};

use super::{Header, HeaderName, shape};
use crate::{
    Parameters, Text, Uri, WireText,
    parse::{Fault, ParseError, Parsed, expect},
    uri::uri,
};

/// What an `Alert-Info`, a `Call-Info` or an `Error-Info` points at.
#[derive(Clone, Debug, PartialEq)]
pub enum InfoTarget {
    /// A URI.
    Uri(Uri),
    /// What stands in place of a URI, with its brackets if it came with them, such as
    /// `<Bellcore-dr2>`, `info=alert-autoanswer` or nothing at all. Tolerant profile only.
    Text(Text),
}

impl InfoTarget {
    /// The URI, if it is one.
    pub fn uri(&self) -> Option<&Uri> {
        match self {
            Self::Uri(uri) => Some(uri),
            Self::Text(_) => None,
        }
    }

    /// What stands in place of a URI, without brackets.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Uri(_) => None,
            Self::Text(text) => Some(text.trim_matches(['<', '>'])),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Uri(uri) => {
                out.push('<');
                uri.write(out);
                out.push('>');
            }
            Self::Text(text) => out.push_str(text),
        }
    }
}

impl From<Uri> for InfoTarget {
    fn from(uri: Uri) -> Self {
        Self::Uri(uri)
    }
}

macro_rules! infos {
    ($($(#[$doc:meta])* $header:ident $name:ident $rfc:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $header {
            /// What it points at.
            pub target: InfoTarget,
            /// The parameters behind it.
            pub parameters: Parameters,
        }

        impl $header {
            /// The field that points at `target`, without parameters.
            pub fn new(target: impl Into<InfoTarget>) -> Self {
                Self { target: target.into(), parameters: Parameters::new() }
            }

            /// The URI, if it points at one.
            pub fn uri(&self) -> Option<&Uri> {
                self.target.uri()
            }
        }

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = true;

            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                let target = |i| info_target(value, i);
                let (target, parameters) = shape::with_parameters(value, $rfc, target)?;
                Ok(Self { target, parameters })
            }

            fn write(&self, out: &mut String) {
                self.target.write(out);
                self.parameters.write(out);
            }
        }
    )*};
}

infos! {
    /// An alternative ring tone, in a request, or ringback tone, in a 180, RFC 3261 §20.4.
    ///
    /// PBXs name one of the tones of the phone instead of a URI, or none and tell all by
    /// parameters; the tolerant profile reads that as [`InfoTarget::Text`].
    AlertInfo ALERT_INFO "RFC 3261 §20.4";
    /// More about the caller or the callee, RFC 3261 §20.9.
    ///
    /// To fetch or show it is a risk unless the sender is trusted.
    CallInfo CALL_INFO "RFC 3261 §20.9";
    /// More about the error of a response, RFC 3261 §20.18.
    ErrorInfo ERROR_INFO "RFC 3261 §20.18";
}

impl CallInfo {
    /// What it is for: `icon`, `info`, `card` or another token.
    pub fn purpose(&self) -> Option<&str> {
        self.parameters.value("purpose")
    }

    /// The same field for the purpose `purpose`, which must be a token.
    #[must_use]
    pub fn with_purpose(mut self, purpose: impl Into<Text>) -> Self {
        self.parameters.set("purpose", Some(purpose));
        self
    }
}

/// `LAQUOT absoluteURI RAQUOT`, and in the tolerant profile whatever else stands before the
/// parameters: the tones of phones have no URI, and some PBXs forget the brackets.
fn info_target<'a>(value: &WireText<'_>, i: &'a str) -> Parsed<'a, InfoTarget> {
    match bracketed_uri(value, i) {
        Ok((rest, uri)) => Ok((rest, InfoTarget::Uri(uri))),
        Err(_) if value.is_tolerant() => other_target(value, i),
        Err(error) => Err(error),
    }
}

fn bracketed_uri<'a>(value: &WireText<'_>, i: &'a str) -> Parsed<'a, Uri> {
    let (i, _) = expect("\"<\" before the URI", char('<')).parse(i)?;
    let (i, uri) = uri(value, i)?;
    let (i, _) = expect("\">\" after the URI", char('>')).parse(i)?;
    Ok((i, uri))
}

fn other_target<'a>(value: &WireText<'_>, i: &'a str) -> Parsed<'a, InfoTarget> {
    let plain = |c: char| !c.is_ascii_control() && !matches!(c, ';' | ',' | '"' | '<' | '>');
    let open = i.strip_prefix('<');
    let (rest, text) = opt(take_while1(plain)).parse(open.unwrap_or(i))?;
    let text = text.unwrap_or_default().trim_matches(' ');
    if open.is_some() {
        let (rest, _) = expect("\">\" after the URI", char('>')).parse(rest)?;
        let length = i.len().saturating_sub(rest.len());
        let text = i.get(..length).unwrap_or_default();
        return Ok((rest, InfoTarget::Text(value.slice_ref(text))));
    }
    match uri(value, text) {
        Ok(("", uri)) => Ok((rest, InfoTarget::Uri(uri))),
        // Parameters may tell all, but a semicolon alone tells nothing.
        _ if text.is_empty() && !has_parameters(rest) => Fault::error(i, "a URI in angle brackets"),
        Ok(_) | Err(_) => Ok((rest, InfoTarget::Text(value.slice_ref(text)))),
    }
}

fn has_parameters(rest: &str) -> bool {
    rest.strip_prefix(';').is_some_and(|rest| !rest.trim_matches([' ', '\t']).is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::probe::{forgiven, refused, same};
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_point_at_uris() {
        let alert: AlertInfo = same("<http://www.example.com/sounds/moo.wav>");
        assert_eq!(alert.uri().map(Uri::scheme), Some("http"));
        let call: CallInfo = same("<http://wwww.example.com/alice/photo.jpg>;purpose=icon");
        assert_eq!(call.purpose(), Some("icon"));
        assert_eq!(CallInfo::new(call.uri().unwrap().clone()).with_purpose("ICON"), call);
        let error: ErrorInfo = same("<sip:not-in-service-recording@atlanta.com>");
        assert!(error.uri().unwrap().as_sip().is_some());
        same::<CallInfo>("<sip:a@b.example;lr?Subject=x>;purpose=x-y;a=\"b;c\"");
    }

    #[test]
    fn the_tones_of_phones_are_forgiven() {
        let text = |text: &str, normal| forgiven::<AlertInfo>(text, normal).target;
        let target = text("<Bellcore-dr2>", "<Bellcore-dr2>");
        assert_eq!((target.uri(), target.text()), (None, Some("Bellcore-dr2")));
        assert_eq!(text("Bellcore-dr2", "Bellcore-dr2").text(), Some("Bellcore-dr2"));
        assert_eq!(text("Ring Answer;x=y", "Ring Answer;x=y").text(), Some("Ring Answer"));
        assert_eq!(
            text("info=alert-autoanswer", "info=alert-autoanswer").text().unwrap().len(),
            21
        );
        assert_eq!(text(";info=internal", ";info=internal").text(), Some(""));
        assert_eq!(text("<>;info=internal", "<>;info=internal").text(), Some(""));
        forgiven::<CallInfo>("\t;answer-after=0", ";answer-after=0");
    }

    #[test]
    fn a_uri_without_brackets_is_forgiven() {
        let info: ErrorInfo = forgiven("sip:busy@example.com;a=b", "<sip:busy@example.com>;a=b");
        assert_eq!(info.parameters.value("a"), Some("b"));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        refused::<AlertInfo>("", 0);
        refused::<AlertInfo>(";", 0);
        refused::<AlertInfo>("<sip:a@b.example> x", 18);
        refused::<AlertInfo>("<sip:a@b.example>;;", 18);
        refused::<AlertInfo>("<sip:a@b.example", 16);
        for text in ["<<http://a>>", "a<b>", "\"a\"<http://b>", "<a;b>", "a\u{7}"] {
            assert!(AlertInfo::parse(&text.into()).is_err(), "{text}");
        }
    }
}
