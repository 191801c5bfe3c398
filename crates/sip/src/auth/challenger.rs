//! The server: challenges requests and checks credentials (RFC 3261 §22.1 to §22.4; RFC 7616 §3.3 to
//! §3.6, §5.4, §5.5; RFC 8760 §2.3, §2.6).
//!
//! 1. `claim` finds the credentials for the realm and checks all that needs no password.
//! 2. The application looks the user up.
//! 3. `verify` checks the digest, then the age of the nonce, then its count.
//! 4. `info` says in the 2xx that the server knows the password too, and renews the nonce.

use std::time::{Duration, Instant};

use offhook_sansio::{Random, Secret};
use offhook_sip_message::{
    Algorithm, AuthenticationInfo, Charset, Credentials, DigestChallenge, DigestCredentials,
    Method, Qop, StatusCode, Text, Uri, ValidRequest,
};
use tracing::debug;

use super::{
    A1Hash, Authenticated, Challenged, Claim, CredentialsError, HashFunction, OfferError, User,
    Verdict,
    nonces::{Nonce, Nonces},
    replays::Replays,
    request_digest::{request_digest, response_digest, same_digest},
    role::Role,
};

/// Challenges requests for one realm, and checks what comes back.
///
/// No state is kept for a challenge: a nonce carries its age and a seal. A nonce that has proved a
/// password is remembered with its count, so that no request is taken twice; this memory is bounded
/// ([`with_capacity`](Self::with_capacity)), and what it has forgotten is challenged with
/// `stale=true`. Retransmissions must not come here: they end in the transaction layer.
#[derive(Debug)]
pub struct Challenger {
    role: Role,
    realm: Text,
    algorithms: Vec<Algorithm>,
    qop: Vec<Qop>,
    userhash: bool,
    lifetime: Duration,
    uris: Vec<Uri>,
    nonces: Nonces,
    replays: Replays,
    /// Stands for the password of users who are unknown.
    nobody: User,
}

impl Challenger {
    /// One for `realm`, which should be or contain a host name, and must be nobody else's
    /// (RFC 3261 §22.1).
    ///
    /// It offers SHA-512-256, SHA-256 and, for old peers, MD5, with qop `auth`; its nonces live
    /// five minutes, and it remembers 10 000 of them.
    pub fn new(now: Instant, random: &mut Random, role: Role, realm: impl Into<Text>) -> Self {
        let nobody = User::with_password("", Secret::new(random.token(NOBODYS_PASSWORD)));
        Self {
            role,
            realm: realm.into(),
            algorithms: vec![Algorithm::Sha512_256, Algorithm::Sha256, Algorithm::Md5],
            qop: vec![Qop::Auth],
            userhash: false,
            lifetime: LIFETIME,
            uris: Vec::new(),
            nonces: Nonces::new(now, random),
            replays: Replays::new(CAPACITY),
            nobody,
        }
    }

    /// The same one, which offers these algorithms, the strongest first; of each kind a session
    /// variant stands where it was named. Without MD5 nobody in between can make a client fall back
    /// to it (RFC 8760 §3).
    ///
    /// # Errors
    /// When the list is empty, or names an algorithm that is not known.
    pub fn with_algorithms(
        mut self,
        algorithms: impl IntoIterator<Item = Algorithm>,
    ) -> Result<Self, OfferError> {
        let mut ranked = Vec::new();
        for algorithm in algorithms {
            let Some(function) = HashFunction::of(&algorithm) else {
                return Err(OfferError::UnknownAlgorithm { algorithm: algorithm.to_string() });
            };
            if !ranked.iter().any(|(_, known)| *known == algorithm) {
                ranked.push((function, algorithm));
            }
        }
        ranked.sort_by_key(|(function, _)| std::cmp::Reverse(*function));
        self.algorithms = ranked.into_iter().map(|(_, algorithm)| algorithm).collect();
        if self.algorithms.is_empty() { Err(OfferError::Nothing) } else { Ok(self) }
    }

