//! Lists of tokens: methods and option tags (RFC 3261 §20.5, §20.29, §20.32, §20.37, §20.40).
//!
//! One value of each type is one element of the list. `headers_of` gives them all, over all rows;
//! a builder's `list` writes them in one row.

use super::{Header, HeaderName};
use crate::{
    Method, Profile, Text, WireText,
    headers::{element_length, is_white},
    parse::{ParseError, expect, finish, is_token, token},
};

/// A method that the sender supports, RFC 3261 §20.5.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Allow(pub Method);

impl Header for Allow {
    const NAME: HeaderName = HeaderName::ALLOW;
    const IS_LIST: bool = true;
    const MAY_BE_EMPTY: bool = true;

    fn element_length(text: &[u8], profile: Profile) -> usize {
        token_length(text, profile)
    }

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let method = finish(value, "RFC 3261 §20.5", expect("a method", token))?;
        Method::of(value, method).map(Self)
    }

    fn write(&self, out: &mut String) {
        out.push_str(self.0.as_str());
    }

    fn fits(&self) -> bool {
        true
    }
}

macro_rules! token_lists {
    ($($(#[$doc:meta])* $header:ident $name:ident $may_be_empty:literal $rfc:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $header(pub Text);

        impl $header {
            /// Whether this is `tag`. Tokens have no case (RFC 3261 §7.3.1).
            pub fn is(&self, tag: &str) -> bool {
                self.0.eq_ignore_ascii_case(tag)
            }
        }

        impl PartialEq for $header {
            fn eq(&self, other: &Self) -> bool {
                self.is(&other.0)
            }
        }

        impl Eq for $header {}

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = true;
            const MAY_BE_EMPTY: bool = $may_be_empty;

            fn element_length(text: &[u8], profile: Profile) -> usize {
                token_length(text, profile)
            }

            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                finish(value, $rfc, token).map(|tag| Self(option_tag(value, tag)))
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.0);
            }

            fn fits(&self) -> bool {
                is_token(&self.0)
            }
        }
    )*};
}

token_lists! {
    /// An extension that the sender supports, RFC 3261 §20.37.
    Supported SUPPORTED true "RFC 3261 §20.37";
    /// An extension that the far end must support, RFC 3261 §20.32.
    Require REQUIRE false "RFC 3261 §20.32";
    /// An extension that proxies must support, RFC 3261 §20.29.
    ProxyRequire PROXY_REQUIRE false "RFC 3261 §20.29";
    /// An extension that was required and is not supported, RFC 3261 §20.40.
    Unsupported UNSUPPORTED false "RFC 3261 §20.40";
}

/// The option tag `tag`, a part of `owner`. Most are one of a few, which need no share of it.
fn option_tag(owner: &WireText<'_>, tag: &str) -> Text {
    match tag {
        "100rel" => Text::from_static("100rel"),
        "timer" => Text::from_static("timer"),
        "replaces" => Text::from_static("replaces"),
        "path" => Text::from_static("path"),
        "outbound" => Text::from_static("outbound"),
        "gruu" => Text::from_static("gruu"),
        "histinfo" => Text::from_static("histinfo"),
        "norefersub" => Text::from_static("norefersub"),
        _ => owner.slice_ref(tag),
    }
}

/// How far the first token of a list goes. Some phones separate methods and option tags by white
/// space alone: a token cannot hold any, so that each still stands for itself.
fn token_length(text: &[u8], profile: Profile) -> usize {
    match profile {
        Profile::Strict => element_length(text),
        Profile::Tolerant => {
            let leading = text.iter().position(|byte| !is_white(*byte)).unwrap_or(text.len());
            let token = text.get(leading..).unwrap_or_default();
            let ends = |byte: &u8| *byte == b',' || is_white(*byte);
            leading.saturating_add(token.iter().position(ends).unwrap_or(token.len()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, ParseOptions};

    fn tags(row: &str, profile: Profile) -> Result<Vec<String>, ParseError> {
        let text = format!("OPTIONS sip:a@b.example SIP/2.0\r\nSupported: {row}\r\n\r\n");
        let options = ParseOptions { profile, ..ParseOptions::default() };
        let message = Message::parse_with(text.into(), &options).unwrap();
        message.headers_of().map(|tag| tag.map(|Supported(tag)| tag.to_string())).collect()
    }

    #[test]
    fn tags_that_are_separated_by_white_space_alone_are_forgiven() {
        for row in ["100rel timer", "100rel\ttimer", "100rel  , timer", "100rel,\r\n timer"] {
            assert_eq!(tags(row, Profile::Tolerant).unwrap(), ["100rel", "timer"], "{row}");
        }
        assert_eq!(tags("100rel , timer", Profile::Strict).unwrap(), ["100rel", "timer"]);
        let error = tags("100rel timer", Profile::Strict).unwrap_err();
        assert_eq!(error.offset(), 51);
        assert!(tags("100rel timer;x", Profile::Tolerant).is_err());
    }

    #[test]
    fn methods_that_are_separated_by_white_space_alone_are_forgiven() {
        let text = "OPTIONS sip:a@b.example SIP/2.0\r\nAllow: INVITE ACK,BYE\r\n\r\n";
        let message = Message::parse(text.into()).unwrap();
        let methods: Result<Vec<Allow>, _> = message.headers_of().collect();
        assert_eq!(methods.unwrap(), [Method::INVITE, Method::ACK, Method::BYE].map(Allow));
    }
}
