//! Free text (RFC 3261 §20.25, §20.26, §20.35, §20.36, §20.41).

use std::hash::{Hash, Hasher};

use bytestring::ByteString;

use super::{Header, HeaderName};
use crate::{WireText, parse::ParseError};

macro_rules! texts {
    ($($(#[$doc:meta])* $header:ident $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $header(pub ByteString);

        impl PartialEq for $header {
            /// White space at the ends is no part of the value (RFC 3261 §7.3.1).
            fn eq(&self, other: &Self) -> bool {
                trimmed(&self.0) == trimmed(&other.0)
            }
        }

        impl Eq for $header {}

        impl Hash for $header {
            fn hash<S: Hasher>(&self, state: &mut S) {
                trimmed(&self.0).hash(state);
            }
        }

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = false;

            fn parse(value: &WireText) -> Result<Self, ParseError> {
                Ok(Self(value.slice_ref(trimmed(value))))
            }

            fn write(&self, out: &mut String) {
                out.push_str(&self.0);
            }

            fn fits(&self) -> bool {
                true
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

fn trimmed(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}
