//! The client, against responses as they stand on the wire.

use offhook_sansio::Random;
use offhook_sip_message::{Algorithm, Qop, Request, Username};
use serde_json::Value;

use super::*;
use crate::auth::{ChallengeError, HashFunction, ServerProof, request_digest::request_digest};

const CHALLENGE: &str =
    r#"Digest realm="biloxi.example", qop="auth", algorithm=SHA-256, nonce="n1", opaque="o""#;

/// What `client` sends after `first` met `reply`.
fn again(client: &mut Authenticator, first: &ValidRequest, reply: &Response) -> ValidRequest {
    next(first, client.challenged(first, reply).unwrap())
}

fn refused(reply: &Response) -> ChallengeError {
    client().challenged(&register(), reply).unwrap_err()
}

fn only(request: &ValidRequest) -> DigestCredentials {
    let [credentials] = &sent(request)[..] else { panic!("one digest") };
    credentials.clone()
}

/// Whether the digest is that of bob's password.
fn is_right(request: &ValidRequest, sent: &DigestCredentials, nonce: &str, cnonce: &str) -> bool {
    let function = HashFunction::of(&sent.algorithm).unwrap();
    let a1 = crate::A1Hash::new(function, "bob", &sent.realm, &"zanzibar".into());
    let key = if sent.algorithm.is_session() { a1.of_session(nonce, cnonce) } else { a1 };
    let method = request.method();
    sent.response == request_digest(&key, sent, method.as_str(), &request.body())
}

#[test]
fn a_challenge_is_answered_with_its_own_parameters() {
    let again = again(&mut client(), &register(), &unauthorized(CHALLENGE));
    let sent = only(&again);
    assert_eq!((&*sent.realm, &*sent.nonce), (REALM, "n1"));
    assert_eq!((&sent.algorithm, &sent.qop), (&Algorithm::Sha256, &Some(Qop::Auth)));
    assert_eq!((sent.opaque.as_deref(), sent.nc), (Some("o"), Some(1)));
    assert_eq!((sent.username.as_str(), &*sent.uri), ("bob", "sip:biloxi.example"));
    assert!(sent.cnonce.as_deref().is_some_and(|cnonce| cnonce.len() == 24));
    assert!(is_right(&again, &sent, "", ""));
    assert_eq!((again.call_id().as_str(), again.from().tag()), ("1", Some("1")));
}

