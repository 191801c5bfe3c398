use proptest::prelude::*;

use super::*;
use crate::{CSeq, CallId, From, MaxForwards, Message, ParseOptions, Route, To, Via};

fn message(text: &str) -> Message {
    Message::parse(text.to_owned().into()).unwrap()
}

fn with(rows: &str) -> Message {
    message(&format!("SIP/2.0 200 OK\r\n{rows}\r\n\r\n"))
}

const VIA_ROW: &str = "Via: SIP/2.0/UDP h.example;branch=z9hG4bK1";
const REST: &str = "From: <sip:a@b.example>;tag=1\r\nTo: <sip:c@d.example>\r\nCall-ID: x@y\r\n\
    CSeq: 7 INVITE";

#[test]
fn folds_quotes_and_compact_names_are_seen_through() {
    let message = with(
        "v : SIP / 2.0\r\n  / TCP\r\n [2001:db8::1] : 5061 ;x=\"a;branch=no,\\\"\" \r\n\t; BRANCH =\r\n z9hG4bK1 , SIP/2.0/UDP b\r\n\
         f: \"a <b>;tag=no\\\"\" <sip:a@b.example;tag=no>;x=\";tag=no\" ; tag = \"q q\"\r\n\
         t: sip:c@d.example;tag=2;q=\"<\"\r\ni: a.b@c\r\nCSeq: 0009\t INVITE\r\n\
         Max-Forwards: 068\r\nRoute: \"x, <y>\" <sip:p1;lr>;a=b,<sip:p2;lr>\r\nRoute: <sip:p3>",
    );
    let envelope = message.envelope().unwrap();
    assert_eq!(
        (envelope.transport, envelope.sent_by, envelope.port),
        ("TCP", "[2001:db8::1]", Some(5061))
    );
    assert_eq!(envelope.branch, Some("z9hG4bK1"));
    assert!(envelope.via.ends_with("z9hG4bK1") && envelope.via.starts_with("SIP / 2.0"));
    assert_eq!((envelope.from_tag, envelope.to_tag), (Some("\"q q\""), Some("2")));
    assert_eq!((envelope.call_id, envelope.cseq, envelope.cseq_method), ("a.b@c", 9, "INVITE"));
    assert_eq!((envelope.max_forwards, envelope.route), (Some(68), Some("sip:p1;lr")));
}

#[test]
fn commas_with_nothing_between_them_hide_nothing() {
    let rows = format!(
        "Via: ,\r\n ,\r\nVia: , ,SIP/2.0/UDP h.example;branch=z9hG4bK1\r\nVia: SIP/2.0/UDP b\r\n\
         Route: ,\r\nRoute:\r\n ,<sip:p1;lr>, <sip:p2>\r\n{REST}"
    );
    let message = with(&rows);
    let envelope = message.envelope().unwrap();
    let via: Via = message.header().unwrap().unwrap();
    assert_eq!((envelope.branch, via.branch()), (Some("z9hG4bK1"), Some("z9hG4bK1")));
    assert_eq!(envelope.route, Some("sip:p1;lr"));
    assert_eq!(message.header::<Route>().unwrap().unwrap().uri().to_string(), "sip:p1;lr");
    let text = format!("SIP/2.0 200 OK\r\n{rows}\r\n\r\n");
    let outline = crate::Outline::of(text.as_bytes(), &ParseOptions::default()).unwrap();
    assert_eq!(
        (outline.envelope.branch, outline.envelope.route),
        (envelope.branch, envelope.route)
    );
    let strict = Message::parse_with(text.into(), &ParseOptions::strict()).unwrap();
    assert!(strict.envelope().is_err() && strict.header::<Via>().is_err());
    let none = with(&format!("Via: ,\r\n{REST}"));
    assert!(none.envelope().is_err() && none.header::<Via>().unwrap().is_none());
}

#[test]
fn what_breaks_is_refused_at_its_place() {
    for (row, header, at) in [
        ("Via: SIP/2.0/UDP h.example;branch=", HeaderName::VIA, "\r\nFrom"),
        ("Via: SIP/2.0/UDP h.example;branch=a;branch=b", HeaderName::VIA, ";branch=b"),
        ("Via: SIP/2.0/UDP h.example;;branch=a", HeaderName::VIA, ";branch"),
        ("Via: SIP/2.0/UDP h.example:70000", HeaderName::VIA, "70000"),
        ("Via: SIP/2.0/UDPh.example", HeaderName::VIA, "\r\nFrom"),
        ("Via: SIP/3.0/UDP h.example", HeaderName::VIA, "3.0"),
        ("Via: SIP/2.0/UDP [::1", HeaderName::VIA, "[::1"),
        ("Via: SIP/2.0/UDP h.example;x=\"a", HeaderName::VIA, "\"a"),
        ("Via: SIP/2.0/UDP h.example x", HeaderName::VIA, "x\r\n"),
    ] {
        let message = with(&format!("{row}\r\n{REST}"));
        let error = message.envelope().unwrap_err();
        let text = str::from_utf8(message.as_bytes()).unwrap();
        assert_eq!(error.header(), Some(header), "{row}: {error}");
        assert_eq!(Some(error.offset()), text.find(at), "{row}: {error}");
    }
    for rest in [
        REST.replace("From", "X"),
        REST.replace("To", "X"),
        REST.replace("CSeq", "X"),
        REST.replace("Call-ID", "X"),
        format!("{REST}\r\nt: <sip:x@y.example>"),
        format!("{REST}\r\nCSeq: 8 INVITE"),
        format!("{REST}\r\nMax-Forwards: 256"),
        format!("{REST}\r\nRoute: sip:a.example"),
        format!("{REST}\r\nRoute: <sip:a.example"),
        REST.replace("x@y", "x@y@z"),
        REST.replace("x@y", "x y"),
        REST.replace("7 INVITE", "7INVITE"),
        REST.replace("7 INVITE", "4294967296 INVITE"),
        REST.replace("7 INVITE", "7 INVITE x"),
        REST.replace(";tag=1", ";tag=1 x"),
        REST.replace(";tag=1", ";tag"),
    ] {
        assert!(with(&format!("{VIA_ROW}\r\n{rest}")).envelope().is_err(), "{rest}");
    }
}

