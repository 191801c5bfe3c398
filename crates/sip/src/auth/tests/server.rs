//! The server, on virtual time.

use std::time::Duration;

use offhook_sip_message::{ProxyAuthenticate, Qop, Text, Uri, WwwAuthenticate};

use super::*;
use crate::auth::{
    A1Hash, CredentialsError, HashFunction, OfferError, ServerProof, request_digest::request_digest,
};

fn authenticated(verdict: Verdict) -> String {
    match verdict {
        Verdict::Authenticated(user) => user.username().to_owned(),
        other => panic!("not authenticated: {other:?}"),
    }
}

/// Why a request is challenged again, and whether the client is told that its nonce is stale.
fn reason(verdict: Verdict) -> (CredentialsError, bool) {
    let challenged = challenged(verdict);
    let stale = challenged.challenges().iter().map(|it| it.stale).collect::<Vec<_>>();
    assert!(stale.windows(2).all(|pair| pair[0] == pair[1]));
    (challenged.reason().clone(), stale[0])
}

fn improper(verdict: Verdict) -> CredentialsError {
    match verdict {
        Verdict::Refused { status, error } => {
            assert_eq!(status, StatusCode::BAD_REQUEST);
            error
        }
        other => panic!("not refused: {other:?}"),
    }
}

/// Both sides and a request that was challenged and answered.
fn pair() -> (Instant, Authenticator, Challenger, ValidRequest) {
    let now = Instant::now();
    let (mut client, mut server) = (client(), server(now));
    let request = answered(&mut client, &mut server, now, &register());
    (now, client, server, request)
}

/// The request with its digest changed, and made anew if the password is known.
fn changed(
    request: &ValidRequest,
    password: Option<&str>,
    change: impl FnOnce(&mut DigestCredentials),
) -> ValidRequest {
    let mut credentials = sent(request).remove(0);
    change(&mut credentials);
    if let Some(password) = password {
        let function = HashFunction::of(&credentials.algorithm).unwrap();
        let name = credentials.username.as_str().to_owned();
        let key = A1Hash::new(function, &name, &credentials.realm, &password.into());
        let (method, body) = (request.method(), request.body());
        credentials.response = request_digest(&key, &credentials, method.as_str(), &body).into();
    }
    with_credentials(request, credentials)
}

/// RFC 8760 §2.3, §2.6 number 8; RFC 7616 §4.
#[test]
fn a_challenge_offers_each_algorithm_once_the_strongest_first() {
    let now = Instant::now();
    let algorithms = [Algorithm::Md5, Algorithm::Sha256Sess, Algorithm::Sha512_256, Algorithm::Md5];
    let server = server(now).with_algorithms(algorithms).unwrap();
    let mut server = server.with_qop([Qop::Auth, Qop::AuthInt]).unwrap().with_userhash();
    let challenge = challenged(server.check(now, &register(), users));
    assert_eq!(challenge.reason(), &CredentialsError::Missing);
    let reply = challenge.reply_to(&register()).build().unwrap();
    assert_eq!(reply.status(), StatusCode::UNAUTHORIZED);
    let read: Vec<_> = reply.headers_of::<WwwAuthenticate>().map(Result::unwrap).collect();
    let read: Vec<_> = read.iter().map(|it| it.as_digest().unwrap()).collect();
    let algorithms: Vec<_> = read.iter().map(|it| it.algorithm.as_str()).collect();
    assert_eq!(algorithms, ["SHA-512-256", "SHA-256-sess", "MD5"]);
    for digest in read {
        assert_eq!((&*digest.realm, &digest.qop[..]), (REALM, &[Qop::Auth, Qop::AuthInt][..]));
        assert!(digest.userhash && !digest.stale && digest.charset.is_some());
    }
}

