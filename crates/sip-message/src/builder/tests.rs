use proptest::prelude::*;

use super::*;
use crate::{
    Accept, Allow, CSeq, CallId, Contact, ContentLength, Date, DigestChallenge, From, Host,
    MaxForwards, MediaType, Message, NameAddr, ParseOptions, Reason, Require, RetryAfter, Route,
    SipUri, Subject, Supported, To, ValidRequest, Via, WwwAuthenticate,
};

mod rows;

fn uri(text: &str) -> Uri {
    text.parse().unwrap()
}

fn sip(text: &str) -> SipUri {
    uri(text).as_sip().unwrap().clone()
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
        To: Bob <sip:bob@biloxi.example>\r\n\
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
        let target = Uri::Sip(SipUri::new(Host::Name(nasty.into())));
        let built = Request::builder(Method::INVITE, &target).build();
        assert_eq!(built.map(drop), Err(BuildError::StartLine));
        let mut target = sip("sip:a@b.example");
        target.user = Some(nasty.into());
        let built = Request::builder(Method::INVITE, &target.into()).build().unwrap();
        let read = built.uri().unwrap().as_sip().unwrap().user_text().unwrap().into_owned();
        assert_eq!(read, nasty.as_bytes());
        let escaped = uri("sip:b.example").as_sip().unwrap().clone().with_user(nasty);
        assert!(Request::builder(Method::INVITE, &escaped.into()).build().is_ok());
    }
}

/// What the build was refused for, if it was a header field.
fn refused(builder: RequestBuilder) -> Option<HeaderName> {
    match builder.build() {
        Err(BuildError::Header(error)) => error.header(),
        Err(error) => panic!("{error}"),
        Ok(request) => panic!("{}", text(&request)),
    }
}

#[test]
fn a_value_that_would_pass_for_more_is_refused() {
    let to = |address: &str| To::new(uri(address));
    for tag in ["x;y=1, <sip:evil@e>", "x;y=1", "x, <sip:evil@e>", "", " x", "\"x\";y=\"\""] {
        let builder = invite().replace(&to("sip:a@b.example").with_tag(tag));
        assert_eq!(refused(builder), Some(HeaderName::TO), "{tag}");
        let via = Via::new("UDP", "h.example".parse().unwrap(), None).with_branch(tag);
        assert_eq!(refused(invite().prepend(&via)), Some(HeaderName::VIA), "{tag}");
        assert_eq!(refused(invite().replace_first(&via)), Some(HeaderName::VIA), "{tag}");
    }
    let via = Via::new("UDP evil.example;x=", "h.example".parse().unwrap(), None);
    assert_eq!(refused(invite().header(&via)), Some(HeaderName::VIA));
    let host = SipUri::new(Host::Name("b.example>;tag=z;x=\"".into()));
    let mut hosted = To::new(Uri::Sip(host));
    hosted.parameters.set("y", Some("\""));
    assert_eq!(refused(invite().replace(&hosted)), Some(HeaderName::TO));
    let mut comment = RetryAfter::new(5);
    comment.comment = Some("(a);duration=1".into());
    assert_eq!(refused(invite().header(&comment)), Some(HeaderName::RETRY_AFTER));
    let mut reason = Reason::sip(StatusCode::OK, "x");
    reason.parameters.set("a;b", None::<Text>);
    assert_eq!(refused(invite().header(&reason)), Some(HeaderName::REASON));
    let date = Date { unix_seconds: u64::MAX };
    assert_eq!(refused(invite().header(&date)), Some(HeaderName::DATE));
    assert_eq!(refused(invite().replace(&CallId("a b".into()))), Some(HeaderName::CALL_ID));
}

#[test]
fn no_element_of_a_list_passes_for_two() {
    let nasty = Require("100rel, evil".into());
    let builder = invite().list(&[Require("a".into()), nasty.clone()]);
    assert_eq!(refused(builder), Some(HeaderName::REQUIRE));
    assert_eq!(refused(invite().header(&nasty)), Some(HeaderName::REQUIRE));
    assert_eq!(refused(invite().list::<Require>(&[])), Some(HeaderName::REQUIRE));
    assert!(invite().list::<Supported>(&[]).build().is_ok());
    let two = [Subject("a".into()), Subject("b".into())];
    assert_eq!(refused(invite().list(&two)), Some(HeaderName::SUBJECT));
    let mut accept: MediaType = "a/b".parse().unwrap();
    accept.subtype = "b, c/d".into();
    assert_eq!(refused(invite().header(&Accept(accept))), Some(HeaderName::ACCEPT));
}