    /// The same one, which offers these qualities of protection.
    ///
    /// # Errors
    /// When the list is empty, or names something else than `auth` and `auth-int`.
    pub fn with_qop(mut self, qop: impl IntoIterator<Item = Qop>) -> Result<Self, OfferError> {
        self.qop = qop.into_iter().collect();
        let unknown = self.qop.iter().find(|it| !matches!(it, Qop::Auth | Qop::AuthInt));
        match unknown {
            Some(qop) => Err(OfferError::UnknownQop { qop: qop.to_string() }),
            None if self.qop.is_empty() => Err(OfferError::Nothing),
            None => Ok(self),
        }
    }

    /// The same one, which asks for hashed names (RFC 7616 §3.4.4): the application has to find its
    /// users by them. Clients that send plain names are served as well.
    #[must_use]
    pub fn with_userhash(self) -> Self {
        Self { userhash: true, ..self }
    }

    /// The same one, whose nonces expire after `lifetime`.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// The same one, which remembers the counts of so many nonces, at least of one.
    #[must_use]
    pub fn with_capacity(self, nonces: usize) -> Self {
        Self { replays: Replays::new(nonces), ..self }
    }

    /// The same one, which also takes credentials whose `uri` is this one.
    ///
    /// A `uri` must be the Request-URI: the same text, or an equivalent URI (RFC 3261 §19.1.4).
    /// Proxies on the way change the Request-URI of what they forward, so a server behind them
    /// names here the addresses that it takes requests for (RFC 8760 §2.6, number 6).
    #[must_use]
    pub fn with_uri(mut self, uri: Uri) -> Self {
        self.uris.push(uri);
        self
    }

    /// Checks `request`; `lookup` tells what is known of the user.
    pub fn check(
        &mut self,
        now: Instant,
        request: &ValidRequest,
        lookup: impl FnOnce(&Claim) -> Option<User>,
    ) -> Verdict {
        match self.claim(now, request) {
            Ok(claim) => {
                let user = lookup(&claim);
                self.verify(now, &claim, user.as_ref())
            }
            Err(verdict) => *verdict,
        }
    }

    /// Whom `request` claims to come from: the first step of [`check`](Self::check), for an
    /// application that takes its time to look users up.
    ///
    /// # Errors
    /// The verdict, if there is nobody to look up.
    pub fn claim(&mut self, now: Instant, request: &ValidRequest) -> Result<Claim, Box<Verdict>> {
        if matches!(request.method(), Method::ACK | Method::CANCEL) {
            return Err(Box::new(Verdict::NeverChallenged));
        }
        self.examine(request).map_err(|error| Box::new(self.turn_away(now, error)))
    }

    /// Whether the request of `claim` comes from `user`, to whom the claim has led; `None` if there is no such
    /// user, which takes as long to find out as that a password is wrong.
    pub fn verify(&mut self, now: Instant, claim: &Claim, user: Option<&User>) -> Verdict {
        self.replays.expire(now, self.lifetime);
        let nonce = self.nonces.read(&claim.credentials.nonce, &self.realm);
        let checked = self
            .check_digest(claim, user, nonce)
            .and_then(|authenticated| self.check_nonce(now, nonce, claim).map(|()| authenticated));
        match checked {
            Ok(authenticated) => Verdict::Authenticated(Box::new(authenticated)),
            Err(error) => self.turn_away(now, error),
        }
    }

    /// What to say in the 2xx to a request from `authenticated`, whose body will be `body`: that
    /// this side knows the password too, and, when the nonce is past half of its life, the next one
    /// (RFC 3261 §20.6, RFC 7616 §3.5). The key of a session belongs to its nonce, which stays.
    ///
    /// `None` for a proxy: the header field is for servers alone.
    pub fn info(
        &mut self,
        now: Instant,
        authenticated: &Authenticated,
        body: &[u8],
    ) -> Option<AuthenticationInfo> {
        if self.role == Role::Proxy {
            return None;
        }
        let credentials = &authenticated.credentials;
        let proof = response_digest(&authenticated.key, credentials, body);
        Some(AuthenticationInfo {
            nextnonce: self.next_nonce(now, credentials),
            qop: credentials.qop.clone(),
            rspauth: Some(proof.into()),
            cnonce: credentials.cnonce.clone(),
            nc: credentials.nc,
            ..AuthenticationInfo::default()
        })
    }

