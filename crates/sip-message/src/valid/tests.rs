use super::*;

const VIA: &str = "Via: SIP/2.0/UDP h.example;branch=z9hG4bK1\r\n";
const OTHERS: [&str; 5] = [
    "Max-Forwards: 70\r\n",
    "From: <sip:c@d.example>;tag=1\r\n",
    "To: <sip:a@b.example>\r\n",
    "Call-ID: x\r\n",
    "CSeq: 1 OPTIONS\r\n",
];

fn check(text: &str, options: &ParseOptions) -> Result<ValidRequest, Rejection> {
    let Message::Request(request) = Message::parse(text.to_owned().into()).unwrap() else {
        panic!("a response");
    };
    ValidRequest::new(request, options)
}

fn options(start_line: &str, headers: &str) -> Result<ValidRequest, Rejection> {
    check(&format!("{start_line}\r\n{headers}\r\n"), &ParseOptions::default())
}

fn headers() -> String {
    VIA.to_owned() + &OTHERS.concat()
}

#[test]
fn a_sound_request_is_valid() {
    let request = options("OPTIONS sip:a@b.example SIP/2.0", &headers()).unwrap();
    assert_eq!(request.via().branch(), Some("z9hG4bK1"));
    assert_eq!((request.from().tag(), request.to().tag()), (Some("1"), None));
    assert_eq!((request.call_id().as_str(), request.cseq().number), ("x", 1));
    assert_eq!(request.max_forwards(), Some(70));
    assert_eq!(request.clone().method(), Method::OPTIONS);
}

#[test]
fn a_field_that_decides_must_not_come_twice_in_any_disguise() {
    for (first, second) in [
        ("Content-Type: a/b", "c : text/plain"),
        ("r: <sip:a@b.example>", "REFER-TO: <sip:c@d.example>"),
        ("Expires: 1", "expires:\t2"),
        ("Event: dialog", "o: presence"),
        ("Join: a;to-tag=1;from-tag=2", "JOIN : b;to-tag=1;from-tag=2"),
        ("Referred-By: <sip:a@b.example>", "b: <sip:c@d.example>"),
        ("Privacy: none", "privacy:\tid"),
    ] {
        let both = format!("{}{first}\r\n{second}\r\n", headers());
        let rejection = options("OPTIONS sip:a@b.example SIP/2.0", &both).unwrap_err();
        assert_eq!(rejection.status, StatusCode::BAD_REQUEST);
        assert!(rejection.response().is_some());
        let one = format!("{}{first}\r\n", headers());
        assert!(options("OPTIONS sip:a@b.example SIP/2.0", &one).is_ok());
    }
}

#[test]
fn each_missing_header_is_a_400_but_max_forwards() {
    let rows = [VIA, OTHERS[0], OTHERS[1], OTHERS[2], OTHERS[3], OTHERS[4]];
    for missing in rows {
        let left: String = rows.into_iter().filter(|row| *row != missing).collect();
        let text = format!("OPTIONS sip:a@b.example SIP/2.0\r\n{left}\r\n");
        let name = missing.split(':').next().unwrap();
        let tolerant = check(&text, &ParseOptions::default());
        if name == "Max-Forwards" {
            assert_eq!(tolerant.unwrap().max_forwards(), None);
        } else {
            let rejection = tolerant.unwrap_err();
            assert_eq!(rejection.status, StatusCode::BAD_REQUEST);
            assert_eq!(rejection.error.header(), HeaderName::new(name).ok());
            assert!(rejection.response().is_none());
        }
        assert!(check(&text, &ParseOptions::strict()).is_err());
    }
}

#[test]
fn each_doubled_singleton_is_a_400_that_copies_the_first() {
    for doubled in OTHERS {
        let text = headers() + &doubled.to_uppercase().replace("CSEQ: 1", "cseq: 2");
        let rejection = options("OPTIONS sip:a@b.example SIP/2.0", &text).unwrap_err();
        assert_eq!(rejection.status, StatusCode::BAD_REQUEST, "{doubled}");
        let response = rejection.response().unwrap();
        assert_eq!(response.headers().count(HeaderName::CSEQ), 1);
        assert_eq!(response.headers().get_raw(HeaderName::CSEQ), Some(&b"1 OPTIONS"[..]));
        assert_eq!(response.headers().len(), 6);
    }
}