#[test]
fn a_proxy_asks_with_407_and_reads_what_is_for_proxies() {
    let now = Instant::now();
    let mut proxy = Challenger::new(now, &mut Random::from_seed(3), Role::Proxy, "p");
    let logins = [Login::new(REALM, "bob", "zanzibar"), Login::new("p", "bob", "zanzibar")];
    let mut client = Authenticator::new(Random::from_seed(1), logins);
    let mut server = server(now);
    let challenge = challenged(proxy.check(now, &register(), users));
    let reply = challenge.reply_to(&register()).build().unwrap();
    assert_eq!(reply.status(), StatusCode::PROXY_AUTHENTICATION_REQUIRED);
    assert_eq!(reply.headers_of::<ProxyAuthenticate>().count(), 3);
    let second = next(&register(), client.challenged(&register(), &reply).unwrap());
    assert_eq!(authenticated(proxy.check(now, &second, users)), "bob");
    let challenge = challenged(server.check(now, &second, users));
    let reply = challenge.reply_to(&second).build().unwrap();
    let third = next(&second, client.challenged(&second, &reply).unwrap());
    assert_eq!(authenticated(proxy.check(now, &third, users)), "bob");
    assert_eq!(authenticated(server.check(now, &third, users)), "bob");
}

#[test]
fn every_algorithm_and_qop_is_verified() {
    let now = Instant::now();
    for algorithm in ALGORITHMS {
        for qop in [Qop::Auth, Qop::AuthInt] {
            let mut server = server(now).with_algorithms([algorithm.clone()]).unwrap();
            server = server.with_qop([qop.clone()]).unwrap();
            let mut client = client();
            let invite = request("INVITE", "sip:bob@biloxi.example", b"a body");
            let mut request = answered(&mut client, &mut server, now, &invite);
            for _ in 0..3 {
                let verdict = server.check(now, &request, users);
                let Verdict::Authenticated(user) = verdict else { panic!("{verdict:?}") };
                assert_eq!((user.algorithm(), user.qop()), (&algorithm, Some(&qop)));
                request = next(&request, client.authorize(&request));
            }
        }
    }
}

/// RFC 3261 §22.4 number 8: clients of RFC 2069 have no qop, and no count that could grow.
#[test]
fn a_client_without_qop_is_served_once_for_each_nonce() {
    let (now, _, mut server, request) = pair();
    let old = changed(&request, Some("zanzibar"), |it| {
        (it.qop, it.cnonce, it.nc) = (None, None, None);
    });
    assert_eq!(authenticated(server.check(now, &old, users)), "bob");
    assert_eq!(reason(server.check(now, &old, users)), (CredentialsError::Replayed, true));
}

#[test]
fn a_replay_is_told_from_a_request_that_counts_on() {
    let (now, mut client, mut server, request) = pair();
    assert_eq!(authenticated(server.check(now, &request, users)), "bob");
    assert_eq!(reason(server.check(now, &request, users)), (CredentialsError::Replayed, true));
    let third = next(&request, client.authorize(&request));
    let fourth = next(&third, client.authorize(&third));
    assert_eq!(authenticated(server.check(now, &fourth, users)), "bob");
    assert_eq!(reason(server.check(now, &third, users)), (CredentialsError::Replayed, true));
}

#[test]
fn a_count_that_is_only_claimed_does_not_move_the_table() {
    let (now, _, mut server, request) = pair();
    let forged = changed(&request, None, |it| it.nc = Some(u32::MAX));
    assert_eq!(reason(server.check(now, &forged, users)), (CredentialsError::Wrong, false));
    assert_eq!(authenticated(server.check(now, &request, users)), "bob");
}

#[test]
fn a_nonce_expires_and_the_client_needs_no_other_password() {
    let (now, mut client, mut server, request) = pair();
    let lifetime = Duration::from_secs(300);
    assert_eq!(authenticated(server.check(now + lifetime, &request, users)), "bob");
    let late = next(&request, client.authorize(&request));
    let after = now + lifetime + Duration::from_millis(1);
    let verdict = server.check(after, &late, users);
    assert_eq!(reason(verdict.clone()), (CredentialsError::Expired, true));
    let reply = challenged(verdict).reply_to(&late).build().unwrap();
    let again = next(&late, client.challenged(&late, &reply).unwrap());
    assert_eq!(authenticated(server.check(after, &again, users)), "bob");
}

#[test]
fn the_lifetime_is_the_applications() {
    let now = Instant::now();
    let mut server = server(now).with_lifetime(Duration::from_secs(1));
    let request = answered(&mut client(), &mut server, now, &register());
    let late = now + Duration::from_millis(1_001);
    assert_eq!(reason(server.check(late, &request, users)).0, CredentialsError::Expired);
}

