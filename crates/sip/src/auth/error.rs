//! Why a challenge is not answered, and why credentials do not authenticate.
//!
//! The variants are sorted by blame: first what the peer refuses or gets wrong, then what this side
//! does not know, then misuse, then limits. None of them holds a password, a digest or a nonce.

use offhook_sip_message::{Method, ParseError, StatusCode};

/// A response that an [`Authenticator`](super::Authenticator) cannot answer or does not believe.
/// The request is over with the response that came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChallengeError {
    /// The server has refused the user name or the password. The same request must not be tried
    /// again with them (RFC 3261 §22.1).
    #[error("realm {realm:?} refuses the credentials (RFC 3261 §22.1)")]
    Rejected {
        /// The realm.
        realm: String,
    },
    /// The server does not know the password that it has just accepted (RFC 7616 §3.5).
    #[error("the server of realm {realm:?} does not prove itself: wrong rspauth (RFC 7616 §3.5)")]
    WrongProof {
        /// The realm.
        realm: String,
    },
    /// The realm has asked for a stronger algorithm before: someone in between may have taken it
    /// out (RFC 7616 §5.8).
    #[error("realm {realm:?} falls back to {algorithm} (RFC 7616 §5.8)")]
    Downgrade {
        /// The realm.
        realm: String,
        /// The algorithm that it asks for now.
        algorithm: String,
    },
    /// A 401 or 407 without a challenge (RFC 3261 §22.2, §22.3).
    #[error("no challenge in the response (RFC 3261 §22.2, §22.3)")]
    NoChallenge,
    /// The challenge cannot be read.
    #[error("the challenge cannot be read: {0}")]
    Malformed(#[from] ParseError),
    /// A session algorithm without a `qop`, which its cnonce needs (RFC 3261 §22.4, number 8).
    #[error("realm {realm:?} asks for a session without qop (RFC 3261 §22.4)")]
    SessionWithoutQop {
        /// The realm.
        realm: String,
    },
    /// There is no user name and password for the realm (RFC 3261 §22.1).
    #[error("no user name is known for realm {realm:?} (RFC 3261 §22.1)")]
    UnknownRealm {
        /// The realm, to be shown to the user.
        realm: String,
    },
    /// The algorithm is not known, or not allowed here (RFC 7616 §3.3).
    #[error("realm {realm:?} asks for algorithm {algorithm}, which is not supported")]
    UnknownAlgorithm {
        /// The realm.
        realm: String,
        /// The algorithm.
        algorithm: String,
    },
    /// No quality of protection is known (RFC 7616 §3.3).
    #[error("realm {realm:?} asks for qop {qop:?}, which is not supported")]
    UnknownQop {
        /// The realm.
        realm: String,
        /// What the challenge offers.
        qop: String,
    },
    /// The server wants text in an encoding other than UTF-8 (RFC 7616 §4).
    #[error("realm {realm:?} asks for charset {charset}, which is not supported")]
    UnknownCharset {
        /// The realm.
        realm: String,
        /// The encoding.
        charset: String,
    },
    /// A scheme other than Digest; `Basic` among them, which is never used (RFC 3261 §22).
    #[error("the scheme {scheme} is not supported")]
    UnknownScheme {
        /// The scheme.
        scheme: String,
    },
    /// The response is neither a 401 nor a 407.
    #[error("a {} is no challenge", status.as_u16())]
    NotAChallenge {
        /// The status of the response.
        status: StatusCode,
    },
    /// ACK and CANCEL cannot be sent again (RFC 3261 §22.1).
    #[error("{method} is never challenged (RFC 3261 §22.1)")]
    NeverChallenged {
        /// The method of the request.
        method: Method,
    },
    /// A response with more challenges, or of more realms, than anybody has use for.
    #[error("too many challenges in one response")]
    TooManyChallenges,
    /// The same request was challenged again and again.
    #[error("challenged too many times")]
    TooManyTries,
}

/// What is wrong with the credentials of a request, or with its lack of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// No digest credentials for the realm (RFC 3261 §22.2, §22.3).
    #[error("no credentials for the realm")]
    Missing,
    /// The user name or the password is wrong. Which of them, nobody is told.
    #[error("wrong user name or password")]
    Wrong,
    /// The nonce is too old (RFC 7616 §5.4).
    #[error("the nonce has expired")]
    Expired,
    /// The nonce count does not grow (RFC 7616 §5.5).
    #[error("the nonce count was used before")]
    Replayed,
    /// Whether the nonce was used before is no longer known.
    #[error("the nonce is forgotten")]
    Forgotten,
    /// The nonce is not one of this server, or of an earlier run of it.
    #[error("the nonce was made by somebody else")]
    ForeignNonce,
    /// The algorithm was not offered (RFC 7616 §3.4).
    #[error("the algorithm was not offered")]
    UnofferedAlgorithm,
    /// The credentials cannot be read (RFC 7616 §3.4).
    #[error("the credentials cannot be read: {0}")]
    Malformed(#[from] ParseError),
    /// The `uri` is not the Request-URI (RFC 7616 §3.4.6).
    #[error("uri is not the Request-URI (RFC 7616 §3.4.6)")]
    WrongUri,
    /// The `qop` was not offered (RFC 7616 §3.4).
    #[error("the qop was not offered (RFC 7616 §3.4)")]
    UnofferedQop,
    /// A `qop` without a cnonce and a count (RFC 7616 §3.4).
    #[error("qop without cnonce or nc (RFC 7616 §3.4)")]
    HalfQop,
    /// A session algorithm without a `qop` (RFC 3261 §22.4, number 8).
    #[error("a session algorithm without qop (RFC 3261 §22.4)")]
    SessionWithoutQop,
    /// A cnonce that nobody has use for.
    #[error("the cnonce is too long")]
    LongCnonce,
}

impl CredentialsError {
    /// Whether the user name and the password were right, so that only a new nonce is needed
    /// (RFC 7616 §3.3, `stale`).
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Expired | Self::Replayed | Self::Forgotten | Self::ForeignNonce)
    }

    /// Whether the request is to be refused with 400 rather than challenged: the parameters are
    /// improper (RFC 7616 §3.4), and a new nonce would not mend them.
    pub(super) fn is_improper(&self) -> bool {
        match self {
            Self::Missing
            | Self::Wrong
            | Self::Expired
            | Self::Replayed
            | Self::Forgotten
            | Self::ForeignNonce
            | Self::UnofferedAlgorithm => false,
            Self::Malformed(_)
            | Self::WrongUri
            | Self::UnofferedQop
            | Self::HalfQop
            | Self::SessionWithoutQop
            | Self::LongCnonce => true,
        }
    }
}

/// A setting of the application that no challenge can be made of.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OfferError {
    /// An algorithm that this side cannot compute.
    #[error("the algorithm {algorithm} is not known")]
    UnknownAlgorithm {
        /// The algorithm.
        algorithm: String,
    },
    /// A quality of protection that this side cannot check.
    #[error("the qop {qop} is not known")]
    UnknownQop {
        /// The quality of protection.
        qop: String,
    },
    /// An empty list: a challenge has an algorithm and a `qop` (RFC 8760 §2.6, number 8).
    #[error("nothing is offered (RFC 8760 §2.6)")]
    Nothing,
    /// A text that is no hash of the function.
    #[error("no hash: {expected} hexadecimal digits are expected")]
    NoHash {
        /// How many digits the function gives.
        expected: usize,
    },
}
