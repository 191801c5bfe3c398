//! The signed identity of the caller: `Identity` (RFC 8224 §4; RFC 8225 for what is signed).

use std::borrow::Cow;

use super::{
    Header, HeaderName,
    parts::{bracketed_uri, write_bracketed_uri},
};
use crate::{
    Parameters, Text, Uri, WireText,
    parse::{Fault, ParseError, Parsed, equal, finish, is_token, semi, token},
    uri::header_parameters,
};

/// A signature over who calls whom, RFC 8224 §4. A request may hold several.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// The PASSporT: header, payload and signature with dots between them, or in its compact form
    /// two dots and the signature (RFC 8225 §7).
    pub signed_identity_digest: Text,
    /// Where the certificate of the signer is (`info`).
    ///
    /// `None` stands for the field of RFC 4474, which was a signature alone, in quotes or not, and
    /// is what RFC 4475 §3.1.1.11 holds. RFC 8224 §4 has put an end to it, so only the tolerant
    /// profile reads it, and there is nothing to verify it by.
    pub info: Option<Uri>,
    /// The parameters behind `info`, such as `alg` and `ppt`.
    pub parameters: Parameters,
}

impl Identity {
    /// The PASSporT `digest`, signed with the key of the certificate at `info`.
    pub fn new(digest: impl Into<Text>, info: Uri) -> Self {
        let info = Some(info);
        Self { signed_identity_digest: digest.into(), info, parameters: Parameters::new() }
    }

    /// The same identity, signed by the algorithm `algorithm`.
    #[must_use]
    pub fn with_algorithm(mut self, algorithm: impl Into<Text>) -> Self {
        self.parameters.set("alg", Some(algorithm));
        self
    }

    /// The same identity with a PASSporT of the type `ppt`, such as `shaken`.
    #[must_use]
    pub fn with_ppt(mut self, ppt: impl Into<Text>) -> Self {
        self.parameters.set("ppt", Some(ppt));
        self
    }

    /// Whether header and payload are left out, so that the reader makes them from the request
    /// (RFC 8225 §7).
    pub fn is_compact(&self) -> bool {
        self.signed_identity_digest.starts_with("..")
    }

    /// Header, payload and signature; the first two are empty in the compact form. `None` if there
    /// are not three parts.
    pub fn parts(&self) -> Option<(&str, &str, &str)> {
        let (header, rest) = self.signed_identity_digest.split_once('.')?;
        let (payload, signature) = rest.split_once('.')?;
        if signature.contains('.') { None } else { Some((header, payload, signature)) }
    }

    /// The algorithm of the signature; ES256 where none is named (RFC 8224 §4.1).
    pub fn algorithm(&self) -> Cow<'_, str> {
        self.parameters.text("alg").unwrap_or(Cow::Borrowed("ES256"))
    }

    /// The type of the PASSporT, if it is an extension.
    pub fn ppt(&self) -> Option<Cow<'_, str>> {
        self.parameters.text("ppt")
    }
}

impl Header for Identity {
    const NAME: HeaderName = HeaderName::IDENTITY;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let current = finish(value, "RFC 8224 §4", |i| identity(value, i));
        current.or_else(|error| old_identity(value).ok_or(error))
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.signed_identity_digest);
        if let Some(info) = &self.info {
            out.push_str(";info=");
            write_bracketed_uri(info, out);
        }
        self.parameters.write(out);
    }
}

/// `signed-identity-digest SEMI ident-info *( SEMI ident-info-params )`.
fn identity<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, Identity> {
    let (i, digest) = signed_identity_digest(i)?;
    let (rest, _) = semi(i)?;
    let (rest, name) = token(rest)?;
    if !name.eq_ignore_ascii_case("info") {
        return Fault::error(i, "the parameter info");
    }
    let (rest, _) = equal(rest)?;
    let (at, info) = bracketed_uri(owner, rest)?;
    let (rest, parameters) = header_parameters(owner, at)?;
    let fault = |expected| Err(nom::Err::Failure(Fault { rest: at, expected }));
    if parameters.contains("info") {
        return fault("one info");
    }
    // Signers in use write `ppt="shaken"`.
    let bare = |name| parameters.get(name).is_none_or(|value| value.is_some_and(is_token));
    let tokens = bare("alg") && bare("ppt");
    if !tokens && !owner.is_tolerant() {
        return fault("a token as alg and as ppt");
    }
    let signed_identity_digest = owner.slice_ref(digest);
    Ok((rest, Identity { signed_identity_digest, info: Some(info), parameters }))
}