/// RFC 8760 §2.4, by the cases of the vectors.
#[test]
fn the_topmost_supported_challenge_is_answered() {
    let file = include_str!("../../../tests/data/digest/rfc8760.json");
    let file: Value = serde_json::from_str(file).unwrap();
    let cases = file["challenge_selection"].as_array().unwrap();
    let expected = [Some((Algorithm::Sha256, "n1")), Some((Algorithm::Md5, "n2")), None];
    assert_eq!(cases.len(), expected.len());
    for (case, expected) in cases.iter().zip(expected) {
        let texts = |name: &str| {
            let values = case[name].as_array().unwrap().iter();
            values.map(|it| it.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let rows: Vec<_> =
            texts("headers").iter().map(|it| format!("WWW-Authenticate: {it}")).collect();
        let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
        let login = Login::new("biloxi.example.com", "bob", "zanzibar");
        let supported = texts("client_supports");
        let mut client = Authenticator::new(Random::from_seed(1), [login])
            .with_algorithms(supported.iter().map(|it| Algorithm::from(it.as_str())));
        let outcome = client.challenged(&register(), &response(401, &rows));
        let answered = outcome.ok().map(|builder| only(&next(&register(), builder)));
        let answered = answered.as_ref().map(|sent| (sent.algorithm.clone(), &*sent.nonce));
        assert_eq!(answered, expected, "{}", case["name"]);
    }
}

#[test]
fn every_algorithm_and_qop_is_answered() {
    for algorithm in ALGORITHMS {
        for (offered, expected) in [
            ("", None),
            (r#"qop="auth", "#, Some(Qop::Auth)),
            (r#"qop="auth-int", "#, Some(Qop::AuthInt)),
            (r#"qop="auth-int,auth", "#, Some(Qop::Auth)),
            (r#"qop="x,auth-int", "#, Some(Qop::AuthInt)),
        ] {
            if offered.is_empty() && algorithm.is_session() {
                continue;
            }
            let challenge =
                format!(r#"Digest realm="{REALM}", {offered}algorithm={algorithm}, nonce="n""#);
            let first = request("INVITE", "sip:bob@biloxi.example;x=1", b"a body");
            let again = again(&mut client(), &first, &unauthorized(&challenge));
            let sent = only(&again);
            assert_eq!(sent.qop, expected);
            assert_eq!(sent.cnonce.is_some(), expected.is_some());
            assert_eq!(sent.nc.is_some(), expected.is_some());
            let cnonce = sent.cnonce.clone().unwrap_or_default();
            assert!(is_right(&again, &sent, "n", &cnonce), "{algorithm} {offered}");
        }
    }
}

/// RFC 3261 §22.4 number 8.
#[test]
fn a_session_needs_a_qop() {
    let reply = unauthorized(r#"Digest realm="biloxi.example", algorithm=MD5-sess, nonce="n""#);
    assert_eq!(refused(&reply), ChallengeError::SessionWithoutQop { realm: REALM.into() });
}

#[test]
fn what_is_not_known_is_named() {
    let realm = || REALM.to_owned();
    for (challenge, expected) in [
        (CHALLENGE.replace("biloxi", "evil"), {
            ChallengeError::UnknownRealm { realm: "evil.example".into() }
        }),
        (CHALLENGE.replace("biloxi", "Biloxi"), {
            ChallengeError::UnknownRealm { realm: "Biloxi.example".into() }
        }),
        (CHALLENGE.replace("SHA-256", "SHA-1024"), {
            ChallengeError::UnknownAlgorithm { realm: realm(), algorithm: "SHA-1024".into() }
        }),
        (CHALLENGE.replace(r#""auth""#, r#""a,b""#), {
            ChallengeError::UnknownQop { realm: realm(), qop: "a,b".into() }
        }),
        ("Basic realm=\"biloxi.example\"".into(), {
            ChallengeError::UnknownScheme { scheme: "Basic".into() }
        }),
    ] {
        assert_eq!(refused(&unauthorized(&challenge)), expected);
    }
    assert_eq!(refused(&response(401, &[])), ChallengeError::NoChallenge);
    let malformed = refused(&unauthorized("Digest realm=\"biloxi.example\""));
    assert!(matches!(malformed, ChallengeError::Malformed(_)), "{malformed}");
    let status = StatusCode::FORBIDDEN;
    assert_eq!(refused(&response(403, &[])), ChallengeError::NotAChallenge { status });
}

#[test]
fn a_charset_other_than_utf8_matters_beyond_ascii() {
    let reply = unauthorized(&format!("{CHALLENGE}, charset=KOI8-R"));
    assert!(client().challenged(&register(), &reply).is_ok());
    let login = Login::new(REALM, "bob", "grüße");
    let mut client = Authenticator::new(Random::from_seed(1), [login]);
    let error = client.challenged(&register(), &reply).unwrap_err();
    assert!(matches!(error, ChallengeError::UnknownCharset { .. }), "{error}");
    let reply = unauthorized(&format!("{CHALLENGE}, charset=utf-8"));
    assert!(client.challenged(&register(), &reply).is_ok());
}

/// RFC 3261 §22.1.
#[test]
fn ack_and_cancel_are_never_answered_and_the_ack_copies_its_invite() {
    let mut client = client();
    let invite = request("INVITE", "sip:bob@biloxi.example", b"");
    let invite = again(&mut client, &invite, &unauthorized(CHALLENGE));
    for method in ["ACK", "CANCEL"] {
        let request = request(method, "sip:bob@biloxi.example", b"");
        let error = client.challenged(&request, &unauthorized(CHALLENGE)).unwrap_err();
        assert_eq!(error, ChallengeError::NeverChallenged { method: request.method() });
        assert!(sent(&valid(client.authorize(&request))).is_empty());
    }
    let ack = request("ACK", "sip:bob@biloxi.example", b"");
    let ack = valid(Authenticator::copy_to_ack(&invite, ack.edit()));
    assert_eq!(sent(&ack), sent(&invite));
}

#[test]
fn later_requests_carry_credentials_and_are_counted() {
    let mut client = client();
    let mut request = again(&mut client, &register(), &unauthorized(CHALLENGE));
    let first = only(&request);
    for count in 2..6 {
        request = next(&request, client.authorize(&request));
        let sent = only(&request);
        assert_eq!((sent.nc, &sent.nonce), (Some(count), &first.nonce));
        assert_eq!(sent.cnonce, first.cnonce);
        assert!(is_right(&request, &sent, "", ""));
    }
}

#[test]
fn a_count_at_its_end_asks_for_a_new_challenge() {
    let mut client = client();
    let request = again(&mut client, &register(), &unauthorized(CHALLENGE));
    client.sessions[0].set_count(u32::MAX - 1);
    assert_eq!(only(&next(&request, client.authorize(&register()))).nc, Some(u32::MAX));
    assert!(sent(&next(&request, client.authorize(&register()))).is_empty());
}

/// RFC 3261 §22.2, §22.3.
#[test]
fn credentials_stay_with_their_destination_and_their_call() {
    let mut client = client();
    let both = [CHALLENGE, CHALLENGE];
    let rows =
        [format!("WWW-Authenticate: {}", both[0]), format!("Proxy-Authenticate: {}", both[1])];
    let reply = response(407, &[&rows[0], &rows[1]]);
    again(&mut client, &register(), &reply);
    let edited = |row: &str, other: &str| {
        let bytes = String::from_utf8(register().as_bytes().to_vec()).unwrap();
        let Message::Request(request) = Message::parse(bytes.replace(row, other).into()).unwrap()
        else {
            panic!("a request")
        };
        ValidRequest::new(request, &ParseOptions::default()).unwrap()
    };
    let other_call = valid(client.authorize(&edited("Call-ID: 1", "Call-ID: 2")));
    assert_eq!((sent(&other_call).len(), sent_to_proxies(&other_call).len()), (1, 0));
    let other_to = valid(client.authorize(&edited("To: <sip:bob@", "To: <sip:carol@")));
    assert_eq!((sent(&other_to).len(), sent_to_proxies(&other_to).len()), (0, 1));
}

#[test]
fn servers_and_proxies_of_several_realms_are_answered_at_once() {
    let logins = [
        Login::new(REALM, "bob", "zanzibar"),
        Login::new("p1", "bob1", "one"),
        Login::any_realm("anybody", "any"),
    ];
    let mut client = Authenticator::new(Random::from_seed(1), logins);
    let reply = response(
        407,
        &[
            r#"Proxy-Authenticate: Digest realm="p1", nonce="1", qop="auth", Digest realm="p2", nonce="2", qop="auth""#,
            &format!("WWW-Authenticate: {CHALLENGE}"),
            r#"Proxy-Authenticate: Digest realm="p1", nonce="3", qop="auth""#,
        ],
    );
    let again = again(&mut client, &register(), &reply);
    let name = |it: &DigestCredentials| {
        (it.realm.to_string(), it.username.as_str().to_owned(), it.nonce.to_string())
    };
    let owned = |(a, b, c): (&str, &str, &str)| (a.to_owned(), b.to_owned(), c.to_owned());
    let servers: Vec<_> = sent(&again).iter().map(name).collect();
    assert_eq!(servers, [owned((REALM, "bob", "n1"))]);
    let proxies: Vec<_> = sent_to_proxies(&again).iter().map(name).collect();
    assert_eq!(proxies, [owned(("p1", "bob1", "1")), owned(("p2", "anybody", "2"))]);
}

#[test]
fn a_foreign_realm_beside_a_known_one_gets_nothing() {
    let evil = CHALLENGE.replace("biloxi", "evil");
    let reply = response(
        401,
        &[&format!("WWW-Authenticate: {evil}"), &format!("WWW-Authenticate: {CHALLENGE}")],
    );
    let again = again(&mut client(), &register(), &reply);
    assert_eq!(only(&again).realm, REALM);
}

#[test]
fn a_proxy_first_and_the_server_afterwards_both_get_theirs() {
    let mut client = client();
    let proxy = response(407, &[&format!("Proxy-Authenticate: {CHALLENGE}")]);
    let second = again(&mut client, &register(), &proxy);
    assert_eq!((sent(&second).len(), sent_to_proxies(&second).len()), (0, 1));
    let third = again(&mut client, &second, &unauthorized(CHALLENGE));
    assert_eq!((sent(&third).len(), sent_to_proxies(&third).len()), (1, 1));
    assert_eq!(sent_to_proxies(&third)[0].nc, Some(2));
}

/// RFC 3261 §22.1: no second try with what was just refused.
#[test]
fn refused_credentials_end_it_and_a_later_request_starts_anew() {
    let mut client = client();
    let second = again(&mut client, &register(), &unauthorized(CHALLENGE));
    let fresh = unauthorized(&CHALLENGE.replace("n1", "n2"));
    let error = client.challenged(&second, &fresh).unwrap_err();
    assert_eq!(error, ChallengeError::Rejected { realm: REALM.into() });
    assert!(sent(&valid(client.authorize(&register()))).is_empty());
    assert!(client.challenged(&register(), &fresh).is_ok());
}

#[test]
fn a_stale_nonce_is_replaced_and_its_count_starts_anew() {
    let mut client = client();
    let second = again(&mut client, &register(), &unauthorized(CHALLENGE));
    let stale = unauthorized(&format!("{}, stale=TRUE", CHALLENGE.replace("n1", "n2")));
    let third = again(&mut client, &second, &stale);
    let sent = only(&third);
    assert_eq!((&*sent.nonce, sent.nc), ("n2", Some(1)));
    assert!(is_right(&third, &sent, "", ""));
    let refused = client.challenged(&third, &unauthorized(CHALLENGE)).unwrap_err();
    assert_eq!(refused, ChallengeError::Rejected { realm: REALM.into() });
}

#[test]
fn the_same_nonce_again_goes_on_counting() {
    let mut client = client();
    let second = again(&mut client, &register(), &unauthorized(CHALLENGE));
    let third = again(&mut client, &second, &unauthorized(&format!("{CHALLENGE}, stale=true")));
    assert_eq!((only(&third).nc, only(&third).cnonce), (Some(2), only(&second).cnonce));
}

#[test]
fn endless_staleness_comes_to_an_end() {
    let mut client = client();
    let mut request = register();
    for count in 0..8 {
        let nonce = format!("n{count}");
        let stale = unauthorized(&format!("{}, stale=true", CHALLENGE.replace("n1", &nonce)));
        request = again(&mut client, &request, &stale);
    }
    let stale = unauthorized(&format!("{CHALLENGE}, stale=true"));
    assert_eq!(client.challenged(&request, &stale).unwrap_err(), ChallengeError::TooManyTries);
}

#[test]
fn an_accepted_request_is_no_try_any_more() {
    let mut client = client();
    let mut request = register();
    for count in 0..20 {
        let stale =
            unauthorized(&format!("{}, stale=true", CHALLENGE.replace("n1", &format!("n{count}"))));
        request = again(&mut client, &request, &stale);
        client.accepted(&request, &response(486, &[])).unwrap();
    }
}

#[test]
fn realms_without_end_are_refused() {
    let mut client = Authenticator::new(Random::from_seed(1), [Login::any_realm("bob", "x")]);
    let rows: Vec<String> = (0..9)
        .map(|it| format!(r#"WWW-Authenticate: Digest realm="r{it}", nonce="n", qop="auth""#))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let error = client.challenged(&register(), &response(401, &rows)).unwrap_err();
    assert_eq!(error, ChallengeError::TooManyChallenges);
    let many = vec![r#"WWW-Authenticate: Digest realm="r", nonce="n", qop="auth""#; 32];
    let error = client.challenged(&register(), &response(401, &many)).unwrap_err();
    assert_eq!(error, ChallengeError::TooManyChallenges);
    assert!(client.challenged(&register(), &response(401, &rows[1..])).is_ok());
}

#[test]
fn the_memory_of_realms_is_bounded() {
    let mut client = Authenticator::new(Random::from_seed(1), [Login::any_realm("bob", "x")]);
    for realm in 0..40 {
        let reply = format!(r#"Digest realm="r{realm}", nonce="n", qop="auth", algorithm=SHA-256"#);
        client.challenged(&register(), &unauthorized(&reply)).unwrap();
    }
    assert_eq!((client.sessions.len(), client.strong.len()), (16, 16));
}

/// RFC 7616 §5.8.
#[test]
fn a_realm_that_was_strong_does_not_become_weak() {
    let md5 = CHALLENGE.replace("SHA-256", "MD5");
    assert!(client().challenged(&register(), &unauthorized(&md5)).is_ok());
    let mut client = client();
    again(&mut client, &register(), &unauthorized(CHALLENGE));
    let error = client.challenged(&register(), &unauthorized(&md5)).unwrap_err();
    let expected = ChallengeError::Downgrade { realm: REALM.into(), algorithm: "MD5".into() };
    assert_eq!(error, expected);
}

#[test]
fn a_weak_challenge_on_top_of_a_strong_one_is_passed_over() {
    let md5 = format!("WWW-Authenticate: {}", CHALLENGE.replace("SHA-256", "MD5"));
    let strong = format!("WWW-Authenticate: {CHALLENGE}");
    let again = again(&mut client(), &register(), &response(401, &[&md5, &strong]));
    assert_eq!(only(&again).algorithm, Algorithm::Sha256);
}

/// RFC 7616 §3.4.4.
#[test]
fn a_name_is_hashed_where_the_server_asks_for_it() {
    let reply = unauthorized(&format!("{CHALLENGE}, userhash=true"));
    let again = again(&mut client(), &register(), &reply);
    let sent = only(&again);
    assert!(sent.userhash);
    assert_eq!(sent.username.as_str(), HashFunction::Sha256.user_hash("bob", REALM));
    assert!(is_right(&again, &sent, "", ""));
}

#[test]
fn names_beyond_ascii_are_quoted_and_those_with_line_ends_are_escaped() {
    for (name, extended) in [("Jäsøn Doe", false), ("a\"b\\c", false), ("a\r\nb", true)] {
        let login = Login::new(REALM, name, "x");
        let mut client = Authenticator::new(Random::from_seed(1), [login]);
        let again = again(&mut client, &register(), &unauthorized(CHALLENGE));
        let username = only(&again).username;
        assert_eq!(username.as_str(), name);
        assert_eq!(matches!(username, Username::Extended { .. }), extended);
    }
}

#[test]
fn other_credentials_of_the_application_stay() {
    let bearer = r#"Bearer abc=="#;
    let other = r#"Digest username="b", realm="other", nonce="n", uri="sip:x", response="""#;
    let first = register().edit().raw(HeaderName::AUTHORIZATION, bearer);
    let first = valid(first.raw(HeaderName::AUTHORIZATION, other));
    let again = again(&mut client(), &first, &unauthorized(CHALLENGE));
    let schemes = Role::Server.credentials(&again).len();
    let realms: Vec<_> = sent(&again).iter().map(|it| it.realm.to_string()).collect();
    assert_eq!((schemes, realms), (3, vec!["other".to_owned(), REALM.to_owned()]));
}

#[test]
fn an_empty_digest_before_the_first_challenge_is_not_refused() {
    let empty = r#"Digest username="bob", realm="biloxi.example", nonce="", uri="sip:biloxi.example", response="""#;
    let first = valid(register().edit().raw(HeaderName::AUTHORIZATION, empty));
    let again = again(&mut client(), &first, &unauthorized(CHALLENGE));
    assert_eq!(&*only(&again).nonce, "n1");
}

#[test]
fn the_next_nonce_is_used_from_then_on() {
    let mut client = client();
    let second = again(&mut client, &register(), &unauthorized(CHALLENGE));
    let ok = response(200, &[r#"Authentication-Info: nextnonce="n9""#]);
    assert_eq!(client.accepted(&second, &ok), Ok(ServerProof::Absent));
    let third = next(&second, client.authorize(&second));
    let sent = only(&third);
    assert_eq!((&*sent.nonce, sent.nc), ("n9", Some(1)));
    assert!(is_right(&third, &sent, "", ""));
}

/// RFC 7616 §3.4.2: nonce-prime and cnonce-prime are those of the start of the session.
#[test]
fn the_key_of_a_session_outlives_its_first_nonce() {
    let mut client = client();
    let session = CHALLENGE.replace("SHA-256", "SHA-256-sess");
    let second = again(&mut client, &register(), &unauthorized(&session));
    client.accepted(&second, &response(200, &[r#"Authentication-Info: nextnonce="n9""#])).unwrap();
    let third = next(&second, client.authorize(&second));
    let sent = only(&third);
    assert_eq!(&*sent.nonce, "n9");
    assert!(is_right(&third, &sent, "n1", &only(&second).cnonce.unwrap()));
}

/// RFC 7616 §3.5.
#[test]
fn a_server_that_knows_the_password_proves_it_and_another_one_is_found_out() {
    for algorithm in ALGORITHMS {
        for qop in ["auth", "auth-int"] {
            let mut client = client();
            let challenge = CHALLENGE.replace("SHA-256", algorithm.as_str());
            let challenge = challenge.replace(r#""auth""#, &format!("\"{qop}\""));
            let second = again(&mut client, &register(), &unauthorized(&challenge));
            let sent = only(&second);
            let cnonce = sent.cnonce.clone().unwrap();
            let function = HashFunction::of(&algorithm).unwrap();
            let a1 = crate::A1Hash::new(function, "bob", REALM, &"zanzibar".into());
            let key = if algorithm.is_session() { a1.of_session("n1", &cnonce) } else { a1 };
            let right = request_digest(&key, &sent, "", b"body");
            let row = |rspauth: &str, nc: u32| {
                format!(
                    r#"nextnonce="n2", qop={qop}, rspauth="{rspauth}", cnonce="{cnonce}", nc={nc:08x}"#
                )
            };
            let ok = |row: &str, body: &'static [u8]| {
                let ok = response(200, &[&format!("Authentication-Info: {row}")]).edit();
                ok.body("text/plain", body).build().unwrap()
            };
            let wrong = Err(ChallengeError::WrongProof { realm: REALM.into() });
            assert_eq!(client.accepted(&second, &ok(&row(&right, 2), b"body")), wrong);
            let reversed: String = right.chars().rev().collect();
            assert_eq!(client.accepted(&second, &ok(&row(&reversed, 1), b"body")), wrong);
            if qop == "auth-int" {
                assert_eq!(client.accepted(&second, &ok(&row(&right, 1), b"evil")), wrong);
            }
            assert_eq!(only(&valid(client.authorize(&second))).nonce, "n1");
            let shown = client.accepted(&second, &ok(&row(&right, 1), b"body"));
            assert_eq!(shown, Ok(ServerProof::Shown));
            assert_eq!(only(&valid(client.authorize(&second))).nonce, "n2");
        }
    }
}

#[test]
fn nothing_secret_shows_in_debug() {
    let mut client = client();
    let request: Request =
        client.challenged(&register(), &unauthorized(CHALLENGE)).unwrap().build().unwrap();
    let sent = Role::Server.digests(&request).next().unwrap();
    let debug = format!("{client:?}");
    assert!(debug.contains("bob"));
    for secret in ["zanzibar", "\"n1\"", &sent.response, sent.cnonce.as_deref().unwrap()] {
        assert!(!debug.contains(secret), "{debug}");
    }
}
