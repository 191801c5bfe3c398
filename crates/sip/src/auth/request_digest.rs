//! The digest of a request and of its response (RFC 7616 §3.4.1, §3.4.3, §3.5).

use std::hint::black_box;

use offhook_sip_message::{DigestCredentials, Qop};

use super::A1Hash;

/// The `response` of `credentials`, whose other fields are in place already.
///
/// Credentials without a `qop`, for a server that offered none, follow RFC 2617 §3.2.2.1 and have
/// neither a cnonce nor a count.
pub(super) fn request_digest(
    key: &A1Hash,
    credentials: &DigestCredentials,
    method: &str,
    body: &[u8],
) -> String {
    let hash = |parts: &[&[u8]]| key.function().hex(parts);
    let (method, uri) = (method.as_bytes(), credentials.uri.as_bytes());
    let a2 = match credentials.qop {
        Some(Qop::AuthInt) => hash(&[method, uri, hash(&[body]).as_bytes()]),
        Some(Qop::Auth | Qop::Other(_)) | None => hash(&[method, uri]),
    };
    let (secret, nonce) = (key.expose().as_bytes(), credentials.nonce.as_bytes());
    let Some(qop) = &credentials.qop else { return hash(&[secret, nonce, a2.as_bytes()]) };
    let count = format!("{:08x}", credentials.nc.unwrap_or_default());
    let cnonce = credentials.cnonce.as_deref().unwrap_or_default().as_bytes();
    let qop = qop.as_str().as_bytes();
    hash(&[secret, nonce, count.as_bytes(), cnonce, qop, a2.as_bytes()])
}

/// The `rspauth` of a response with `body` to the request with `credentials`: the same without the
/// method (RFC 7616 §3.5).
pub(super) fn response_digest(
    key: &A1Hash,
    credentials: &DigestCredentials,
    body: &[u8],
) -> String {
    request_digest(key, credentials, "", body)
}

/// Whether two digests are the same, in a time that does not tell where they differ. Digits in
/// upper case are those of old peers.
pub(super) fn same_digest(ours: &str, theirs: &str) -> bool {
    let differs = |sum, (one, two): (u8, u8)| black_box(sum | (one ^ two.to_ascii_lowercase()));
    ours.len() == theirs.len() && ours.bytes().zip(theirs.bytes()).fold(0, differs) == 0
}
