//! Free text (RFC 3261 §20.25, §20.26, §20.35, §20.36, §20.41).

use bytestring::ByteString;

use super::{Header, HeaderName};
use crate::parse::ParseError;

macro_rules! texts {
    ($($(#[$doc:meta])* $header:ident $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub struct $header(pub ByteString);

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = false;

            fn parse(value: &ByteString) -> Result<Self, ParseError> {
                Ok(Self(value.slice_ref(value.trim_matches([' ', '\t']))))
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.0);
            }
        }
    )*};
}

texts! {
    /// The software of the client, RFC 3261 §20.41.
    UserAgent USER_AGENT;
    /// The software of the server, RFC 3261 §20.35.
    Server SERVER;
    /// What the call is about, RFC 3261 §20.36.
    Subject SUBJECT;
    /// The organization of the sender, RFC 3261 §20.25.
    Organization ORGANIZATION;
    /// How urgent the request is, RFC 3261 §20.26.
    Priority PRIORITY;
}
