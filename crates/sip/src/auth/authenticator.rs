//! The client: answers challenges, and puts credentials on later requests (RFC 3261 §22.2, §22.3;
//! RFC 7616 §3.6; RFC 8760 §2.4).
//!
//! 1. A request goes out, with what earlier challenges have left: `authorize`.
//! 2. A 401 or 407 comes back: `challenged` chooses one challenge for each realm, begins sessions,
//!    and gives the request to send again.
//! 3. Any other final response comes back: `accepted` checks what the server says of itself.

use std::collections::VecDeque;

use offhook_sansio::Random;
use offhook_sip_message::{
    Algorithm, AuthenticationInfo, Authorization, Credentials, DigestCredentials, HeaderName,
    Method, ProxyAuthorization, RequestBuilder, Response, Text, ValidRequest,
};
use tracing::debug;

use super::{
    ChallengeError, Login,
    offer::{Offer, Offers},
    request_digest::{response_digest, same_digest},
    role::Role,
    session::{Scope, Session},
    tries::Tries,
};

/// Answers challenges for a user.
///
/// Credentials go only to the realm they are for; to servers only in requests with the same `To`,
/// to proxies only in requests with the same Call-ID (RFC 3261 §22.3). The memory is bounded: of
/// many destinations the oldest are forgotten, and are asked to challenge again.
///
/// Every final response belongs here: 401 and 407 to [`challenged`](Self::challenged), all others
/// to [`accepted`](Self::accepted).
#[derive(Debug)]
pub struct Authenticator {
    logins: Vec<Login>,
    algorithms: Vec<Algorithm>,
    random: Random,
    pub(super) sessions: VecDeque<Session>,
    /// The realms that have offered more than MD5.
    pub(super) strong: VecDeque<(Role, Text)>,
    tries: Tries,
}

/// Whether a server has shown that it knows the password too (RFC 7616 §3.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerProof {
    /// It has.
    Shown,
    /// It has not tried to.
    Absent,
}

impl Authenticator {
    /// One that knows `logins` and every algorithm of [`HashFunction`](super::HashFunction).
    pub fn new(random: Random, logins: impl IntoIterator<Item = Login>) -> Self {
        Self {
            logins: logins.into_iter().collect(),
            algorithms: KNOWN.to_vec(),
            random,
            sessions: VecDeque::new(),
            strong: VecDeque::new(),
            tries: Tries::default(),
        }
    }

    /// The same one, which answers only challenges of these algorithms. Without MD5 nobody in
    /// between can make it fall back (RFC 8760 §3).
    #[must_use]
    pub fn with_algorithms(self, algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        Self { algorithms: algorithms.into_iter().collect(), ..self }
    }

    /// The request with credentials for all realms that have challenged before and that it may
    /// carry. Each use counts: what is built here is to be sent once.
    ///
    /// Credentials of the application's own for other realms or of other schemes stay. An ACK and a
    /// CANCEL stay as they are; see [`copy_to_ack`](Self::copy_to_ack).
    pub fn authorize(&mut self, request: &ValidRequest) -> RequestBuilder {
        if !is_challenged(&request.method()) {
            return request.edit();
        }
        let mut made = Vec::new();
        for role in Role::ALL {
            let scope = Scope::of(role, request);
            let sessions = self.sessions.iter_mut().filter(|session| session.scope == scope);
            made.extend(sessions.filter_map(|it| Some((role, it.credentials(request)?))));
        }
        write(request, made)
    }

