//! Challenges and credentials (RFC 3261 §20.6, §20.7, §20.27, §20.28, §20.44, §22; RFC 7616 and
//! RFC 8760; RFC 2617 for old peers). The texts are without quotes and escapes; which of them are
//! written in quotes is settled by RFC 7616 §3.3 to §3.5. No digest is computed here.

use super::{Header, HeaderName};
use crate::{
    Profile, WireText,
    parse::{Class, ParseError, Parsed, finish, lws1, take_class1},
};

mod challenge;
pub use challenge::DigestChallenge;

mod credentials;
pub use credentials::{DigestCredentials, Username};

mod info;
pub use info::AuthenticationInfo;

mod list;

mod params;
use params::AuthParams;

mod registry;
pub use registry::{Algorithm, Charset, Qop};

mod scheme;
pub use scheme::{AuthScheme, AuthValue};

mod writer;

/// What a server asks for (RFC 3261 §25.1 `challenge`).
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all challenges are digest")]
pub enum Challenge {
    /// A digest (RFC 7616).
    Digest(DigestChallenge),
    /// Something else.
    Other(AuthScheme),
}

/// What a client proves itself with (RFC 3261 §25.1 `credentials`).
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all credentials are digest")]
pub enum Credentials {
    /// A digest (RFC 7616).
    Digest(DigestCredentials),
    /// Something else.
    Other(AuthScheme),
}

macro_rules! digest_or_other {
    ($($value:ident $digest:ident;)*) => {$(
        impl $value {
            /// The digest, if it is one.
            pub fn as_digest(&self) -> Option<&$digest> {
                match self {
                    Self::Digest(digest) => Some(digest),
                    Self::Other(_) => None,
                }
            }

            fn parse<'a>(owner: &'a WireText<'_>, i: &'a str) -> Parsed<'a, Self> {
                let (i, scheme) = take_class1(i, Class::TOKEN, "an authentication scheme")?;
                if !scheme.eq_ignore_ascii_case(DIGEST) {
                    let (rest, other) = AuthScheme::parse(owner, scheme, i)?;
                    return Ok((rest, Self::Other(other)));
                }
                let (i, _) = lws1(i)?;
                let mut params = AuthParams::new(owner);
                let rest = params.read(i)?;
                Ok((rest, Self::Digest($digest::take(&mut params)?)))
            }

            fn write(&self, out: &mut String) {
                match self {
                    Self::Digest(digest) => {
                        out.push_str(DIGEST);
                        out.push(' ');
                        digest.write(out);
                    }
                    Self::Other(other) => other.write(out),
                }
            }
        }

        impl std::convert::From<$digest> for $value {
            fn from(digest: $digest) -> Self {
                Self::Digest(digest)
            }
        }

        impl std::convert::From<AuthScheme> for $value {
            fn from(other: AuthScheme) -> Self {
                Self::Other(other)
            }
        }
    )*};
}

digest_or_other! {
    Challenge DigestChallenge;
    Credentials DigestCredentials;
}

macro_rules! auth_headers {
    ($($(#[$doc:meta])* $header:ident $name:ident $value:ident $digest:ident $rfc:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $header(pub $value);

        impl $header {
            /// The field with this value.
            pub fn new(value: impl Into<$value>) -> Self {
                Self(value.into())
            }

            /// The digest, if it is one.
            pub fn as_digest(&self) -> Option<&$digest> {
                self.0.as_digest()
            }
        }

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = true;

            fn element_length(text: &[u8], profile: Profile) -> usize {
                list::element_length(text, profile)
            }

            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                finish(value, $rfc, |i| $value::parse(value, i)).map(Self)
            }

            fn write(&self, out: &mut String) {
                self.0.write(out);
            }
        }
    )*};
}

auth_headers! {
    /// A challenge of a user agent or a registrar, RFC 3261 §20.44. The topmost one that the
    /// client supports is to be answered (RFC 8760 §2.4).
    WwwAuthenticate WWW_AUTHENTICATE Challenge DigestChallenge "RFC 3261 §20.44";
    /// A challenge of a proxy, RFC 3261 §20.27.
    ProxyAuthenticate PROXY_AUTHENTICATE Challenge DigestChallenge "RFC 3261 §20.27";
    /// Credentials for a user agent or a registrar, RFC 3261 §20.7.
    Authorization AUTHORIZATION Credentials DigestCredentials "RFC 3261 §20.7";
    /// Credentials for a proxy, RFC 3261 §20.28.
    ProxyAuthorization PROXY_AUTHORIZATION Credentials DigestCredentials "RFC 3261 §20.28";
}

/// The scheme of RFC 7616.
const DIGEST: &str = "Digest";

#[cfg(test)]
mod tests;
