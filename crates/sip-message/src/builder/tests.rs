use proptest::prelude::*;

use super::*;
use crate::{
    Allow, CSeq, CallId, Contact, ContentLength, From, MaxForwards, NameAddr, ParseOptions, Route,
    Subject, To, ValidRequest, Via,
};

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

fn invite() -> RequestBuilder {
    let via = Via::new("UDP", "192.0.2.1".parse().unwrap(), Some(5060)).with_branch("z9hG4bK1");
    Request::builder(Method::INVITE, &uri("sip:bob@biloxi.example"))
        .header(&via.with_rport())
        .header(&MaxForwards(70))
        .header(&From::new(uri("sip:alice@atlanta.example")).with_tag("1928"))
        .header(&To::new(NameAddr::new(uri("sip:bob@biloxi.example")).with_display_name("Bob")))
        .header(&CallId("a84b4c76e66710".into()))
        .header(&CSeq { number: 1, method: Method::INVITE })
}

fn text(request: &Request) -> &str {
    str::from_utf8(request.as_bytes()).unwrap()
}

#[test]
fn a_built_request_reads_as_it_was_meant() {
    let request = invite().body("application/sdp", "v=0\r\n").build().unwrap();
    let expected = "INVITE sip:bob@biloxi.example SIP/2.0\r\n\
        Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\r\n\
        Max-Forwards: 70\r\n\
        From: <sip:alice@atlanta.example>;tag=1928\r\n\
        To: \"Bob\" <sip:bob@biloxi.example>\r\n\
        Call-ID: a84b4c76e66710\r\n\
        CSeq: 1 INVITE\r\n\
        Content-Type: application/sdp\r\n\
        Content-Length: 5\r\n\r\nv=0\r\n";
    assert_eq!(text(&request), expected);
    assert_eq!(request.body(), "v=0\r\n");
    assert!(ValidRequest::new(request, &ParseOptions::strict()).is_ok());
}

#[test]
fn a_line_break_in_a_value_is_refused() {
    for nasty in ["a\r\nVia: x", "a\nb", "a\rb", "a\0b"] {
        let name = HeaderName::SUBJECT;
        let refused = Err(BuildError::LineBreak(name.clone()));
        assert_eq!(invite().raw(name, nasty).build().map(drop), refused);
        assert_eq!(invite().header(&Subject(nasty.into())).build().map(drop), refused);
        let to = To::new(NameAddr::new(uri("sip:a@b.example")).with_display_name(nasty));
        assert!(invite().replace(&to).build().is_err());
        let to = To::new(uri("sip:a@b.example")).with_tag(nasty);
        assert!(invite().replace(&to).build().is_err());
        assert!(invite().body(nasty, "").build().is_err());
        let reply = Response::builder(StatusCode::OK);
        assert!(reply.clone().reason(nasty).build().is_err());
        assert!(reply.raw(HeaderName::TO, "<sip:a@b.example>").to_tag(nasty).build().is_err());
    }
}

#[test]
fn a_uri_cannot_break_the_request_line() {
    for nasty in ["a b", "a\r\nb", "a\0b", "a\tb"] {
        let mut target = uri("sip:a@b.example").as_sip().unwrap().clone();
        target.user = Some(nasty.into());
        let target = Uri::Sip(target);
        let built = Request::builder(Method::INVITE, &target).build();
        assert_eq!(built.map(drop), Err(BuildError::StartLine));
        let escaped = uri("sip:b.example").as_sip().unwrap().clone().with_user(nasty);
        assert!(Request::builder(Method::INVITE, &escaped.into()).build().is_ok());
    }
}

#[test]
fn removal_finds_every_disguise() {
    let disguised = "OPTIONS sip:a@b.example SIP/2.0\r\nContact: <sip:1@x.example>\r\n\
        m: <sip:2@x.example>\r\nM : <sip:3@x.example>\r\nCONTACT\t:\r\n <sip:4@x.example>\r\n\
        X-Contact: kept\r\nX-Route: 1\r\nx-rOUTE: 2\r\nContent-Length: 0\r\n\r\n";
    let Message::Request(request) = Message::parse(disguised.into()).unwrap() else { panic!() };
    let removed = request.edit().remove(HeaderName::CONTACT).build().unwrap();
    assert_eq!(removed.headers().count(HeaderName::CONTACT), 0);
    assert!(!text(&removed).contains("x.example"));
    assert!(text(&removed).contains("X-Contact: kept"));
    let replaced = request.edit().replace(&Contact::new(uri("sip:5@y.example"))).build().unwrap();
    assert_eq!(replaced.headers_of::<Contact>().count(), 1);
    assert!(!text(&replaced).contains("x.example"));
    let unknown = HeaderName::new("X-ROUTE").unwrap();
    let removed = request.edit().remove(unknown.clone()).build().unwrap();
    assert_eq!(removed.headers().count(unknown), 0);
}

#[test]
fn the_content_length_cannot_be_set_wrong() {
    let lie = invite().header(&ContentLength(7)).raw(HeaderName::CONTENT_LENGTH, "1");
    let request = lie.body("text/plain", "abc").build().unwrap();
    assert_eq!(request.headers().count(HeaderName::CONTENT_LENGTH), 1);
    assert_eq!(request.header::<ContentLength>().unwrap(), Some(ContentLength(3)));
    let request = request.edit().no_body().build().unwrap();
    assert_eq!(request.header::<ContentLength>().unwrap(), Some(ContentLength(0)));
    assert_eq!(request.headers().count(HeaderName::CONTENT_TYPE), 0);
}