#[test]
fn all_contacts_stand_alone() {
    let some = Contact::new(uri("sip:a@b.example"));
    assert_eq!(refused(invite().list(&[Contact::Star, some.clone()])), Some(HeaderName::CONTACT));
    assert_eq!(refused(invite().list(&[some, Contact::Star])), Some(HeaderName::CONTACT));
    for (row, is_star) in [("*", true), ("* , ", true), ("*, <sip:a>", false), ("*, *", false)] {
        let request = invite().raw(HeaderName::CONTACT, row).build().unwrap();
        let read = request.header::<Contact>();
        assert_eq!(read.is_ok_and(|star| star == Some(Contact::Star)), is_star, "{row}");
    }
    assert!(invite().header(&Contact::Star).build().is_ok());
}

#[test]
fn challenges_and_credentials_have_a_row_each() {
    let challenge = |realm: &str| WwwAuthenticate::new(DigestChallenge::new(realm, "n"));
    let both = [challenge("a"), challenge("b")];
    assert_eq!(refused(invite().list(&both)), Some(HeaderName::WWW_AUTHENTICATE));
    assert!(invite().list(&both[..1]).build().is_ok());
    let request = invite().header(&both[0]).header(&both[1]).build().unwrap();
    assert!(request.headers_of::<WwwAuthenticate>().map(Result::unwrap).eq(both));
}

#[test]
fn a_refusal_names_the_header_field_and_the_reason() {
    let to = To::new(uri("sip:a@b.example")).with_tag("x;y=1, <sip:evil@e>");
    let error = invite().replace(&to).build().unwrap_err();
    let expected = "a header field would not be read as it is meant: \
        byte 27 in To: expected the end of the value (RFC 3261 §20.39)";
    assert_eq!(error.to_string(), expected);
    let row = invite().remove(HeaderName::TO).header(&to).replace(&To::new(uri("sip:a@b.example")));
    assert!(row.build().is_ok(), "a value that is taken out again does no harm");
}

#[test]
fn a_tag_and_a_content_type_must_follow_their_grammar() {
    let reply = Response::builder(StatusCode::OK).raw(HeaderName::TO, "<sip:a@b.example>");
    let error = reply.to_tag("x;y=1").build().unwrap_err();
    assert!(error.to_string().contains("in To: expected a token as the tag"), "{error}");
    assert_eq!(refused(invite().body("text", "x")), Some(HeaderName::CONTENT_TYPE));
}

#[test]
fn a_user_and_a_password_stay_in_their_place() {
    for nasty in ["a>;tag=z", "a@evil.example", "a:b", "%", "%4", "%%41", "%zz", "é", "<\"\r\n, "]
    {
        let mut target = sip("sip:a:b@h.example");
        target.user = Some(nasty.into());
        target.password = Some(nasty.into());
        let address: Uri = target.clone().into();
        let contact = Contact::new(address.clone());
        let request = invite().uri(&address).header(&contact).build().unwrap();
        assert_eq!(request.header::<Contact>().unwrap(), Some(contact));
        let read = request.uri().unwrap();
        assert_eq!(read, address);
        let read = read.as_sip().unwrap();
        assert_eq!((&read.host, &read.user_text()), (&target.host, &target.user_text()));
        assert!(read.password.is_some() && read.parameters.is_empty());
        assert_eq!(read.to_string(), address.to_string(), "what is escaped is not escaped again");
    }
    let kept = "sip:%00a%4a;x:%20@h.example;p=%3b?to=%3Ca%3e&x=";
    assert_eq!(uri(kept).to_string(), kept);
}

#[test]
fn the_request_uri_is_read_back_before_it_is_taken() {
    let injected = [Host::Name("h.example;lr".into()), Host::Name("a@h.example".into())];
    for host in injected {
        let target = Uri::Sip(SipUri::new(host));
        let new = Request::builder(Method::INVITE, &target).build().unwrap_err();
        assert!(matches!(new, BuildError::Uri(_)), "{new}");
        assert_eq!(invite().uri(&target).build().unwrap_err(), new);
        assert!(invite().uri(&target).uri(&uri("sip:h.example")).build().is_ok());
    }
    let mut target = sip("sip:h.example");
    target.parameters.set("a;lr", Some("b;maddr=192.0.2.1?x=y"));
    target.headers = Some("x=y>;tag".into());
    let request = Request::builder(Method::INVITE, &target.clone().into()).build().unwrap();
    let read = request.uri().unwrap();
    assert_eq!(read, target.into());
    let read = read.as_sip().unwrap();
    assert_eq!((read.is_loose_router(), read.parameters.len()), (false, 1));
}

