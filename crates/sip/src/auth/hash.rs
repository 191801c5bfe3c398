//! The hash functions of digest authentication, and H(A1) (RFC 7616 §3.3, §3.4.2, §3.4.4).

use std::fmt::Write;

use md5::Md5;
use offhook_sansio::Secret;
use offhook_sip_message::Algorithm;
use sha2::{Digest, Sha256, Sha512_256};

use super::OfferError;

/// A hash function that this side can compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HashFunction {
    /// MD5, for peers that know nothing better; NOT RECOMMENDED by RFC 8760 §3.
    Md5,
    /// SHA-256.
    Sha256,
    /// SHA-512/256: a function of its own, not SHA-512 cut short (FIPS 180-4 §5.3.6.2).
    Sha512_256,
}

impl HashFunction {
    /// The function of `algorithm`, with or without `-sess`; `None` for an unknown one.
    pub fn of(algorithm: &Algorithm) -> Option<Self> {
        match algorithm {
            Algorithm::Md5 | Algorithm::Md5Sess => Some(Self::Md5),
            Algorithm::Sha256 | Algorithm::Sha256Sess => Some(Self::Sha256),
            Algorithm::Sha512_256 | Algorithm::Sha512_256Sess => Some(Self::Sha512_256),
            Algorithm::Other(_) => None,
        }
    }

    /// What stands for the name of a user where names are hashed (RFC 7616 §3.4.4), in lower-case
    /// hexadecimal digits: a server finds its users by it.
    pub fn user_hash(self, username: &str, realm: &str) -> String {
        self.hex(&[username.as_bytes(), realm.as_bytes()])
    }

    /// H(part ":" part …) in lower-case hexadecimal digits (RFC 8760 §2.2).
    pub(super) fn hex(self, parts: &[&[u8]]) -> String {
        #[cfg(test)]
        super::tests::count_hash();
        match self {
            Self::Md5 => joined::<Md5>(parts),
            Self::Sha256 => joined::<Sha256>(parts),
            Self::Sha512_256 => joined::<Sha512_256>(parts),
        }
    }

    /// How many hexadecimal digits the hash has.
    fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha256 | Self::Sha512_256 => 64,
        }
    }

    /// Whether collisions cannot be found: what a realm has used once it may not fall below.
    pub(super) fn is_strong(self) -> bool {
        self != Self::Md5
    }
}

fn joined<D: Digest>(parts: &[&[u8]]) -> String {
    let mut hash = D::new();
    let mut separator = "";
    for part in parts {
        hash.update(separator);
        hash.update(part);
        separator = ":";
    }
    to_hex(&hash.finalize())
}

/// `bytes` in lower-case hexadecimal digits.
pub(super) fn to_hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// H(A1): all that a server needs to know of a password (RFC 7616 §3.6).
///
/// It is as good as the password itself within its realm, and is kept as one.
#[derive(Clone, Debug)]
pub struct A1Hash {
    function: HashFunction,
    hex: Secret<String>,
}

impl A1Hash {
    /// H(username ":" realm ":" password). The texts are hashed as they are: a user name or a
    /// password with accents should come in Normalization Form C (RFC 7616 §4).
    pub fn new(
        function: HashFunction,
        username: &str,
        realm: &str,
        password: &Secret<String>,
    ) -> Self {
        let password = password.expose().as_bytes();
        let hex = function.hex(&[username.as_bytes(), realm.as_bytes(), password]);
        Self { function, hex: hex.into() }
    }

    /// A hash that was computed before, such as one from a table of users.
    ///
    /// # Errors
    /// When `hex` is not as many hexadecimal digits as the function gives.
    pub fn from_hex(function: HashFunction, hex: &str) -> Result<Self, OfferError> {
        if hex.len() != function.digits() || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(OfferError::NoHash { expected: function.digits() });
        }
        Ok(Self { function, hex: hex.to_ascii_lowercase().into() })
    }

    /// The function that it was made with.
    pub fn function(&self) -> HashFunction {
        self.function
    }

    /// The hash in lower-case hexadecimal digits, to be kept in a table of users.
    pub fn expose(&self) -> &str {
        self.hex.expose()
    }

    /// The key of a session, for the `-sess` algorithms (RFC 7616 §3.4.2). The nonces are those of
    /// the challenge and of the first request after it.
    pub(super) fn of_session(&self, nonce: &str, cnonce: &str) -> Self {
        let parts = [self.expose().as_bytes(), nonce.as_bytes(), cnonce.as_bytes()];
        Self { function: self.function, hex: self.function.hex(&parts).into() }
    }
}
