//! Agreement on a security mechanism (RFC 3329 §2.2).

use std::{borrow::Cow, fmt};

use super::{
    Algorithm, Header, HeaderName, Qop, Quality, open_token::open_tokens, quality::qualities,
};
use crate::{
    Parameters, WireText,
    parse::{Class, Fault, ParseError, Parsed, finish, is_token, take_class1},
    uri::header_parameters,
};

open_tokens! {
    /// How two hops protect what they say to each other (RFC 3329 §2.2). Compared without case.
    SecurityMechanism {
        /// HTTP digest.
        Digest "digest",
        /// TLS.
        Tls "tls",
        /// IPsec with IKE.
        IpsecIke "ipsec-ike",
        /// IPsec with keys set by hand.
        IpsecMan "ipsec-man",
        /// IPsec with the keys of the 3GPP authentication (RFC 3329 appendix A).
        Ipsec3gpp "ipsec-3gpp",
    }
}

macro_rules! security_headers {
    ($($(#[$doc:meta])* $header:ident $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq)]
        pub struct $header {
            /// The mechanism.
            pub mechanism: SecurityMechanism,
            /// The parameters, such as `q`.
            pub parameters: Parameters,
        }

        impl $header {
            /// The mechanism without parameters.
            pub fn new(mechanism: impl Into<SecurityMechanism>) -> Self {
                Self { mechanism: mechanism.into(), parameters: Parameters::new() }
            }

            /// The digest algorithm (`d-alg`).
            pub fn digest_algorithm(&self) -> Option<Algorithm> {
                Some(Algorithm::from(self.parameters.value("d-alg")?))
            }

            /// The quality of protection of the digest (`d-qop`).
            pub fn digest_qop(&self) -> Option<Qop> {
                Some(Qop::from(self.parameters.value("d-qop")?))
            }

            /// The digest over what the server offered (`d-ver`).
            pub fn digest_verify(&self) -> Option<Cow<'_, str>> {
                self.parameters.text("d-ver")
            }
        }

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = true;

            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                let (mechanism, parameters) =
                    finish(value, "RFC 3329 §2.2", |i| mechanism(value, i))?;
                Ok(Self { mechanism, parameters })
            }

            fn write(&self, out: &mut String) {
                out.push_str(self.mechanism.as_str());
                self.parameters.write(out);
            }
        }

        impl fmt::Debug for $header {
            /// Without the digest.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($header))
                    .field("mechanism", &self.mechanism)
                    .field("parameters", &WithoutDigest(&self.parameters))
                    .finish()
            }
        }
    )*};
}

security_headers! {
    /// A security mechanism that the client supports, RFC 3329 §2.2.
    SecurityClient SECURITY_CLIENT;
    /// A security mechanism that the server supports, RFC 3329 §2.2.
    SecurityServer SECURITY_SERVER;
    /// A security mechanism that the server has offered, as the client got to see it, RFC 3329 §2.2.
    SecurityVerify SECURITY_VERIFY;
}

qualities! { SecurityClient }
qualities! { SecurityServer }
qualities! { SecurityVerify }

struct WithoutDigest<'a>(&'a Parameters);

impl fmt::Debug for WithoutDigest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hidden = |name: &str| name.eq_ignore_ascii_case("d-ver");
        let shown = |(name, value)| if hidden(name) { (name, Some("…")) } else { (name, value) };
        f.debug_map().entries(self.0.iter().map(shown)).finish()
    }
}

/// `mechanism-name *( SEMI mech-parameters )`.
fn mechanism<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, (SecurityMechanism, Parameters)> {
    let (at, name) = take_class1(i, Class::TOKEN, "a security mechanism")?;
    let (rest, parameters) = header_parameters(owner, at)?;
    if !owner.is_tolerant()
        && let Some(expected) = parameter_fault(&parameters)
    {
        return Err(nom::Err::Failure(Fault { rest: at, expected }));
    }
    Ok((rest, (SecurityMechanism::from(owner.slice_ref(name)), parameters)))
}

/// What is wrong with the values that RFC 3329 §2.2 gives a form.
fn parameter_fault(parameters: &Parameters) -> Option<&'static str> {
    let given = |name| parameters.get(name).map(Option::unwrap_or_default);
    let lower_hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
    let digest = |text: &str| {
        let digits = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        digits.is_some_and(|digits| digits.len() == 32 && digits.bytes().all(lower_hex))
    };
    if given("q").is_some_and(|text| text.parse::<Quality>().is_err()) {
        return Some("a q from 0 to 1 with up to three decimals");
    }
    if ["d-alg", "d-qop"].into_iter().any(|name| given(name).is_some_and(|text| !is_token(text))) {
        return Some("a token as d-alg and as d-qop");
    }
    given("d-ver").filter(|text| !digest(text)).map(|_| "32 hexadecimal digits in quotes as d-ver")
}

#[cfg(test)]
mod tests {
    use super::{super::probe::*, *};

    #[test]
    fn the_examples_are_read_and_written() {
        let server: SecurityServer = same("ipsec-ike;q=0.1");
        assert!(matches!(server.mechanism, SecurityMechanism::IpsecIke));
        let tenth = Quality::new(100).unwrap();
        assert_eq!(server.q(), Some(tenth));
        assert_eq!(server, SecurityServer::new("IPSEC-IKE").with_q(tenth));
        let client: SecurityClient = same("tls");
        assert_eq!(client, SecurityClient::new(SecurityMechanism::Tls));
        let ims = "ipsec-3gpp;alg=hmac-sha-1-96;spi-c=1111;spi-s=2222;port-c=5062;port-s=5064";
        let client: SecurityClient = same(ims);
        assert_eq!(client.parameters.value("port-s"), Some("5064"));
    }

    #[test]
    fn a_digest_is_told_but_not_shown() {
        let text = "digest;d-alg=MD5;d-qop=auth;d-ver=\"0123456789abcdef0123456789abcdef\"";
        let verify: SecurityVerify = same(text);
        assert_eq!(verify.digest_algorithm(), Some(Algorithm::Md5));
        assert_eq!(verify.digest_qop(), Some(Qop::Auth));
        assert_eq!(verify.digest_verify().unwrap(), "0123456789abcdef0123456789abcdef");
        let debug = format!("{verify:?}");
        assert!(debug.contains("d-alg") && !debug.contains("0123"), "{debug}");
    }

    #[test]
    fn broken_mechanisms_are_refused() {
        refused::<SecurityClient>("", 0);
        refused::<SecurityClient>("tls;q=0.1;q=0.2", 10);
        refused::<SecurityClient>("tls q=1", 4);
        for text in ["digest;d-ver=abc", "digest;d-ver=\"abc\"", "tls;q=2", "digest;d-qop=\"auth\""]
        {
            forgiven::<SecurityVerify>(text, text);
        }
    }
}