#[test]
fn a_full_table_forgets_the_oldest_and_says_stale() {
    let now = Instant::now();
    let mut server = server(now).with_capacity(2);
    let requests: Vec<_> =
        (0..3).map(|_| answered(&mut client(), &mut server, now, &register())).collect();
    for request in &requests {
        assert_eq!(authenticated(server.check(now, request, users)), "bob");
    }
    let replay = reason(server.check(now, &requests[0], users));
    assert_eq!(replay, (CredentialsError::Forgotten, true));
    assert_eq!(reason(server.check(now, &requests[2], users)).0, CredentialsError::Replayed);
}

#[test]
fn nothing_is_taken_twice_after_the_table_was_swept() {
    let now = Instant::now();
    let mut server = server(now);
    let request = answered(&mut client(), &mut server, now, &register());
    assert_eq!(authenticated(server.check(now, &request, users)), "bob");
    let later = now + Duration::from_secs(301);
    let other = answered(&mut client(), &mut server, later, &register());
    assert_eq!(authenticated(server.check(later, &other, users)), "bob");
    // Even for somebody whose clock went back.
    assert_eq!(reason(server.check(now, &request, users)).0, CredentialsError::Forgotten);
}

#[test]
fn a_nonce_of_an_earlier_run_is_stale_if_the_password_is_right() {
    let (now, _, _, request) = pair();
    let mut other = Challenger::new(now, &mut Random::from_seed(9), Role::Server, REALM);
    assert_eq!(reason(other.check(now, &request, users)), (CredentialsError::ForeignNonce, true));
    let wrong = changed(&request, Some("guess"), |_| {});
    assert_eq!(reason(other.check(now, &wrong, users)), (CredentialsError::Wrong, false));
}

#[test]
fn credentials_of_another_realm_are_not_looked_at() {
    let (now, _, mut server, request) = pair();
    let other = changed(&request, Some("zanzibar"), |it| it.realm = Text::from("elsewhere"));
    let verdict = server.check(now, &other, |_| panic!("looked up"));
    assert_eq!(reason(verdict), (CredentialsError::Missing, false));
    let basic = valid(register().edit().raw(HeaderName::AUTHORIZATION, "Basic Ym9iOng="));
    let verdict = server.check(now, &basic, |_| panic!("looked up"));
    assert_eq!(reason(verdict), (CredentialsError::Missing, false));
}

#[test]
fn of_several_credentials_those_with_a_nonce_of_this_server_count() {
    let (now, _, mut server, request) = pair();
    let own = sent(&request).remove(0);
    let foreign = DigestCredentials { nonce: "foreign".into(), ..own.clone() };
    let builder = register().edit().header(&Authorization::new(foreign));
    let both = valid(builder.header(&Authorization::new(own)));
    assert_eq!(authenticated(server.check(now, &both, users)), "bob");
}

#[test]
fn an_empty_digest_and_an_algorithm_that_was_not_offered_are_challenged() {
    let (now, _, mut server, request) = pair();
    let empty = changed(&request, None, |it| it.response = Text::new());
    assert_eq!(reason(server.check(now, &empty, users)).0, CredentialsError::Missing);
    let mut strong = super::server(now).with_algorithms([Algorithm::Sha256]).unwrap();
    let first = challenged(strong.check(now, &register(), users));
    let nonce = first.challenges()[0].nonce.clone();
    for algorithm in ["MD5", "SHA-1024", "SHA-256-sess"] {
        let weak = changed(&request, None, |it| {
            (it.algorithm, it.nonce) = (Algorithm::from(algorithm), nonce.clone());
        });
        let verdict = strong.check(now, &weak, users);
        assert_eq!(reason(verdict), (CredentialsError::UnofferedAlgorithm, false));
    }
}

