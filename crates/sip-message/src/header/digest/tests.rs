use bytes::Bytes;
use proptest::prelude::*;

use super::*;
use crate::{Message, Method, Parameters, ParseOptions, Request, Response, StatusCode, Text, Uri};

const CHALLENGE: &str = r#"Digest realm="atlanta.com", domain="sip:boxesbybob.com", qop="auth", algorithm=MD5, nonce="f84f1cec41e6cbe5aea9c8e88d359", opaque="""#;
const CREDENTIALS: &str = r#"Digest username="Alice", realm="atlanta.com", nonce="84a4cc6f3082121f32b42a2187831a9e", uri="sip:a,b@b.example;x=1", response="7587245234b3434cc3412213e5f113a5", algorithm=MD5, cnonce="0a4f113b", qop=auth, nc=0000000a"#;

fn strict<H: Header>(text: &str) -> Result<H, ParseError> {
    H::parse(&WireText::new(text, Profile::Strict))
}

fn tolerant<H: Header>(text: &str) -> Result<H, ParseError> {
    H::parse(&WireText::new(text, Profile::Tolerant))
}

fn written(header: &impl Header) -> String {
    let mut text = String::new();
    header.write(&mut text);
    text
}

fn challenge(text: &str) -> DigestChallenge {
    let WwwAuthenticate(Challenge::Digest(challenge)) = tolerant(text).unwrap() else {
        panic!("another scheme")
    };
    challenge
}

fn credentials(text: &str) -> DigestCredentials {
    let Authorization(Credentials::Digest(credentials)) = tolerant(text).unwrap() else {
        panic!("another scheme")
    };
    credentials
}

fn response(rows: &[&str], options: &ParseOptions) -> Message {
    let rows = rows.iter().map(|row| format!("{row}\r\n")).collect::<String>();
    let text = format!("SIP/2.0 401 Unauthorized\r\n{rows}\r\n");
    Message::parse_with(Bytes::from(text), options).unwrap()
}

fn realms(message: &Message) -> Vec<Result<String, ParseError>> {
    let realm = |header: WwwAuthenticate| match header.0 {
        Challenge::Digest(digest) => digest.realm.to_string(),
        Challenge::Other(other) => other.scheme.to_string(),
    };
    message.headers_of::<WwwAuthenticate>().map(|header| header.map(realm)).collect()
}

#[test]
fn the_examples_are_read_and_written_as_they_stand() {
    let header: WwwAuthenticate = strict(CHALLENGE).unwrap();
    assert_eq!(written(&header), CHALLENGE);
    let digest = header.as_digest().unwrap();
    assert_eq!((&*digest.realm, digest.opaque.as_deref()), ("atlanta.com", Some("")));
    assert_eq!(digest.domains().collect::<Vec<_>>(), ["sip:boxesbybob.com"]);
    assert!(digest.offers(&Qop::Auth) && !digest.offers(&Qop::AuthInt) && !digest.stale);

    let header: Authorization = strict(CREDENTIALS).unwrap();
    assert_eq!(written(&header), CREDENTIALS);
    let digest = header.as_digest().unwrap();
    assert_eq!((digest.username.as_str(), digest.nc), ("Alice", Some(10)));
    assert_eq!(&*digest.uri, "sip:a,b@b.example;x=1");
}