#[test]
fn white_space_around_free_text_is_no_mistake() {
    let request = invite().header(&Subject(" a b ".into())).build().unwrap();
    assert_eq!(request.header().unwrap(), Some(Subject("a b".into())));
}

#[test]
fn control_characters_in_the_reason_of_a_peer_are_not_written_again() {
    let bytes = Bytes::from_static(b"SIP/2.0 486 a\x01b\x7f\r\nContent-Length: 0\r\n\r\n");
    let Message::Response(response) = Message::parse(bytes.clone()).unwrap() else { panic!() };
    assert_eq!(response.as_bytes(), &bytes);
    assert_eq!(response.edit().build().unwrap().reason(), "Busy Here");
    assert!(response.edit().reason("a\x01").build().is_err());
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
fn a_list_that_is_no_text_loses_its_first_value_only() {
    let message =
        b"BYE sip:a@b.example SIP/2.0\r\nroute : <sip:a>;x=\"\xff,\", <sip:b>,\r\n <sip:c>\r\n\r\n";
    let Message::Request(request) = Message::parse(Bytes::from_static(message)).unwrap() else {
        panic!()
    };
    let request = request.edit().remove_first::<Route>().build().unwrap();
    assert_eq!(request.headers().get_raw(HeaderName::ROUTE), Some(&b"<sip:b>,\r\n <sip:c>"[..]));
}

#[test]
fn debug_output_of_a_builder_holds_no_values() {
    let builder = invite().raw(HeaderName::AUTHORIZATION, "Digest secret").body("a/b", "private");
    let shown = format!("{builder:?} {:?}", builder.clone().build().unwrap().edit());
    assert!(shown.contains("Authorization"), "{shown}");
    assert!(!shown.contains("secret") && !shown.contains("private"), "{shown}");
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
    fn a_value_of_any_text_is_refused_or_read_back(
        nasty in prop_oneof![".{0,12}", "([a-z%@:;=<>\"\\\\, ]|tag=|%4[0-9]|\0|\r\n){0,8}"],
        other in "[a-z;=\"<>@, ]{0,6}",
    ) {
        let mut address = sip("sip:h.example");
        address.user = Some(nasty.as_str().into());
        address.password = Some(other.as_str().into());
        let bare: Uri = address.into();
        let name_addr = NameAddr::new(bare.clone()).with_display_name(nasty.as_str());
        let mut to = To::new(name_addr.clone());
        to.parameters.set("x", Some(nasty.as_str()));
        to.parameters.set(other.as_str(), None::<Text>);
        let mut contact = Contact::new(name_addr.clone());
        if let Contact::Address { parameters, .. } = &mut contact {
            parameters.set_quoted("x", &nasty);
        }
        let mut target = sip("sip:h.example");
        target.parameters.set(nasty.as_str(), Some(other.as_str()));
        target.headers = Some(nasty.as_str().into());
        if let Ok(request) = invite().uri(&bare).build() {
            let read = request.uri().unwrap();
            prop_assert_eq!(&read, &bare);
            let (read, bare) = (read.as_sip().unwrap(), bare.as_sip().unwrap());
            prop_assert_eq!(read.user_text(), bare.user_text());
            prop_assert!(read.parameters.is_empty());
        } else {
            prop_assert!(nasty.is_empty(), "every user but an empty one can be written");
        }
        let target: Uri = target.into();
        if let Ok(request) = invite().uri(&target).build() {
            let read = request.uri().unwrap();
            prop_assert_eq!(read.as_sip().unwrap().parameters.len(), 1);
            prop_assert_eq!(read, target);
        }
        for tagged in [to.clone(), To::new(name_addr).with_tag(nasty.as_str())] {
            if let Ok(request) = invite().replace(&tagged).build() {
                prop_assert_eq!(request.header().unwrap(), Some(tagged));
                prop_assert_eq!(request.headers().len(), 7);
            }
        }
        if let Ok(request) = invite().list(&[contact.clone(), contact.clone()]).build() {
            let read: Vec<_> = request.headers_of::<Contact>().map(Result::unwrap).collect();
            prop_assert_eq!(read, [contact.clone(), contact]);
        }
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
