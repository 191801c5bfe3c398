//! Lists of tokens: methods and option tags (RFC 3261 §20.5, §20.29, §20.32, §20.37, §20.40).
//!
//! One value of each type is one element of the list. `headers_of` gives them all, over all rows;
//! a builder's `list` writes them in one row.

use bytestring::ByteString;

use super::{Header, HeaderName};
use crate::{
    Method, WireText,
    parse::{ParseError, expect, finish, token},
};

/// A method that the sender supports, RFC 3261 §20.5.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Allow(pub Method);

impl Header for Allow {
    const NAME: HeaderName = HeaderName::ALLOW;
    const IS_LIST: bool = true;
    const MAY_BE_EMPTY: bool = true;

    fn parse(value: &WireText) -> Result<Self, ParseError> {
        let method = finish(value, "RFC 3261 §20.5", expect("a method", token))?;
        Method::from_text(value.slice_ref(method)).map(Self)
    }

    fn write(&self, out: &mut String) {
        out.push_str(self.0.as_str());
    }
}

macro_rules! token_lists {
    ($($(#[$doc:meta])* $header:ident $name:ident $may_be_empty:literal $rfc:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $header(pub ByteString);

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

            fn parse(value: &WireText) -> Result<Self, ParseError> {
                finish(value, $rfc, token).map(|tag| Self(value.slice_ref(tag)))
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.0);
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
    /// An event package that the sender supports, RFC 6665 §8.2.2.
    AllowEvents ALLOW_EVENTS false "RFC 6665 §8.2.2";
}