#[test]
fn the_first_value_of_a_list_goes_and_the_others_stay() {
    let routes =
        "Route: <sip:a,1@x.example>,\r\n <sip:b@x.example>\r\nRoute: <sip:c@x.example>\r\n";
    let message = format!("BYE sip:a@b.example SIP/2.0\r\n{routes}\r\n");
    let Message::Request(mut request) = Message::parse(message.into()).unwrap() else { panic!() };
    for left in [2, 1, 0, 0] {
        request = request.edit().remove_first::<Route>().build().unwrap();
        assert_eq!(request.headers_of::<Route>().map(Result::unwrap).count(), left);
    }
}

#[test]
fn the_topmost_via_is_replaced_in_its_place() {
    let message =
        "BYE sip:a@b.example SIP/2.0\r\nv: SIP/2.0/UDP a.example, SIP/2.0/UDP b.example\r\n\r\n";
    let Message::Request(request) = Message::parse(message.into()).unwrap() else { panic!() };
    let mut top: Via = request.header().unwrap().unwrap();
    top.set_received("192.0.2.7".parse().unwrap());
    top.set_rport(1024);
    let request = request.edit().replace_first(&top).build().unwrap();
    let vias: Vec<Via> = request.headers_of().map(Result::unwrap).collect();
    assert_eq!(vias.len(), 2);
    assert_eq!((vias[0].rport(), vias[0].received()), (Some(1024), "192.0.2.7".parse().ok()));
    assert_eq!(vias[1].host, "b.example".parse().unwrap());
}

#[test]
fn a_list_is_one_row() {
    let methods = [Allow(Method::INVITE), Allow(Method::ACK), Allow(Method::BYE)];
    let request = invite().list(&methods).build().unwrap();
    assert!(text(&request).contains("\r\nAllow: INVITE, ACK, BYE\r\n"));
    assert!(request.headers_of::<Allow>().map(Result::unwrap).eq(methods));
}

#[test]
fn a_reply_copies_what_it_must_as_it_came() {
    let request = "OPTIONS sip:a@b.example SIP/2.0\r\nv : SIP/2.0/UDP a.example\r\n ;branch=z9hG4bK1\r\n\
        Via: SIP/2.0/TCP b.example\r\nt:\t<sip:a@b.example>\r\nf: \"X\\\"\" <sip:c@d.example> ; tag=1\r\n\
        i: x\r\nTimestamp: 54\r\nCSeq: 0009\r\n OPTIONS\r\nRoute: <sip:r.example>\r\n\r\n";
    let Message::Request(request) = Message::parse(request.into()).unwrap() else { panic!() };
    let request = ValidRequest::new(request, &ParseOptions::default()).unwrap();
    let reply = Response::reply_to(&request, StatusCode::TRYING).build().unwrap();
    let expected = "SIP/2.0 100 Trying\r\nv : SIP/2.0/UDP a.example\r\n ;branch=z9hG4bK1\r\n\
        Via: SIP/2.0/TCP b.example\r\nt:\t<sip:a@b.example>\r\nf: \"X\\\"\" <sip:c@d.example> ; tag=1\r\n\
        i: x\r\nTimestamp: 54\r\nCSeq: 0009\r\n OPTIONS\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(reply.as_bytes(), expected);
    let reply =
        Response::reply_to(&request, StatusCode::OK).to_tag("8").to_tag("9").build().unwrap();
    assert_eq!(reply.header::<To>().unwrap().unwrap().tag(), Some("8"));
    assert_eq!(reply.headers().count(HeaderName::TIMESTAMP), 0);
}

#[test]
fn folds_of_a_sloppy_peer_are_passed_on_with_proper_line_ends() {
    let sloppy = "BYE sip:a@b.example SIP/2.0\nSubject: a\n b\nX-Bytes: 1\n\n";
    let Message::Request(request) = Message::parse(sloppy.into()).unwrap() else { panic!() };
    let written = request.edit().build().unwrap();
    let expected = "BYE sip:a@b.example SIP/2.0\r\nSubject: a\r\n b\r\nX-Bytes: 1\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(text(&written), expected);
}

proptest! {
    #[test]
    fn what_is_built_is_read_back(
        value in "[^\r\n\0]{0,40}",
        name in "[A-Za-z0-9-]{2,12}",
        body in proptest::collection::vec(any::<u8>(), 0..60),
    ) {
        let name = HeaderName::new(&format!("X-{name}")).unwrap();
        let built = invite().raw(name.clone(), &value).body("text/plain", body.clone());
        let request = built.build().unwrap();
        let parsed = Message::parse_with(request.as_bytes().clone(), &ParseOptions::strict()).unwrap();
        prop_assert_eq!(parsed.as_bytes(), request.as_bytes());
        prop_assert_eq!(parsed.body(), &body[..]);
        let expected = value.trim_matches([' ', '\t']);
        prop_assert_eq!(parsed.headers().get_raw(name), Some(expected.as_bytes()));
    }

    #[test]
    fn no_value_adds_a_header(value in "(\r\n|\n|\r|\0|Via: x|[a-z:; ])*") {
        let built = invite().raw(HeaderName::SUBJECT, &value).build();
        prop_assert_eq!(built.is_err(), value.contains(['\r', '\n', '\0']));
        if let Ok(request) = built {
            prop_assert_eq!(request.headers().len(), 8);
        }
    }
}
