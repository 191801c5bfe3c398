//! What a server says to a request: who it is from, or what to answer.

use offhook_sip_message::{
    Algorithm, Challenge as ChallengeValue, DigestChallenge, DigestCredentials, ProxyAuthenticate,
    Qop, Response, ResponseBuilder, StatusCode, Text, ValidRequest, WwwAuthenticate,
};

use super::{A1Hash, CredentialsError, role::Role};

/// The outcome for one request.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// The user has proved the password. What he may do is for the application to say.
    Authenticated(Box<Authenticated>),
    /// The request is to be answered with this challenge.
    Challenged(Challenged),
    /// The credentials are improper: the request is to be answered with this status, which is 400
    /// (RFC 7616 §3.4, §3.4.6).
    Refused {
        /// The status.
        status: StatusCode,
        /// What is wrong.
        error: CredentialsError,
    },
    /// An ACK or a CANCEL, which must not be challenged: an ACK is accepted with its INVITE, and a
    /// CANCEL if it comes from where the request came from (RFC 3261 §22.1).
    NeverChallenged,
}

/// A request whose sender is known.
#[derive(Clone, Debug)]
pub struct Authenticated {
    pub(super) username: Text,
    pub(super) credentials: DigestCredentials,
    pub(super) key: A1Hash,
}

impl Authenticated {
    /// The name of the user, in plain text also where the request has its hash.
    pub fn username(&self) -> &str {
        &self.username
    }

    /// The realm.
    pub fn realm(&self) -> &str {
        &self.credentials.realm
    }

    /// The algorithm.
    pub fn algorithm(&self) -> &Algorithm {
        &self.credentials.algorithm
    }

    /// What is protected: with `auth-int` the body as well, with `None` no more than with `auth`.
    pub fn qop(&self) -> Option<&Qop> {
        self.credentials.qop.as_ref()
    }
}

/// A challenge to send.
#[derive(Clone, Debug)]
pub struct Challenged {
    pub(super) role: Role,
    pub(super) challenges: Vec<DigestChallenge>,
    pub(super) reason: CredentialsError,
}

impl Challenged {
    /// 401 or 407.
    pub fn status(&self) -> StatusCode {
        self.role.status()
    }

    /// Why the credentials of the request, if it has any, do not do. For counters and logs: the
    /// client is told no more than `stale`.
    pub fn reason(&self) -> &CredentialsError {
        &self.reason
    }

    /// The challenges, one for each algorithm, the strongest first (RFC 8760 §2.3).
    pub fn challenges(&self) -> &[DigestChallenge] {
        &self.challenges
    }

    /// The response to `request`; a `To` tag and a `Server` field may follow.
    pub fn reply_to(&self, request: &ValidRequest) -> ResponseBuilder {
        let reply = Response::reply_to(request, self.status());
        self.challenges.iter().cloned().map(ChallengeValue::Digest).fold(reply, |reply, value| {
            match self.role {
                Role::Server => reply.header(&WwwAuthenticate(value)),
                Role::Proxy => reply.header(&ProxyAuthenticate(value)),
            }
        })
    }
}