#[test]
fn texts_come_without_quotes_and_escapes() {
    let digest = challenge(r#"Digest realm="a \"b\" \\ , c", nonce="\n""#);
    assert_eq!((&*digest.realm, &*digest.nonce), ("a \"b\" \\ , c", "n"));
    assert_eq!(
        written(&WwwAuthenticate::new(digest)),
        r#"Digest realm="a \"b\" \\ , c", algorithm=MD5, nonce="n""#
    );
}

#[test]
fn a_challenge_of_rfc_2069_offers_no_qop_and_means_md5() {
    let digest = challenge(r#"Digest realm="a", nonce="b", stale=FALSE"#);
    assert!(digest.qop.is_empty() && !digest.stale);
    assert_eq!(digest.algorithm, Algorithm::Md5);
    let answer = DigestCredentials::answering(&digest, "bob", "sip:a.example", "");
    assert_eq!((answer.qop, answer.nc, answer.cnonce), (None, None, None));
}

#[test]
fn algorithms_are_open_and_have_no_case() {
    let algorithm = |name: &str| {
        challenge(&format!(r#"Digest realm="a", nonce="b", algorithm={name}"#)).algorithm
    };
    assert!(matches!(algorithm("sha-512-256-SESS"), Algorithm::Sha512_256Sess));
    assert!(algorithm("sha-512-256-SESS").is_session() && !algorithm("SHA-256").is_session());
    assert_eq!(algorithm("AKAv1-MD5"), Algorithm::Other("akav1-md5".into()));
    assert!(algorithm("AKAv1-MD5-sess").is_session() && !algorithm("ess").is_session());
}

#[test]
fn what_phones_and_servers_get_wrong_is_forgiven_in_the_tolerant_profile_only() {
    let right = challenge(
        r#"Digest realm="a.example", nonce="b=", qop="auth,auth-int", opaque="c:d", stale=true, algorithm=MD5, userhash=true"#,
    );
    for wrong in [
        r#"Digest realm=a.example, nonce=b=, qop="auth,auth-int", opaque=c:d, stale=true, algorithm=MD5, userhash=true"#,
        r#"Digest realm="a.example", nonce="b=", qop="auth,auth-int", opaque="c:d", stale="TRUE", algorithm=MD5, userhash=true"#,
        r#"Digest realm="a.example", nonce="b=", qop="auth,auth-int", opaque="c:d", stale=true, algorithm="MD5", userhash=true"#,
        r#"Digest realm="a.example", nonce="b=", qop="auth auth-int,", opaque="c:d", stale=true, algorithm=MD5, userhash=true"#,
        r#"Digest realm="a.example", , nonce="b=",, qop="auth,auth-int", opaque="c:d", stale=true, algorithm=MD5, userhash=true"#,
        r#"Digest realm="a.example", nonce="b=", qop="auth,auth-int", opaque="c:d", stale=true, algorithm=MD5, userhash=true , ,"#,
    ] {
        assert_eq!(challenge(wrong), right, "{wrong}");
        assert!(strict::<WwwAuthenticate>(wrong).is_err(), "{wrong}");
    }
    let right = credentials(CREDENTIALS);
    for (good, bad) in [
        ("qop=auth", r#"qop="auth""#),
        ("nc=0000000a", r#"nc="0000000a""#),
        ("nc=0000000a", "nc=0000000A"),
        (r#""Alice""#, "Alice"),
        (r#""0a4f113b""#, "0a4f113b"),
        ("algorithm=MD5", r#"algorithm="md5""#),
    ] {
        let wrong = CREDENTIALS.replace(good, bad);
        assert_eq!(credentials(&wrong), right, "{wrong}");
        assert!(strict::<Authorization>(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn white_space_is_no_matter() {
    let right = challenge(CHALLENGE);
    let spaced = CHALLENGE.replace('=', " =\t").replace(", ", " ,");
    assert_eq!(strict::<WwwAuthenticate>(&spaced).unwrap().as_digest(), Some(&right));
    let spaced = challenge(r#"dIGEST  realm="a", nonce="b", qop=" auth ,  auth-int ""#);
    assert_eq!(spaced.qop, [Qop::Auth, Qop::AuthInt]);
    assert!(
        strict::<WwwAuthenticate>(r#"Digest realm="a", nonce="b", qop="auth, auth-int""#).is_ok()
    );
}

#[test]
fn broken_challenges_are_refused_at_their_place() {
    for (text, offset) in [
        ("", 0),
        ("Digest", 6),
        ("Digest ", 7),
        (r#"Digest realm="a""#, 16),
        (r#"Digest nonce="a""#, 16),
        (r#"Digest realm="a", nonce="b", REALM="c""#, 29),
        (r#"Digest realm="a", nonce="b", x=1, y=2, X=1"#, 39),
        (r#"Digest realm="a", nonce="b"#, 26),
        (r#"Digest realm="a", nonce="b" opaque="c""#, 28),
        (r#"Digest realm="a", nonce="b", nonce"#, 34),
        (r#"Digest realm="a", nonce="b", x="#, 31),
        (r#"Digest realm="a", nonce="b", algorithm="a b""#, 39),
        (r#"Digest realm="a", nonce="b", qop="a;b""#, 33),
        (r#"Digest realm="a" "b", nonce="b""#, 17),
    ] {
        let error = tolerant::<WwwAuthenticate>(text).unwrap_err();
        assert_eq!(error.offset(), offset, "{text}: {error}");
        assert_eq!(error.rfc(), "RFC 3261 §20.44");
        assert!(strict::<WwwAuthenticate>(text).is_err(), "{text}");
    }
    let many = (0..100).map(|n| format!(", p{n}=1")).collect::<String>();
    assert!(tolerant::<WwwAuthenticate>(&format!(r#"Digest realm="a", nonce="b"{many}"#)).is_err());
}

#[test]
fn values_without_quotes_hold_no_control_characters() {
    for text in ["nextnonce=a\rb", "nextnonce=a\0b", "nextnonce=a\u{7f}"] {
        let error = tolerant::<AuthenticationInfo>(text).unwrap_err();
        assert_eq!(error.offset(), 11, "{text:?}: {error}");
    }
}

#[test]
fn broken_credentials_are_refused() {
    for (part, bad) in [
        (r#"username="Alice", "#, ""),
        (r#"realm="atlanta.com", "#, ""),
        (r#", uri="sip:a,b@b.example;x=1""#, ""),
        (r#", response="7587245234b3434cc3412213e5f113a5""#, ""),
        ("nc=0000000a", "nc=a"),
        ("nc=0000000a", "nc=+000000a"),
        ("nc=0000000a", "nc=00000000a"),
        ("qop=auth", "qop=auth, qop=auth"),
        ("qop=auth", r#"qop="auth,auth-int""#),
        (r#"username="Alice""#, r#"username="Alice", username*=UTF-8''Alice"#),
        (r#"username="Alice""#, "username*=UTF-8''%4"),
        (r#"username="Alice""#, "username*=UTF-8''%+4a"),
        (r#"username="Alice""#, "username*=UTF-8''%FF"),
        (r#"username="Alice""#, "username*=Alice"),
    ] {
        let text = CREDENTIALS.replace(part, bad);
        assert_ne!(text, CREDENTIALS);
        assert!(tolerant::<Authorization>(&text).is_err(), "{text}");
    }
    for (part, bad) in [
        ("sip:a,b@b.example;x=1", "/index.html"),
        ("7587245234b3434cc3412213e5f113a5", "7587245234B3434CC3412213E5F113A5"),
        ("7587245234b3434cc3412213e5f113a5", "no digest"),
        (", nc=0000000a", ""),
    ] {
        let text = CREDENTIALS.replace(part, bad);
        assert!(strict::<Authorization>(&text).is_err(), "{text}");
        assert!(tolerant::<Authorization>(&text).is_ok(), "{text}");
    }
    let unchallenged = CREDENTIALS.replace("7587245234b3434cc3412213e5f113a5", "");
    assert!(strict::<Authorization>(&unchallenged).is_ok());
}

#[test]
fn names_that_no_quoted_string_holds_are_escaped() {
    let extended = "Digest username*=utf-8'de'J%C3%A4s%c3%b8n%20D'oe";
    let text = CREDENTIALS.replace(r#"Digest username="Alice""#, extended);
    let mut digest = credentials(&text);
    assert_eq!(digest.username.as_str(), "Jäsøn D'oe");
    let header = Authorization::new(digest.clone());
    assert!(written(&header).starts_with("Digest username*=UTF-8'de'J%C3%A4s%C3%B8n%20D%27oe, "));
    digest.username = Username::extended("a\r\nb");
    let header = Authorization::new(digest);
    assert_eq!(strict::<Authorization>(&written(&header)).unwrap(), header);
}

#[test]
fn challenges_in_many_rows_and_in_one_row_are_the_same_list() {
    let many = response(
        &[
            r#"WWW-Authenticate: Digest realm="a", nonce="1""#,
            r#"www-authenticate: Negotiate"#,
            r#"WWW-Authenticate: Digest realm="b", nonce="2""#,
        ],
        &ParseOptions::default(),
    );
    let one = response(
        &[
            "WWW-Authenticate: Digest realm=\"a\", nonce=\"1\",\r\n Negotiate ,Digest\r\n\t realm=\"b\", nonce=\"2\",",
        ],
        &ParseOptions::default(),
    );
    let expected = ["a", "Negotiate", "b"].map(|realm| Ok(realm.to_owned()));
    assert_eq!(realms(&many), expected);
    assert_eq!(realms(&one), expected);
}

#[test]
fn the_strict_profile_has_one_challenge_in_a_row() {
    let row = r#"WWW-Authenticate: Digest realm="a", nonce="1", Digest realm="b", nonce="2""#;
    let one = response(&[row], &ParseOptions::strict());
    let [Err(error)] = &realms(&one)[..] else { panic!("one refusal") };
    let name = "SIP/2.0 401 Unauthorized\r\n".len() + row.rfind("realm").unwrap();
    assert_eq!((error.offset(), error.expected()), (name, "\"=\""));
}

#[test]
fn commas_in_quotes_and_between_parameters_split_nothing() {
    let length = |text: &str| element_length(text, Profile::Tolerant);
    for (text, expected) in [
        (r#"Digest a="x, Digest y", b=1"#, 27),
        (r#"Digest a="\", Digest y", b=1"#, 28),
        ("Digest a=1, b =2, c\t\r\n =3", 25),
        ("Digest a=1,, ,Digest b=2", 13),
        ("Digest a=1,Digest\r\n b=2", 10),
        ("Digest a=1, Negotiate", 10),
        ("Negotiate, Digest a=1", 9),
        ("Bearer abc==, Digest a=1", 12),
        ("Digest uri=sip:a,b@c, d=1", 25),
        ("Digest a=1,", 11),
        ("", 0),
    ] {
        assert_eq!(length(text), expected, "{text}");
    }
    let commas = ",".repeat(1_000_000);
    assert_eq!(length(&commas), commas.len());
}

fn element_length(text: &str, profile: Profile) -> usize {
    list::element_length(text.as_bytes(), profile)
}

#[test]
fn challenges_are_built_and_the_first_one_is_removed() {
    let list = [
        WwwAuthenticate::new(challenge(CHALLENGE)),
        WwwAuthenticate::new(AuthScheme::with_token("Bearer", "abc==")),
        WwwAuthenticate::new(DigestChallenge::new("b", "2").with_algorithm("SHA-256")),
    ];
    let builder = Response::builder(StatusCode::UNAUTHORIZED);
    let builder = list.iter().fold(builder, |builder, challenge| builder.header(challenge));
    let message = builder.clone().build().unwrap();
    let read: Vec<WwwAuthenticate> = message.headers_of().map(Result::unwrap).collect();
    assert_eq!(read, list);
    let message = message.edit().remove_first::<WwwAuthenticate>().build().unwrap();
    let read: Vec<WwwAuthenticate> = message.headers_of().map(Result::unwrap).collect();
    assert_eq!(read, list[1..]);
    let message = builder.remove_first::<WwwAuthenticate>().build().unwrap();
    assert_eq!(message.headers_of::<WwwAuthenticate>().count(), 2);
    let row = list.iter().map(written).collect::<Vec<_>>().join(", ");
    let message = Response::builder(StatusCode::UNAUTHORIZED)
        .raw(HeaderName::WWW_AUTHENTICATE, &row)
        .remove_first::<WwwAuthenticate>();
    let message = message.build().unwrap();
    let read: Vec<WwwAuthenticate> = message.headers_of().map(Result::unwrap).collect();
    assert_eq!(read, list[1..]);
}

#[test]
fn other_schemes_keep_what_they_say() {
    let ntlm = r#"NTLM realm="SIP Communications Service", targetname="server", version=4"#;
    let header: WwwAuthenticate = strict(ntlm).unwrap();
    assert_eq!(written(&header), ntlm);
    let Challenge::Other(other) = header.0 else { panic!("a digest") };
    assert!(other.is("ntlm"));
    assert_eq!(other.parameters().unwrap().text("targetname").unwrap(), "server");

    let header: Authorization = strict("Bearer eyJ0.e30-_~+/==").unwrap();
    let Credentials::Other(other) = &header.0 else { panic!("a digest") };
    assert_eq!(other.token(), Some("eyJ0.e30-_~+/=="));
    assert_eq!(written(&header), "Bearer eyJ0.e30-_~+/==");
    assert!(strict::<Authorization>("Basic dXNlcjpwYXNz").is_err());
    assert!(tolerant::<Authorization>("Basic dXNlcjpwYXNz").is_ok());
    assert!(strict::<WwwAuthenticate>("Negotiate").is_err());
    assert!(tolerant::<Authorization>("Bearer a b").is_err());
}

#[test]
fn a_value_that_would_pass_for_another_is_not_built() {
    let request = || Request::builder(Method::OPTIONS, &"sip:a.example".parse::<Uri>().unwrap());
    let digest = credentials(CREDENTIALS);
    let mut smuggled = digest.clone();
    smuggled.algorithm = Algorithm::Other("MD5, userhash=true".into());
    assert!(request().header(&Authorization::new(smuggled)).build().is_err());
    let mut smuggled = digest.clone();
    smuggled.parameters.set("x", Some("1, y=2"));
    assert!(request().header(&Authorization::new(smuggled)).build().is_err());
    let other = AuthScheme::new("Digest", Parameters::new());
    assert!(request().header(&Authorization::new(other)).build().is_err());
    assert!(request().header(&Authorization::new(digest)).build().is_ok());
}

#[test]
fn what_a_server_says_afterwards_is_read_and_written() {
    let text = r#"nextnonce="47364c23432d2e131a5fb210812c", qop=auth-int, rspauth="6629fae49393a05397450978507c4ef1", cnonce="0a4f113b", nc=00000001"#;
    let header: AuthenticationInfo = strict(text).unwrap();
    assert_eq!(written(&header), text);
    assert_eq!((&header.qop, header.nc), (&Some(Qop::AuthInt), Some(1)));
    let next = AuthenticationInfo::next_nonce("47364c23432d2e131a5fb210812c");
    assert_eq!(
        strict::<AuthenticationInfo>(r#"nextnonce="47364c23432d2e131a5fb210812c""#),
        Ok(next)
    );
    for bad in ["", "nextnonce", "qop=auth, qop=auth", "nc=1", "nextnonce=\"a"] {
        assert!(tolerant::<AuthenticationInfo>(bad).is_err(), "{bad}");
    }
    assert!(strict::<AuthenticationInfo>("rspauth=\"xyz\"").is_err());
    assert!(!format!("{header:?}").contains("6629") && !format!("{header:?}").contains("0a4f"));
}

#[test]
fn secrets_do_not_show() {
    let header: Authorization = strict(CREDENTIALS).unwrap();
    let debug = format!("{header:?}");
    assert!(debug.contains("Alice") && debug.contains("84a4cc6f"));
    assert!(!debug.contains("7587245234") && !debug.contains("0a4f113b"), "{debug}");
    for text in ["Bearer abcdef", r#"Digest2 key="abcdef""#] {
        let header: Authorization = tolerant(text).unwrap();
        assert!(!format!("{header:?}").contains("abcdef"));
    }
}

#[test]
fn no_prefix_of_an_example_panics() {
    let extended = CREDENTIALS.replace(r#"username="Alice""#, "username*=UTF-8''%C3%A9");
    for text in [CHALLENGE, CREDENTIALS, &extended, "Bearer abc==", r#"Digest realm="\é""#] {
        for end in (0..=text.len()).filter(|&end| text.is_char_boundary(end)) {
            for profile in [Profile::Strict, Profile::Tolerant] {
                let value = WireText::new(&text[..end], profile);
                let _ = WwwAuthenticate::parse(&value);
                let _ = Authorization::parse(&value);
                let _ = AuthenticationInfo::parse(&value);
                element_length(&text[..end], profile);
            }
        }
    }
}

fn text() -> impl Strategy<Value = Text> {
    "[ -~é]{0,12}".prop_map(Text::from)
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(
        texts in prop::array::uniform6(text()),
        extended: bool,
        nc: Option<u32>,
        userhash: bool,
        stale: bool,
        algorithm in "MD5|SHA-256-sess|[a-z]{1,8}",
        qop in prop::collection::vec("auth|auth-int|[a-z]{1,8}", 0..3),
    ) {
        let [username, realm, nonce, uri, response, opaque] = texts;
        let username = if extended { Username::extended(username) } else { username.into() };
        let credentials = DigestCredentials {
            opaque: Some(opaque.clone()),
            qop: qop.first().map(|qop| qop.as_str().into()),
            cnonce: Some(opaque.clone()),
            nc,
            userhash,
            ..DigestCredentials::new(username, realm.clone(), nonce.clone(), uri, response)
                .with_algorithm(algorithm.as_str())
        };
        let header = ProxyAuthorization::new(credentials);
        prop_assert_eq!(tolerant::<ProxyAuthorization>(&written(&header)).unwrap(), header);
        let challenge = DigestChallenge {
            stale,
            userhash,
            charset: Some(Charset::Utf8),
            domain: Some(opaque.clone()),
            ..DigestChallenge::new(realm, nonce)
                .with_opaque(opaque)
                .with_algorithm(algorithm.as_str())
                .with_qop(qop.iter().map(|qop| qop.as_str().into()))
        };
        let header = ProxyAuthenticate::new(challenge);
        let text = format!("{0}, {0}", written(&header));
        let length = element_length(&text, Profile::Tolerant);
        prop_assert_eq!(&text[..length], text[length..].trim_start_matches(", "));
        prop_assert_eq!(tolerant::<ProxyAuthenticate>(&text[..length]).unwrap(), header);
    }
}