    /// A challenge that nothing has led to, for a request that the application wants to see proved
    /// although it has credentials.
    pub fn challenge(&mut self, now: Instant) -> Challenged {
        self.challenged(now, CredentialsError::Missing)
    }

    /// All checks that need no password.
    fn examine(&self, request: &ValidRequest) -> Result<Claim, CredentialsError> {
        let credentials = self.credentials(request)?;
        let algorithm = &credentials.algorithm;
        let function = HashFunction::of(algorithm)
            .filter(|_| self.algorithms.contains(algorithm))
            .ok_or(CredentialsError::UnofferedAlgorithm)?;
        self.check_parameters(&credentials)?;
        self.check_uri(&credentials, request)?;
        Ok(Claim { credentials, function, method: request.method(), body: request.body() })
    }

    /// The credentials for the realm; those with a nonce of this server first, for several proxies
    /// may share a realm (RFC 3261 §22.3). `Basic` and its like are not looked at (§22).
    fn credentials(&self, request: &ValidRequest) -> Result<DigestCredentials, CredentialsError> {
        let (mut found, mut fault) = (None, CredentialsError::Missing);
        // Before its first challenge a client may send a name with an empty digest (RFC 8760 §2.7).
        let ours = |it: &DigestCredentials| it.realm == self.realm && !it.response.is_empty();
        for credentials in self.role.credentials(request) {
            match credentials {
                Ok(Credentials::Digest(digest)) if ours(&digest) => {
                    if self.nonces.read(&digest.nonce, &self.realm).is_some() {
                        return Ok(digest);
                    }
                    found.get_or_insert(digest);
                }
                Ok(Credentials::Digest(_) | Credentials::Other(_)) => {}
                Err(error) => fault = CredentialsError::Malformed(error),
            }
        }
        found.ok_or(fault)
    }

    fn check_parameters(&self, credentials: &DigestCredentials) -> Result<(), CredentialsError> {
        let Some(qop) = &credentials.qop else {
            // A client of RFC 2069 (RFC 3261 §22.4, number 8).
            let session = credentials.algorithm.is_session();
            return if session { Err(CredentialsError::SessionWithoutQop) } else { Ok(()) };
        };
        match (&credentials.cnonce, credentials.nc) {
            _ if !self.qop.contains(qop) => Err(CredentialsError::UnofferedQop),
            (Some(cnonce), _) if cnonce.len() > MAX_CNONCE => Err(CredentialsError::LongCnonce),
            (Some(_), Some(_)) => Ok(()),
            (None, _) | (_, None) => Err(CredentialsError::HalfQop),
        }
    }

    /// See [`with_uri`](Self::with_uri).
    fn check_uri(
        &self,
        credentials: &DigestCredentials,
        request: &ValidRequest,
    ) -> Result<(), CredentialsError> {
        if credentials.uri == *request.uri_text() {
            return Ok(());
        }
        let Ok(uri) = credentials.uri.parse::<Uri>() else {
            return Err(CredentialsError::WrongUri);
        };
        if uri == *request.request_uri() || self.uris.contains(&uri) {
            Ok(())
        } else {
            Err(CredentialsError::WrongUri)
        }
    }

    fn check_digest(
        &self,
        claim: &Claim,
        user: Option<&User>,
        nonce: Option<Nonce>,
    ) -> Result<Authenticated, CredentialsError> {
        let Claim { credentials, function, method, body } = claim;
        let name = match user {
            Some(user) if credentials.userhash => user.name(),
            Some(_) | None => claim.username(),
        };
        let a1 = |user: &User| user.a1(*function, name, &self.realm);
        let known = user.and_then(a1);
        // The unknown user is hashed as well, to no avail.
        let key = known.clone().or_else(|| a1(&self.nobody)).ok_or(CredentialsError::Wrong)?;
        let key = self.key_of(key, credentials, nonce);
        let ours = request_digest(&key, credentials, method.as_str(), body);
        let same = same_digest(&ours, &credentials.response);
        match user {
            Some(user) if same && known.is_some() => Ok(Authenticated {
                username: user.name().into(),
                credentials: credentials.clone(),
                key,
            }),
            Some(_) | None => Err(CredentialsError::Wrong),
        }
    }

