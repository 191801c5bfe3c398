//! Both sides of digest authentication.

mod agreement;
mod client;
mod server;
mod vectors;

use std::{cell::Cell, time::Instant};

use bytes::Bytes;
use offhook_sansio::Random;
use offhook_sip_message::{
    Algorithm, Authorization, CSeq, DigestCredentials, HeaderName, Message, ParseOptions,
    RequestBuilder, Response, StatusCode, ValidRequest,
};

use super::{Authenticator, Challenged, Challenger, Claim, Login, Role, User, Verdict};

thread_local! {
    static HASHES: Cell<u32> = const { Cell::new(0) };
}

/// Counts what a hash function is asked for, as a measure of cost without a clock.
pub(super) fn count_hash() {
    HASHES.set(HASHES.get() + 1);
}

const REALM: &str = "biloxi.example";
const ALGORITHMS: [Algorithm; 6] = [
    Algorithm::Md5,
    Algorithm::Md5Sess,
    Algorithm::Sha256,
    Algorithm::Sha256Sess,
    Algorithm::Sha512_256,
    Algorithm::Sha512_256Sess,
];

/// A request of bob's.
fn request(method: &str, uri: &str, body: &[u8]) -> ValidRequest {
    let head = format!(
        "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n\
         To: <sip:bob@biloxi.example>\r\nFrom: <sip:bob@biloxi.example>;tag=1\r\nCall-ID: 1\r\n\
         CSeq: 1 {method}\r\nContact: <sip:bob@a>\r\nContent-Type: text/plain\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    let bytes = Bytes::from([head.as_bytes(), body].concat());
    let Message::Request(request) = Message::parse(bytes).unwrap() else { panic!("a request") };
    ValidRequest::new(request, &ParseOptions::default()).unwrap()
}

fn register() -> ValidRequest {
    request("REGISTER", "sip:biloxi.example", b"")
}

/// What the caller does to a request that is sent again.
fn next(earlier: &ValidRequest, builder: RequestBuilder) -> ValidRequest {
    let cseq = CSeq { number: earlier.cseq().number + 1, method: earlier.method() };
    valid(builder.replace(&cseq))
}

fn valid(builder: RequestBuilder) -> ValidRequest {
    ValidRequest::new(builder.build().unwrap(), &ParseOptions::default()).unwrap()
}

/// A response with header rows.
fn response(status: u16, rows: &[&str]) -> Response {
    let status = StatusCode::new(status).unwrap();
    let builder = rows.iter().fold(Response::builder(status), |builder, row| {
        let (name, value) = row.split_once(": ").unwrap();
        builder.raw(HeaderName::new(name).unwrap(), value)
    });
    builder.build().unwrap()
}

fn unauthorized(challenge: &str) -> Response {
    response(401, &[&format!("WWW-Authenticate: {challenge}")])
}

/// The digests of a request for servers.
fn sent(request: &ValidRequest) -> Vec<DigestCredentials> {
    Role::Server.digests(request).collect()
}

fn sent_to_proxies(request: &ValidRequest) -> Vec<DigestCredentials> {
    Role::Proxy.digests(request).collect()
}

fn client() -> Authenticator {
    Authenticator::new(Random::from_seed(1), [Login::new(REALM, "bob", "zanzibar")])
}

fn server(now: Instant) -> Challenger {
    Challenger::new(now, &mut Random::from_seed(2), Role::Server, REALM)
}

fn users(claim: &Claim) -> Option<User> {
    (claim.username() == "bob").then(|| User::with_password("bob", "zanzibar"))
}

/// `first` and its answer to the challenge of `server`.
fn answered(
    client: &mut Authenticator,
    server: &mut Challenger,
    now: Instant,
    first: &ValidRequest,
) -> ValidRequest {
    let challenge = challenged(server.check(now, first, users));
    let reply = challenge.reply_to(first).build().unwrap();
    next(first, client.challenged(first, &reply).unwrap())
}

fn challenged(verdict: Verdict) -> Challenged {
    match verdict {
        Verdict::Challenged(challenged) => challenged,
        other => panic!("not challenged: {other:?}"),
    }
}

/// The request with other credentials.
fn with_credentials(request: &ValidRequest, credentials: DigestCredentials) -> ValidRequest {
    let builder = request.edit().remove(HeaderName::AUTHORIZATION);
    valid(builder.header(&Authorization::new(credentials)))
}