/// RFC 7616 §3.4.
#[test]
fn improper_parameters_are_a_bad_request() {
    let (now, _, mut server, request) = pair();
    let long = "x".repeat(257);
    for (change, expected) in [
        (
            Box::new(|it: &mut DigestCredentials| it.nc = None)
                as Box<dyn Fn(&mut DigestCredentials)>,
            { CredentialsError::HalfQop },
        ),
        (Box::new(|it| it.cnonce = None), CredentialsError::HalfQop),
        (Box::new(|it| it.qop = Some(Qop::AuthInt)), CredentialsError::UnofferedQop),
        (Box::new(|it| it.qop = Some(Qop::from("x"))), CredentialsError::UnofferedQop),
        (Box::new(move |it| it.cnonce = Some(long.as_str().into())), CredentialsError::LongCnonce),
        (Box::new(|it| it.uri = "sip:evil@biloxi.example".into()), CredentialsError::WrongUri),
        (Box::new(|it| it.uri = "no uri".into()), CredentialsError::WrongUri),
    ] {
        let verdict = server.check(now, &changed(&request, Some("zanzibar"), change), users);
        assert_eq!(improper(verdict), expected);
    }
    let broken = valid(register().edit().raw(HeaderName::AUTHORIZATION, "Digest realm=\"x\""));
    let error = improper(server.check(now, &broken, users));
    assert!(matches!(error, CredentialsError::Malformed(_)), "{error}");
    let mut sessions = super::server(now).with_algorithms([Algorithm::Md5Sess]).unwrap();
    let old = changed(&request, None, |it| {
        (it.algorithm, it.qop, it.cnonce, it.nc) = (Algorithm::Md5Sess, None, None, None);
    });
    assert_eq!(improper(sessions.check(now, &old, users)), CredentialsError::SessionWithoutQop);
}

/// RFC 7616 §3.4.6, RFC 3261 §19.1.4, RFC 8760 §2.6 number 6.
#[test]
fn an_equivalent_uri_is_taken_and_another_one_only_if_it_was_named() {
    let (now, _, server, request) = pair();
    let mut server = server.with_uri("sip:forwarded@biloxi.example".parse::<Uri>().unwrap());
    let mut nc = 1;
    let mut with_uri = |uri: &'static str| {
        nc += 1;
        changed(&request, Some("zanzibar"), |it| (it.uri, it.nc) = (uri.into(), Some(nc)))
    };
    for uri in ["sip:BILOXI.example", "SIP:biloxi.example", "sip:forwarded@biloxi.example"] {
        assert_eq!(authenticated(server.check(now, &with_uri(uri), users)), "bob", "{uri}");
    }
    for uri in ["sips:biloxi.example", "sip:biloxi.example:5060", "sip:bob@biloxi.example"] {
        let verdict = server.check(now, &with_uri(uri), users);
        assert_eq!(improper(verdict), CredentialsError::WrongUri, "{uri}");
    }
}

#[test]
fn an_unknown_user_looks_and_costs_like_a_wrong_password() {
    for userhash in [false, true] {
        for by_hash in [false, true] {
            let (now, _, mut server, request) = pair();
            let request = changed(&request, None, |it| {
                (it.response, it.userhash) = ("0".repeat(64).into(), userhash);
            });
            let known = |_: &Claim| {
                let a1 = || A1Hash::from_hex(HashFunction::Sha512_256, &"ab".repeat(32)).unwrap();
                Some(if by_hash {
                    User::with_a1("bob", a1())
                } else {
                    User::with_password("bob", "x")
                })
            };
            let mut measure = |lookup: &dyn Fn(&Claim) -> Option<User>| {
                let user = match server.claim(now, &request) {
                    Ok(claim) => (lookup(&claim), claim),
                    Err(verdict) => panic!("{verdict:?}"),
                };
                HASHES.set(0);
                let verdict = server.verify(now, &user.1, user.0.as_ref());
                (HASHES.get(), reason(verdict))
            };
            let (known, unknown) = (measure(&known), measure(&|_| None));
            assert_eq!(known, unknown);
            assert_eq!(known, (3, (CredentialsError::Wrong, false)));
        }
    }
}

#[test]
fn a_user_may_be_known_by_hash_alone() {
    let (now, _, mut server, request) = pair();
    let a1 = |function| A1Hash::new(function, "bob", REALM, &"zanzibar".into());
    let wrong = User::with_a1("bob", a1(HashFunction::Md5));
    let verdict = server.check(now, &request, |_| Some(wrong));
    assert_eq!(reason(verdict).0, CredentialsError::Wrong);
    let verdict =
        server.check(now, &request, |claim| Some(User::with_a1("bob", a1(claim.function()))));
    assert_eq!(authenticated(verdict), "bob");
}