#[test]
fn a_parameter_is_found_by_its_whole_name() {
    let rest = REST.replace(";tag=1", ";tags=2;ta=3;TaG=1");
    let message = with(&format!("Via: SIP/2.0/UDP h.example;branchx=a;branc=b;BRANCH=c\r\n{rest}"));
    let envelope = message.envelope().unwrap();
    assert_eq!((envelope.branch, envelope.from_tag), (Some("c"), Some("1")));
}

#[test]
fn numbers_are_read_up_to_their_range() {
    let zeros = "0".repeat(40);
    for (number, expected) in [
        ("4294967295", Some(u32::MAX)),
        ("4294967296", None),
        ("18446744073709551617", None),
        ("340282366920938463463374607431768211457", None),
    ] {
        for zeros in ["", &zeros] {
            let rest = REST.replace("7 INVITE", &format!("{zeros}{number} INVITE"));
            let message = with(&format!("{VIA_ROW}\r\n{rest}"));
            assert_eq!(message.envelope().ok().map(|envelope| envelope.cseq), expected);
        }
    }
}

/// Where all typed header fields can be read, the envelope tells the same.
pub(super) fn agrees_with_the_types(message: &Message) -> bool {
    let headers = message.headers();
    let typed = || {
        let via = headers.header::<Via>().ok()??;
        let from = headers.header::<From>().ok()??;
        let to = headers.header::<To>().ok()??;
        let call_id = headers.header::<CallId>().ok()??;
        let cseq = headers.header::<CSeq>().ok()??;
        let route = headers.header::<Route>().ok()?;
        let hops = headers.header::<MaxForwards>().ok()?;
        Some((via, from, to, call_id, cseq, route, hops))
    };
    let Some((via, from, to, call_id, cseq, route, hops)) = typed() else { return false };
    let once = |name| headers.count(name) <= 1;
    let single = [HeaderName::FROM, HeaderName::TO, HeaderName::CALL_ID, HeaderName::CSEQ];
    let single = single.into_iter().chain([HeaderName::MAX_FORWARDS]).all(once);
    let Ok(envelope) = message.envelope() else {
        assert!(!single, "{:?}: {message:?}", message.envelope());
        return false;
    };
    assert_eq!(envelope.branch, via.branch());
    assert_eq!((envelope.transport, envelope.port), (&*via.transport, via.port));
    assert_eq!(envelope.sent_by.parse::<crate::Host>().unwrap(), via.host);
    assert_eq!((envelope.from_tag, envelope.to_tag), (from.tag(), to.tag()));
    assert_eq!((envelope.call_id, envelope.cseq), (call_id.as_str(), cseq.number));
    assert_eq!(envelope.cseq_method, cseq.method.as_str());
    assert_eq!(envelope.max_forwards, hops.map(|MaxForwards(hops)| hops));
    let uri = envelope.route.map(|route| route.parse().unwrap());
    assert_eq!(uri.as_ref(), route.as_ref().map(Route::uri));
    true
}

proptest! {
    #[test]
    fn the_envelope_is_what_the_types_tell(
        via in "SIP ?/ ?2.0/UDP {1,2}([a-z]{1,3}|\\[::[1-9]\\])(:[0-9]{1,3})?(( ?|\r\n );( |\r\n )?(branch|x)(=([a-z<>]{0,3}|\"[;,<>\\\\]?[a-z]\"))?){0,3}",
        from in "(\"[a-z<>;\\\\]{0,3}\" ?|[a-z ]{0,3})<sip:[a-z]{1,2}(;tag=x)?>(( |\r\n )?;(tag|x)(=([a-z,]{1,3}|\"[;,<>]?[a-z]\"))?){0,3}",
        to in "sip:[a-z]{1,2}(;(tag|x)=[a-z\"<>]{1,3}){0,2}",
        cseq in "[0-9]{1,3}( |\r\n )(INVITE|X)",
        route in "([a-z]{0,2} ?<sip:[a-z]{1,2}(;lr)?>(;x=\"[,>]\")?(, )?){0,3}",
    ) {
        let text = format!("SIP/2.0 200 OK\r\nVia: {via}\r\nFrom: {from}\r\nTo: {to}\r\n\
            Call-ID: a@b\r\nCSeq: {cseq}\r\nRoute: {route}\r\n\r\n");
        for options in [ParseOptions::default(), ParseOptions::strict()] {
            if let Ok(message) = Message::parse_with(text.clone().into(), &options) {
                agrees_with_the_types(&message);
            }
        }
    }
}