/// The field of RFC 4474: Base64, which has no dots, and nothing behind it.
fn old_identity(value: &WireText<'_>) -> Option<Identity> {
    let text = value.trim_matches([' ', '\t']);
    let inside = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let digest = inside.unwrap_or(text);
    let letters = digest.trim_end_matches('=');
    let in_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'+');
    if !value.is_tolerant() || letters.is_empty() || !letters.bytes().all(in_base64) {
        return None;
    }
    let signed_identity_digest = value.slice_ref(digest);
    Some(Identity { signed_identity_digest, info: None, parameters: Parameters::new() })
}

/// `1*( base64-char / "." )`. The letters `-` and `_` of base64url lack in the grammar, but stand
/// in the examples of RFC 8224 §4.1 and are those of RFC 8225.
fn signed_identity_digest(i: &str) -> Parsed<'_, &str> {
    let in_digest = |byte: u8| byte.is_ascii_alphanumeric() || b"/+.-_".contains(&byte);
    let end = i.bytes().position(|byte| !in_digest(byte)).unwrap_or(i.len());
    match i.split_at_checked(end) {
        Some((digest, rest)) if !digest.is_empty() => Ok((rest, digest)),
        _ => Fault::error(i, "a signed identity digest"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::probe::*, *};

    const FULL: &str = "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1I\
        joiaHR0cHM6Ly9jZXJ0LmV4YW1wbGUub3JnL3Bhc3Nwb3J0LmNlciJ9.eyJ\
        kZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdC\
        I6IjE0NDMyMDgzNDUiLCJvcmlnIjp7InRuIjoiMTIxNTU1NTEyMTIifX0.r\
        q3pjT1hoRwakEGjHCnWSwUnshd0-zJ6F1VOgFWSjHBr8Qjpjlk-cpFYpFYs\
        ojNCpTzO3QfPOlckGaS6hEck7w;info=<https://biloxi.example.org/biloxi.cert>";

    const QUOTED: &str = "a.b.c;info=<https://a.example>;ppt=\"shaken\"";

    #[test]
    fn full_and_compact_forms_are_read() {
        let full: Identity = same(FULL);
        let (header, payload, signature) = full.parts().unwrap();
        assert!(header.starts_with("eyJhbG") && payload.starts_with("eyJkZXN0"));
        assert!(!full.is_compact() && signature.ends_with("hEck7w"));
        assert_eq!((&*full.algorithm(), full.ppt()), ("ES256", None));
        assert_eq!(full.info.unwrap().to_string(), "https://biloxi.example.org/biloxi.cert");

        let text = "..rq3pjT1hoRwakEGjHCnWSwUnshd0-zJ6F1V;info=<https://cert.example.org/passport.cer>;alg=ES256;ppt=div";
        let compact: Identity = same(text);
        assert!(compact.is_compact());
        assert_eq!(compact.ppt().as_deref(), Some("div"));
        let uri = "https://cert.example.org/passport.cer".parse::<Uri>().unwrap();
        let built = Identity::new("..rq3pjT1hoRwakEGjHCnWSwUnshd0-zJ6F1V", uri);
        assert_eq!(built.with_algorithm("ES256").with_ppt("div"), compact);
        assert_eq!(Identity::new("a.b", compact.info.unwrap()).parts(), None);
    }

    #[test]
    fn a_quoted_type_is_forgiven() {
        let identity: Identity = forgiven(QUOTED, QUOTED);
        assert_eq!(identity.ppt().as_deref(), Some("shaken"));
    }

    #[test]
    fn a_signature_alone_is_that_of_an_old_signer() {
        let old: Identity =
            forgiven("ZYNBbHC00VMZr2kZt6VmCvPon/G+0A=", "ZYNBbHC00VMZr2kZt6VmCvPon/G+0A=");
        assert_eq!((&old.info, old.parts(), old.is_compact()), (&None, None, false));
        assert_eq!(
            forgiven::<Identity>("\"ZYNBbHC00VMZr2kZt6VmCvPon/G+0A=\"", &written(&old)),
            old
        );
        refused::<Identity>("a=b", 1);
        refused::<Identity>("=", 0);
        refused::<Identity>("\"a", 0);
        refused::<Identity>("a;alg=rsa-sha1", 1);
    }

    #[test]
    fn broken_identities_are_refused() {
        refused::<Identity>("", 0);
        refused::<Identity>("a.b.c", 5);
        refused::<Identity>("a.b.c;alg=ES256;info=<https://a.example>", 5);
        refused::<Identity>("a.b.c;info=https://a.example", 11);
        refused::<Identity>("a.b.c;info=<https://a.example", 29);
        refused::<Identity>("a.b=;info=<https://a.example>", 3);
        refused::<Identity>("a.b.c;info=<https://a.example>;info=b", 30);
    }
}