#[test]
fn the_reason_of_a_400_tells_what_is_wrong() {
    let rejection = options("INVITE sip:a@b.example SIP/2.0", &headers()).unwrap_err();
    assert_eq!(rejection.error.rfc(), "RFC 3261 §8.1.1.5");
    let response = rejection.response().unwrap();
    let reason = "Bad Request in CSeq: expected the method of the request";
    assert_eq!((response.status(), response.reason()), (StatusCode::BAD_REQUEST, reason));
}

#[test]
fn start_lines_are_refused_with_their_own_status() {
    for (line, status) in [
        ("OPTIONS sip:a@b.example SIP/7.0", 505),
        ("OPTIONS sip:a@b.example SIP/2.00", 505),
        ("OPTIONS sip:a@b.example SIP/two", 400),
        ("OPTIONS sip:a@b.example SIP/2.0 ", 400),
        ("OPTIONS  sip:a@b.example SIP/2.0", 400),
        ("OPTIONS <sip:a@b.example> SIP/2.0", 400),
        ("OPTIONS sip:a@b.example; lr SIP/2.0", 400),
        ("OPTIONS sip:a@b.example?Route=x SIP/2.0", 400),
        ("OPTIONS sip:2001:db8::10 SIP/2.0", 400),
        ("OPTIONS b.example SIP/2.0", 400),
        ("OPTIONS mailto:a@b.example SIP/2.0", 416),
    ] {
        let rejection = options(line, &headers()).unwrap_err();
        assert_eq!(rejection.status.as_u16(), status, "{line}: {rejection}");
        assert_eq!(rejection.response().unwrap().status(), rejection.status);
    }
    for line in [
        "OPTIONS tel:+1 SIP/2.0",
        "OPTIONS urn:service:sos SIP/2.0",
        "OPTIONS sips:b.example sip/2.0",
    ] {
        assert!(options(line, &headers()).is_ok(), "{line}");
    }
}

#[test]
fn an_ack_is_never_answered() {
    let headers = headers().replace("OPTIONS", "INVITE");
    let rejection = options("ACK sip:a@b.example SIP/2.0", &headers).unwrap_err();
    assert!(rejection.response().is_none());
}

#[test]
fn old_peers_are_for_the_tolerant_only() {
    for (new, old) in [(";tag=1", ""), (";branch=z9hG4bK1", "")] {
        let text =
            format!("OPTIONS sip:a@b.example SIP/2.0\r\n{}\r\n", headers().replace(new, old));
        assert!(check(&text, &ParseOptions::default()).is_ok());
        assert!(check(&text, &ParseOptions::strict()).is_err());
    }
}

#[test]
fn requests_that_do_not_parse_are_answered_by_what_is_left_of_them() {
    let cases = [
        format!("OPTIONS sip:a@b.example SIP/2.0\r\n{}Content-Length: 9\r\n\r\nshort", headers()),
        format!(
            "OPTIONS sip:a@b.example SIP/2.0\r\n{VIA}no header\r\n folded\r\n\tfolded\r\n{}\r\n",
            OTHERS.concat()
        ),
        format!("OPTIONS sip:a@b.example SIP/2.0\r\n{}", headers()),
    ];
    for text in cases {
        let datagram = Bytes::from(text);
        let options = ParseOptions::default();
        let error = Message::parse(datagram.clone()).unwrap_err();
        let rejection = Rejection::salvage(&datagram, &options, error).unwrap();
        let response = rejection.response().unwrap();
        assert_eq!(response.status(), StatusCode::BAD_REQUEST);
        assert_eq!(response.headers().len(), 6, "{response:?}");
        assert!(!response.as_bytes().windows(6).any(|part| part == b"folded"));
    }
    let response = Bytes::from_static(b"SIP/2.0 200 OK\r\nbad\r\n\r\n");
    let error = Message::parse(response.clone()).unwrap_err();
    assert!(Rejection::salvage(&response, &ParseOptions::default(), error).is_none());
}

#[test]
fn responses_are_checked_alike() {
    let check = |start_line: &str, headers: &str| {
        let text = format!("{start_line}\r\n{headers}\r\n");
        let Message::Response(response) = Message::parse(text.into()).unwrap() else { panic!() };
        ValidResponse::new(response, &ParseOptions::default())
    };
    let response = check("SIP/2.0 200 OK", &headers()).unwrap();
    assert_eq!((response.status(), response.cseq().number), (StatusCode::OK, 1));
    assert!(check("SIP/3.0 200 OK", &headers()).is_err());
    assert!(check("SIP/2.0 200 OK", VIA).is_err());
    assert!(check("SIP/2.0 200 OK", &(headers() + OTHERS[2])).is_err());
}
