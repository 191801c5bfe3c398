//! An authentication session: what the client remembers of one realm (RFC 7616 §3.6).

use std::fmt;

use offhook_sip_message::{
    DigestChallenge, DigestCredentials, Qop, Request, Text, Uri, Username, ValidRequest,
};

use super::{
    A1Hash, HashFunction, Login, offer::Choice, request_digest::request_digest, role::Role,
};

/// Where the credentials of a session may go (RFC 3261 §22.2, §22.3).
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scope {
    /// To the destination that has asked for them.
    Server { to: Uri },
    /// Through the proxy that has asked for them, in requests with the same Call-ID.
    Proxy { call_id: Text },
}

impl Scope {
    pub(super) fn of(role: Role, request: &ValidRequest) -> Self {
        match role {
            Role::Server => Self::Server { to: request.to().uri().clone() },
            Role::Proxy => Self::Proxy { call_id: request.call_id().as_str().into() },
        }
    }

    pub(super) fn role(&self) -> Role {
        match self {
            Self::Server { .. } => Role::Server,
            Self::Proxy { .. } => Role::Proxy,
        }
    }
}

/// One session, from a challenge to the next one of its realm.
pub(super) struct Session {
    pub(super) scope: Scope,
    challenge: DigestChallenge,
    qop: Option<Qop>,
    username: Text,
    /// Made once a session, so that it goes with the key of `-sess`.
    cnonce: String,
    /// How many requests were sent with the nonce.
    count: u32,
    /// H(A1), of the session for a `-sess` algorithm.
    key: A1Hash,
}

impl Session {
    pub(super) fn new(scope: Scope, choice: Choice, login: &Login, cnonce: String) -> Self {
        let Choice { challenge, function, qop } = choice;
        let a1 = login.a1(function, &challenge.realm);
        let session = challenge.algorithm.is_session();
        let key = if session { a1.of_session(&challenge.nonce, &cnonce) } else { a1 };
        let username = login.username().into();
        Self { scope, challenge, qop, username, cnonce, count: 0, key }
    }

    #[cfg(test)]
    pub(super) fn set_count(&mut self, count: u32) {
        self.count = count;
    }

    pub(super) fn realm(&self) -> &str {
        &self.challenge.realm
    }

    pub(super) fn function(&self) -> HashFunction {
        self.key.function()
    }

    pub(super) fn key(&self) -> &A1Hash {
        &self.key
    }

    /// Whether `credentials` are of this session.
    pub(super) fn has_made(&self, credentials: &DigestCredentials) -> bool {
        let cnonce = credentials.cnonce.as_deref().unwrap_or(&self.cnonce);
        credentials.realm == self.challenge.realm && cnonce == self.cnonce
    }

    /// Goes on from `older`, if both are of one nonce: its requests count (RFC 7616 §3.4, `nc`).
    pub(super) fn follow(self, older: &Self) -> Self {
        let same = |one: &DigestChallenge, two: &DigestChallenge| {
            one.nonce == two.nonce && one.algorithm == two.algorithm
        };
        if !same(&self.challenge, &older.challenge) {
            return self;
        }
        let (cnonce, key) = (older.cnonce.clone(), older.key.clone());
        Self { cnonce, key, count: older.count, ..self }
    }

    /// Uses `nonce` from now on (RFC 7616 §3.5). The key of the session stays.
    pub(super) fn use_nonce(&mut self, nonce: Text) {
        if self.challenge.nonce != nonce {
            self.challenge.nonce = nonce;
            self.count = 0;
        }
    }

    /// Credentials for `request`, the next one with this nonce. `None` when the count has come to
    /// its end: a new challenge has to come.
    pub(super) fn credentials(&mut self, request: &Request) -> Option<DigestCredentials> {
        self.count = self.count.checked_add(1)?;
        let (uri, name) = (request.uri_text(), self.name());
        let mut credentials = DigestCredentials::answering(&self.challenge, name, uri, "");
        if let Some(qop) = &self.qop {
            credentials = credentials.with_qop(qop.clone(), self.cnonce.as_str(), self.count);
        }
        credentials.userhash = self.challenge.userhash;
        let (method, body) = (request.method(), request.body());
        credentials.response =
            request_digest(&self.key, &credentials, method.as_str(), &body).into();
        Some(credentials)
    }

    /// The name as the server wants it (RFC 7616 §3.4, §3.4.4). A quoted string of SIP holds all
    /// characters but line ends (RFC 3261 §25.1); old servers know `username` alone.
    fn name(&self) -> Username {
        if self.challenge.userhash {
            return self.function().user_hash(&self.username, self.realm()).into();
        }
        if self.username.contains(char::is_control) {
            return Username::extended(self.username.clone());
        }
        self.username.clone().into()
    }
}

impl fmt::Debug for Session {
    /// Without nonces and keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("scope", &self.scope)
            .field("realm", &self.challenge.realm)
            .field("algorithm", &self.challenge.algorithm)
            .field("qop", &self.qop)
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}