/// RFC 7616 §3.4.4.
#[test]
fn a_hashed_name_is_found_and_given_back_in_plain() {
    let now = Instant::now();
    let mut server = server(now).with_userhash();
    let request = answered(&mut client(), &mut server, now, &register());
    let verdict = server.check(now, &request, |claim| {
        let hash = claim.function().user_hash("bob", claim.realm());
        let found = claim.is_hashed() && claim.username() == hash;
        found.then(|| User::with_password("bob", "zanzibar"))
    });
    assert_eq!(authenticated(verdict), "bob");
}

/// RFC 3261 §22.1.
#[test]
fn ack_and_cancel_are_never_challenged() {
    let now = Instant::now();
    for method in ["ACK", "CANCEL"] {
        let request = request(method, "sip:bob@biloxi.example", b"");
        assert!(matches!(server(now).check(now, &request, users), Verdict::NeverChallenged));
    }
}

/// RFC 7616 §3.4.2: the cnonce of a session is that of its first request.
#[test]
fn a_session_may_change_its_cnonce() {
    let now = Instant::now();
    let mut server = server(now).with_algorithms([Algorithm::Sha256Sess]).unwrap();
    let request = answered(&mut client(), &mut server, now, &register());
    assert_eq!(authenticated(server.check(now, &request, users)), "bob");
    let mut later = sent(&request).remove(0);
    let a1 = A1Hash::new(HashFunction::Sha256, "bob", REALM, &"zanzibar".into());
    let key = a1.of_session(&later.nonce, later.cnonce.as_deref().unwrap());
    (later.cnonce, later.nc) = (Some("another".into()), Some(2));
    later.response = request_digest(&key, &later, "REGISTER", b"").into();
    let later = with_credentials(&request, later);
    assert_eq!(authenticated(server.check(now, &later, users)), "bob");
}

#[test]
fn the_server_proves_itself_and_renews_an_old_nonce() {
    for algorithm in ALGORITHMS {
        let now = Instant::now();
        let (mut client, mut server) =
            (client(), server(now).with_algorithms([algorithm.clone()]).unwrap());
        let mut request = answered(&mut client, &mut server, now, &register());
        for (age, renewed) in [(0, false), (151, true), (152, false)] {
            let now = now + Duration::from_secs(age);
            let verdict = server.check(now, &request, users);
            let Verdict::Authenticated(user) = verdict else { panic!("{verdict:?}") };
            let info = server.info(now, &user, b"").unwrap();
            assert_eq!(info.nextnonce.is_some(), renewed && !algorithm.is_session());
            let ok = Response::reply_to(&request, StatusCode::OK).header(&info).build().unwrap();
            assert_eq!(client.accepted(&request, &ok), Ok(ServerProof::Shown));
            request = next(&request, client.authorize(&request));
        }
    }
}

#[test]
fn a_server_with_another_password_is_found_out() {
    let (now, mut client, mut server, request) = pair();
    let verdict = server.check(now, &request, users);
    let Verdict::Authenticated(mut user) = verdict else { panic!("{verdict:?}") };
    user.key = A1Hash::new(user.key.function(), "bob", REALM, &"guess".into());
    let info = server.info(now, &user, b"").unwrap();
    let ok = Response::reply_to(&request, StatusCode::OK).header(&info).build().unwrap();
    assert!(client.accepted(&request, &ok).is_err());
}

#[test]
fn settings_that_cannot_be_offered_are_refused() {
    let server = || server(Instant::now());
    let unknown = Algorithm::from("SHA-1024");
    let error = server().with_algorithms([unknown]).unwrap_err();
    assert_eq!(error, OfferError::UnknownAlgorithm { algorithm: "SHA-1024".into() });
    assert_eq!(server().with_algorithms([]).unwrap_err(), OfferError::Nothing);
    assert_eq!(server().with_qop([]).unwrap_err(), OfferError::Nothing);
    let error = server().with_qop([Qop::from("x")]).unwrap_err();
    assert_eq!(error, OfferError::UnknownQop { qop: "x".into() });
}

#[test]
fn nothing_secret_shows_in_debug() {
    let (now, _, mut server, request) = pair();
    let verdict = server.check(now, &request, users);
    let sent = sent(&request).remove(0);
    let debug =
        format!("{server:?} {verdict:?} {:?}", users(&server.claim(now, &request).unwrap()));
    for secret in ["zanzibar", &*sent.response, sent.cnonce.as_deref().unwrap()] {
        assert!(!debug.contains(secret), "{debug}");
    }
}
