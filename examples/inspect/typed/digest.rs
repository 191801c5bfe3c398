//! Challenges and credentials (RFC 7616).

use offhook::sip_message::{
    self as sip, Algorithm, AuthScheme, AuthenticationInfo, Challenge, Charset, Credentials,
    DigestChallenge, DigestCredentials, Qop, Username,
};

use super::{Describe, parameters};
use crate::node::Node;

macro_rules! digests {
    ($($header:ident $value:ident $digest:ident;)*) => {$(
        impl Describe for sip::$header {
            fn describe(&self) -> Node {
                match &self.0 {
                    $value::Digest(digest) => $digest(digest),
                    $value::Other(other) => scheme(other),
                }
            }
        }
    )*};
}

digests! {
    WwwAuthenticate Challenge challenge;
    ProxyAuthenticate Challenge challenge;
    Authorization Credentials credentials;
    ProxyAuthorization Credentials credentials;
}

impl Describe for AuthenticationInfo {
    fn describe(&self) -> Node {
        Node::map([
            ("nextnonce", self.nextnonce.as_deref().into()),
            ("qop", self.qop.as_ref().map(Qop::as_str).into()),
            ("rspauth", self.rspauth.as_deref().into()),
            ("cnonce", self.cnonce.as_deref().into()),
            ("nc", self.nc.into()),
            ("parameters", parameters(&self.parameters)),
        ])
    }
}

fn challenge(digest: &DigestChallenge) -> Node {
    Node::map([
        ("scheme", "Digest".into()),
        ("realm", digest.realm.to_string().into()),
        ("domain", digest.domain.as_deref().into()),
        ("nonce", digest.nonce.to_string().into()),
        ("opaque", digest.opaque.as_deref().into()),
        ("stale", digest.stale.into()),
        ("algorithm", Algorithm::as_str(&digest.algorithm).into()),
        ("qop", digest.qop.iter().map(Qop::as_str).collect()),
        ("charset", digest.charset.as_ref().map(Charset::as_str).into()),
        ("userhash", digest.userhash.into()),
        ("parameters", parameters(&digest.parameters)),
    ])
}

fn credentials(digest: &DigestCredentials) -> Node {
    let language = match &digest.username {
        Username::Plain(_) => Node::Null,
        Username::Extended { language, .. } => language.to_string().into(),
    };
    Node::map([
        ("scheme", "Digest".into()),
        ("username", digest.username.as_str().into()),
        ("username_language", language),
        ("realm", digest.realm.to_string().into()),
        ("nonce", digest.nonce.to_string().into()),
        ("uri", digest.uri.to_string().into()),
        ("response", digest.response.to_string().into()),
        ("algorithm", Algorithm::as_str(&digest.algorithm).into()),
        ("cnonce", digest.cnonce.as_deref().into()),
        ("opaque", digest.opaque.as_deref().into()),
        ("qop", digest.qop.as_ref().map(Qop::as_str).into()),
        ("nc", digest.nc.into()),
        ("userhash", digest.userhash.into()),
        ("parameters", parameters(&digest.parameters)),
    ])
}

fn scheme(other: &AuthScheme) -> Node {
    Node::map([
        ("scheme", other.scheme.to_string().into()),
        ("token", other.token().into()),
        ("parameters", other.parameters().map(parameters).into()),
    ])
}
