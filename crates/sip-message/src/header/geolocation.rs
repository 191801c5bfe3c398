//! Where the caller is: `Geolocation`, `Geolocation-Routing` and `Geolocation-Error` (RFC 6442 §4).

use std::borrow::Cow;

use nom::combinator::recognize;

use super::{
    Header, HeaderName,
    open_token::open_tokens,
    parts::{bracketed_uri, generic_param, write_bracketed_uri},
};
use crate::{
    Parameters, Uri, WireText,
    parse::{Class, Fault, ParseError, Parsed, finish, take_class1, write_number},
    uri::header_parameters,
};

/// Where to find out where somebody is, RFC 6442 §4.1.
#[derive(Clone, Debug, PartialEq)]
pub struct Geolocation {
    /// The URI: `cid:` for a part of the body.
    pub uri: Uri,
    /// The parameters behind the URI.
    pub parameters: Parameters,
}

impl Geolocation {
    /// The location at `uri`.
    pub fn new(uri: Uri) -> Self {
        Self { uri, parameters: Parameters::new() }
    }
}

impl Header for Geolocation {
    const NAME: HeaderName = HeaderName::GEOLOCATION;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let rule = (|i| bracketed_uri(value, i), |i| header_parameters(value, i));
        let (uri, parameters) = finish(value, "RFC 6442 §4.1", rule)?;
        Ok(Self { uri, parameters })
    }

    fn write(&self, out: &mut String) {
        write_bracketed_uri(&self.uri, out);
        self.parameters.write(out);
    }
}

open_tokens! {
    /// Whether proxies may route by the location, RFC 6442 §4.2. `Other` is a token, with or without
    /// a value behind it. Compared without case.
    GeolocationRouting {
        /// They may.
        Yes "yes",
        /// They must not.
        No "no",
    }
}

impl GeolocationRouting {
    /// Whether proxies may route by the location: any other value means no (RFC 6442 §4.2).
    pub fn is_allowed(&self) -> bool {
        self.as_str().eq_ignore_ascii_case("yes")
    }
}

impl Header for GeolocationRouting {
    const NAME: HeaderName = HeaderName::GEOLOCATION_ROUTING;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let text = finish(value, "RFC 6442 §4.2", recognize(|i| generic_param(value, i)))?;
        Ok(Self::from(value.slice_ref(text)))
    }

    fn write(&self, out: &mut String) {
        out.push_str(self.as_str());
    }
}

/// What is wrong with a location, RFC 6442 §4.3.
#[derive(Clone, Debug, PartialEq)]
pub struct GeolocationError {
    /// The code, 0 to 999; the hundreds tell its kind.
    pub code: u16,
    /// The parameters, such as the text for people, `code`.
    pub parameters: Parameters,
}

impl GeolocationError {
    /// The error `code`, without a text.
    pub fn new(code: u16) -> Self {
        Self { code, parameters: Parameters::new() }
    }

    /// The same error with a text for people.
    #[must_use]
    pub fn with_text(mut self, text: &str) -> Self {
        self.parameters.set_quoted("code", text);
        self
    }

    /// The text for people.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        self.parameters.text("code")
    }
}

impl Header for GeolocationError {
    const NAME: HeaderName = HeaderName::GEOLOCATION_ERROR;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let rule = (code, |i| header_parameters(value, i));
        let (code, parameters) = finish(value, "RFC 6442 §4.3", rule)?;
        Ok(Self { code, parameters })
    }

    fn write(&self, out: &mut String) {
        write_number(self.code, out);
        self.parameters.write(out);
    }
}

/// `1*3DIGIT`.
fn code(i: &str) -> Parsed<'_, u16> {
    let (rest, digits) = take_class1(i, Class::DIGIT, "an error code")?;
    match digits.parse() {
        Ok(code) if digits.len() <= 3 => Ok((rest, code)),
        Ok(_) | Err(_) => Fault::error(i, "an error code of one to three digits"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::probe::*, *};

    #[test]
    fn locations_are_read_and_written() {
        let location: Geolocation = same("<cid:target123@atlanta.example.com>");
        assert_eq!(location.uri.scheme(), "cid");
        assert!(location.parameters.is_empty());
        let text = "<sips:target123@server5.atlanta.example.com;a=b>;inserted-by=server5";
        let location: Geolocation = same(text);
        assert_eq!(location.parameters.value("inserted-by"), Some("server5"));
        refused::<Geolocation>("", 0);
        refused::<Geolocation>("cid:a@b.example", 0);
        refused::<Geolocation>("Bob <cid:a@b.example>", 0);
        refused::<Geolocation>("<cid:a@b.example", 16);
        refused::<Geolocation>("<cid:a@b.example>;;", 18);
    }

    #[test]
    fn routing_is_allowed_by_yes_only() {
        assert!(matches!(same("yes"), GeolocationRouting::Yes));
        assert!(read_strictly::<GeolocationRouting>(" Yes ").unwrap().is_allowed());
        for text in ["no", "maybe", "yes=\"no\"", "x=[::1]"] {
            assert!(!same::<GeolocationRouting>(text).is_allowed(), "{text}");
        }
        assert!(!GeolocationRouting::from("yes;x").is_allowed());
        refused::<GeolocationRouting>("", 0);
        refused::<GeolocationRouting>("yes no", 4);
        refused::<GeolocationRouting>("x=", 2);
    }

    #[test]
    fn errors_have_a_code_and_a_text() {
        let error: GeolocationError = same("200;code=\"Permission To Use Location Information\"");
        assert_eq!(error.text().unwrap(), "Permission To Use Location Information");
        let built = GeolocationError::new(200).with_text("Permission To Use Location Information");
        assert_eq!(built, error);
        assert_eq!(read_strictly::<GeolocationError>("100 ; x").unwrap().code, 100);
        refused::<GeolocationError>("", 0);
        refused::<GeolocationError>("1000", 0);
        refused::<GeolocationError>("1;code=\"a\";code=\"b\"", 11);
    }
}