    /// The key of the session, if it is one. Its cnonce is that of the first request
    /// (RFC 7616 §3.4.2).
    fn key_of(&self, a1: A1Hash, credentials: &DigestCredentials, nonce: Option<Nonce>) -> A1Hash {
        if !credentials.algorithm.is_session() {
            return a1;
        }
        let first = nonce.and_then(|nonce| self.replays.first_cnonce(nonce));
        let cnonce = first.or(credentials.cnonce.as_deref()).unwrap_or_default();
        a1.of_session(&credentials.nonce, cnonce)
    }

    /// Whether the nonce may be used: only after the digest has shown that the password is right,
    /// for `stale` says so (RFC 7616 §3.3).
    fn check_nonce(
        &mut self,
        now: Instant,
        nonce: Option<Nonce>,
        claim: &Claim,
    ) -> Result<(), CredentialsError> {
        let nonce = nonce.ok_or(CredentialsError::ForeignNonce)?;
        if now.saturating_duration_since(nonce.issued) > self.lifetime {
            return Err(CredentialsError::Expired);
        }
        // Without a qop there is no count to grow: the nonce is good for one request.
        let count = match claim.credentials.qop {
            Some(_) => claim.credentials.nc.unwrap_or_default(),
            None => u32::MAX,
        };
        let session = claim.credentials.algorithm.is_session();
        let cnonce = claim.credentials.cnonce.as_deref().filter(|_| session);
        self.replays.admit(nonce, count, cnonce.unwrap_or_default())
    }

    fn next_nonce(&mut self, now: Instant, credentials: &DigestCredentials) -> Option<Text> {
        if credentials.algorithm.is_session() {
            return None;
        }
        let nonce = self.nonces.read(&credentials.nonce, &self.realm)?;
        let age = now.saturating_duration_since(nonce.issued);
        let spent = credentials.qop.is_none() || age > self.lifetime / 2;
        spent.then(|| self.nonces.issue(now, &self.realm).into())
    }

    fn turn_away(&mut self, now: Instant, error: CredentialsError) -> Verdict {
        // The user name is not logged: some type their password there (RFC 7616 §3.4).
        debug!(realm = &*self.realm, %error, "not authenticated");
        if error.is_improper() {
            return Verdict::Refused { status: StatusCode::BAD_REQUEST, error };
        }
        Verdict::Challenged(self.challenged(now, error))
    }

    /// One challenge for each algorithm (RFC 8760 §2.3), of one nonce.
    fn challenged(&mut self, now: Instant, reason: CredentialsError) -> Challenged {
        let nonce = Text::from(self.nonces.issue(now, &self.realm));
        let challenge = |algorithm: &Algorithm| DigestChallenge {
            stale: reason.is_stale(),
            charset: Some(Charset::Utf8),
            userhash: self.userhash,
            ..DigestChallenge::new(self.realm.clone(), nonce.clone())
                .with_algorithm(algorithm.clone())
                .with_qop(self.qop.iter().cloned())
        };
        let challenges = self.algorithms.iter().map(challenge).collect();
        Challenged { role: self.role, challenges, reason }
    }
}

/// Long enough for a dialog to be set up; older ones cost one more round trip.
const LIFETIME: Duration = Duration::from_secs(300);
/// Of a nonce some 64 bytes are kept.
const CAPACITY: usize = 10_000;
/// Clients use some 20 to 50 characters.
const MAX_CNONCE: usize = 256;
/// 120 bits.
const NOBODYS_PASSWORD: usize = 24;