    /// Answers the challenges of a 401 or a 407 to `request`, and gives the request to send again:
    /// the caller gives it the next CSeq and a new branch, and keeps Call-ID, From and To
    /// (RFC 3261 §8.1.3.5, §22.2).
    ///
    /// Of several realms those that can be answered are (RFC 8760 §2.4).
    ///
    /// # Errors
    /// When no challenge can be answered, when a realm has refused the credentials of `request` for
    /// another reason than the age of their nonce, or when there is no end of challenges. The
    /// request has failed then.
    pub fn challenged(
        &mut self,
        request: &ValidRequest,
        response: &Response,
    ) -> Result<RequestBuilder, ChallengeError> {
        check(request, response)?;
        let mut offers = Offers::of(response)?;
        self.check_refused(request, &offers)?;
        self.tries.count(request)?;
        let mut answered = false;
        for offer in std::mem::take(&mut offers.realms) {
            match self.begin(request, &offer) {
                Ok(()) => answered = true,
                Err(error) => {
                    debug!(realm = &*offer.realm, %error, "no answer to a challenge");
                    offers.fault(error);
                }
            }
        }
        match offers.fault {
            _ if answered => Ok(self.authorize(request)),
            Some(fault) => Err(fault),
            None => Err(ChallengeError::NoChallenge),
        }
    }

    /// Takes any other final response to `request`: checks `rspauth`, and takes the nonce for the
    /// next request (RFC 7616 §3.5).
    ///
    /// # Errors
    /// When the server has proved the wrong thing: it may not be whom the user trusts. Nothing of
    /// what it says is kept.
    pub fn accepted(
        &mut self,
        request: &ValidRequest,
        response: &Response,
    ) -> Result<ServerProof, ChallengeError> {
        if !response.status().is_final() {
            return Ok(ServerProof::Absent);
        }
        self.tries.forget(request);
        if !response.status().is_success() {
            return Ok(ServerProof::Absent);
        }
        let Some(info) = response.header::<AuthenticationInfo>()? else {
            return Ok(ServerProof::Absent);
        };
        let scope = Scope::of(Role::Server, request);
        let Some((session, credentials)) = self.asked(&scope, request, &info) else {
            return Ok(ServerProof::Absent);
        };
        let proof = prove(session, &credentials, &info, response)?;
        if let Some(nonce) = info.nextnonce {
            session.use_nonce(nonce);
        }
        Ok(proof)
    }

    /// Gives the ACK the credentials of the INVITE that it belongs to (RFC 3261 §22.1): the same
    /// ones, not counted again.
    pub fn copy_to_ack(invite: &ValidRequest, ack: RequestBuilder) -> RequestBuilder {
        let ack = ack.remove(HeaderName::AUTHORIZATION).remove(HeaderName::PROXY_AUTHORIZATION);
        let (servers, proxies) = (
            invite.headers_of::<Authorization>().flatten(),
            invite.headers_of::<ProxyAuthorization>().flatten(),
        );
        let ack = servers.fold(ack, |ack, value| ack.header(&value));
        proxies.fold(ack, |ack, value| ack.header(&value))
    }

    /// A realm that has just refused credentials gets no others; it is forgotten, so that a later
    /// request starts anew.
    fn check_refused(
        &mut self,
        request: &ValidRequest,
        offers: &Offers,
    ) -> Result<(), ChallengeError> {
        for offer in offers.realms.iter().filter(|offer| !offer.is_stale()) {
            let tried =
                |sent: DigestCredentials| sent.realm == offer.realm && !sent.response.is_empty();
            if offer.role.digests(request).any(tried) {
                let scope = Scope::of(offer.role, request);
                self.sessions.retain(|it| it.scope != scope || it.realm() != &*offer.realm);
                self.tries.forget(request);
                return Err(ChallengeError::Rejected { realm: offer.realm() });
            }
        }
        Ok(())
    }

    /// Begins the session of one realm.
    fn begin(&mut self, request: &ValidRequest, offer: &Offer) -> Result<(), ChallengeError> {
        let Some(login) = Login::find(&self.logins, &offer.realm) else {
            return Err(ChallengeError::UnknownRealm { realm: offer.realm() });
        };
        let known = (offer.role, Text::from(offer.realm.as_str()));
        let strong = self.strong.contains(&known);
        let choice = offer.choose(login, &self.algorithms, strong)?;
        if choice.function.is_strong() && !strong {
            push_bounded(&mut self.strong, known);
        }
        let scope = Scope::of(offer.role, request);
        let session = Session::new(scope, choice, login, self.random.token(CNONCE_LENGTH));
        let same = |old: &Session| old.scope == session.scope && old.realm() == &*offer.realm;
        let older = self.sessions.iter().position(same).and_then(|at| self.sessions.remove(at));
        let session = match older {
            Some(older) => session.follow(&older),
            None => session,
        };
        push_bounded(&mut self.sessions, session);
        Ok(())
    }

