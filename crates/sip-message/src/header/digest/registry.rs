//! The values that digest authentication chooses from (RFC 7616 §3.3, §6.1; RFC 8760 §2.7).

use super::super::open_token::open_tokens;

open_tokens! {
    /// The algorithm of a digest (RFC 7616 §6.1). Compared without case.
    Algorithm {
        /// MD5.
        Md5 "MD5",
        /// MD5 with a session key.
        Md5Sess "MD5-sess",
        /// SHA-256.
        Sha256 "SHA-256",
        /// SHA-256 with a session key.
        Sha256Sess "SHA-256-sess",
        /// SHA-512/256.
        Sha512_256 "SHA-512-256",
        /// SHA-512/256 with a session key.
        Sha512_256Sess "SHA-512-256-sess",
    }
    /// What a digest protects (RFC 7616 §3.3). Compared without case.
    Qop {
        /// Who sends the message.
        Auth "auth",
        /// Who sends the message, and its body.
        AuthInt "auth-int",
    }
    /// The encoding of user name and password (RFC 7616 §3.3). Compared without case.
    Charset {
        /// UTF-8, the only registered one.
        Utf8 "UTF-8",
    }
}

impl Algorithm {
    /// Whether the key is that of a session: the `-sess` variants (RFC 7616 §3.4.2).
    pub fn is_session(&self) -> bool {
        let name = self.as_str();
        let start = name.len().saturating_sub(SESSION.len());
        name.get(start..).is_some_and(|end| end.eq_ignore_ascii_case(SESSION))
    }
}

impl Default for Algorithm {
    /// MD5 is meant where none is named (RFC 7616 §3.3).
    fn default() -> Self {
        Self::Md5
    }
}

const SESSION: &str = "-sess";
