//! The two who challenge (RFC 3261 §22.2, §22.3).

use offhook_sip_message::{
    Authorization, Challenge, Credentials, DigestCredentials, ParseError, ProxyAuthenticate,
    ProxyAuthorization, Request, RequestBuilder, Response, StatusCode, WwwAuthenticate,
};

/// Who challenges. It tells the status and the header fields that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A user agent, registrar or redirect server: 401, `WWW-Authenticate`, `Authorization`.
    Server,
    /// A proxy: 407, `Proxy-Authenticate`, `Proxy-Authorization`.
    Proxy,
}

impl Role {
    /// Both, in the order in which they are written.
    pub(crate) const ALL: [Self; 2] = [Self::Server, Self::Proxy];

    /// The status of a challenge.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Server => StatusCode::UNAUTHORIZED,
            Self::Proxy => StatusCode::PROXY_AUTHENTICATION_REQUIRED,
        }
    }

    pub(super) fn challenges(self, response: &Response) -> Vec<Result<Challenge, ParseError>> {
        let limit = MAX_VALUES;
        match self {
            Self::Server => {
                let values = response.headers_of::<WwwAuthenticate>().take(limit);
                values.map(|value| value.map(|it| it.0)).collect()
            }
            Self::Proxy => {
                let values = response.headers_of::<ProxyAuthenticate>().take(limit);
                values.map(|value| value.map(|it| it.0)).collect()
            }
        }
    }

    pub(super) fn credentials(self, request: &Request) -> Vec<Result<Credentials, ParseError>> {
        let limit = MAX_VALUES;
        match self {
            Self::Server => {
                let values = request.headers_of::<Authorization>().take(limit);
                values.map(|value| value.map(|it| it.0)).collect()
            }
            Self::Proxy => {
                let values = request.headers_of::<ProxyAuthorization>().take(limit);
                values.map(|value| value.map(|it| it.0)).collect()
            }
        }
    }

    /// The digests among the credentials that can be read.
    pub(super) fn digests(self, request: &Request) -> impl Iterator<Item = DigestCredentials> {
        let digest = |value| match value {
            Ok(Credentials::Digest(digest)) => Some(digest),
            Ok(Credentials::Other(_)) | Err(_) => None,
        };
        self.credentials(request).into_iter().filter_map(digest)
    }

    pub(super) fn write(
        self,
        builder: RequestBuilder,
        credentials: impl Into<Credentials>,
    ) -> RequestBuilder {
        match self {
            Self::Server => builder.header(&Authorization::new(credentials)),
            Self::Proxy => builder.header(&ProxyAuthorization::new(credentials)),
        }
    }
}

/// How many challenges or credentials of one message are looked at; more than two are rare.
pub(super) const MAX_VALUES: usize = 32;