    /// The session and the credentials that `info` speaks of, which names no realm.
    fn asked(
        &mut self,
        scope: &Scope,
        request: &ValidRequest,
        info: &AuthenticationInfo,
    ) -> Option<(&mut Session, DigestCredentials)> {
        let named = |sent: &DigestCredentials| info.cnonce.is_none() || info.cnonce == sent.cnonce;
        let sent: Vec<_> = scope.role().digests(request).filter(named).collect();
        let ours = |session: &&mut Session| session.scope == *scope;
        self.sessions.iter_mut().filter(ours).find_map(|session| {
            let sent = sent.iter().find(|sent| session.has_made(sent))?.clone();
            Some((session, sent))
        })
    }
}

fn is_challenged(method: &Method) -> bool {
    *method != Method::ACK && *method != Method::CANCEL
}

fn check(request: &ValidRequest, response: &Response) -> Result<(), ChallengeError> {
    let (method, status) = (request.method(), response.status());
    if !is_challenged(&method) {
        return Err(ChallengeError::NeverChallenged { method });
    }
    if Role::ALL.iter().all(|role| role.status() != status) {
        return Err(ChallengeError::NotAChallenge { status });
    }
    Ok(())
}

/// The request with `made` instead of older credentials for the same realms.
fn write(request: &ValidRequest, made: Vec<(Role, DigestCredentials)>) -> RequestBuilder {
    if made.is_empty() {
        return request.edit();
    }
    let mut builder = request.edit();
    builder = builder.remove(HeaderName::AUTHORIZATION).remove(HeaderName::PROXY_AUTHORIZATION);
    for role in Role::ALL {
        for kept in role.credentials(request).into_iter().flatten() {
            let replaced = |digest: &DigestCredentials| {
                made.iter().any(|(of, made)| *of == role && made.realm == digest.realm)
            };
            if !kept.as_digest().is_some_and(replaced) {
                builder = role.write(builder, kept);
            }
        }
    }
    let write = |builder, (role, made): (Role, _)| role.write(builder, Credentials::Digest(made));
    made.into_iter().fold(builder, write)
}

/// Checks what the server says of itself.
fn prove(
    session: &Session,
    sent: &DigestCredentials,
    info: &AuthenticationInfo,
    response: &Response,
) -> Result<ServerProof, ChallengeError> {
    let Some(rspauth) = &info.rspauth else { return Ok(ServerProof::Absent) };
    // Both must be those of the request (§3.5); a server of RFC 2069 has neither.
    let other_count = info.nc.is_some() && info.nc != sent.nc;
    // The server should take the qop of the request; it may take another one.
    let qop = info.qop.clone().or_else(|| sent.qop.clone());
    let asked = DigestCredentials { qop, ..sent.clone() };
    let ours = response_digest(session.key(), &asked, &response.body());
    if other_count || !same_digest(&ours, rspauth) {
        return Err(ChallengeError::WrongProof { realm: session.realm().to_owned() });
    }
    Ok(ServerProof::Shown)
}

/// The oldest makes room.
fn push_bounded<T>(queue: &mut VecDeque<T>, value: T) {
    if queue.len() >= MAX_SESSIONS {
        queue.pop_front();
    }
    queue.push_back(value);
}

/// All algorithms of RFC 8760.
const KNOWN: [Algorithm; 6] = [
    Algorithm::Sha512_256,
    Algorithm::Sha512_256Sess,
    Algorithm::Sha256,
    Algorithm::Sha256Sess,
    Algorithm::Md5,
    Algorithm::Md5Sess,
];
/// How many realms are remembered at a time.
const MAX_SESSIONS: usize = 16;
/// Five bits a character: 120 bits, which nobody has precomputed (RFC 7616 §5.9).
const CNONCE_LENGTH: usize = 24;
