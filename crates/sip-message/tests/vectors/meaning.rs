//! What single vectors mean, part by part.

use bytes::Bytes;
use offhook_sip_message::*;

use crate::load::{all_messages, request, torture};

#[test]
fn the_short_tortuous_invite_reads_as_it_is_meant() {
    let bytes = torture("wsinv");
    let request = ValidRequest::new(request(&bytes), &ParseOptions::default()).unwrap();
    assert_eq!(request.as_bytes(), &bytes);
    assert_eq!(request.request_uri().to_string(), "sip:vivekg@chair-dnrc.example.com;unknownparam");
    assert_eq!(request.to().tag(), Some("1918181833n"));
    assert_eq!(request.from().address.display_name.as_deref(), Some("J Rosenberg \\\""));
    assert_eq!(request.max_forwards(), Some(68));
    assert_eq!(request.cseq(), &CSeq { number: 9, method: Method::INVITE });
    let vias: Vec<Via> = request.headers_of().collect::<Result<_, _>>().unwrap();
    let branches: Vec<_> = vias.iter().map(|via| via.branch().unwrap()).collect();
    assert_eq!(branches, ["390skdjuw", "z9hG4bK9ikj8", "z9hG4bK30239"]);
    assert_eq!(vias[1].transport, "TCP");
    let name = HeaderName::new("newfangledheader").unwrap();
    let value = request.headers().texts(name).next().unwrap().unwrap();
    assert_eq!(value, "newfangled value continued newfangled value");
    let name = HeaderName::new("UnknownHeaderWithUnusualValue").unwrap();
    assert_eq!(request.headers().get_raw(name), Some(&b";;,,;;,;"[..]));
    let contact = request.header::<Contact>().unwrap().unwrap();
    let Contact::Address { address, parameters } = contact else { panic!("a star") };
    assert_eq!(address.display_name.as_deref(), Some("Quoted string \"\""));
    assert_eq!(parameters.value("newparam"), Some("newvalue"));
    assert_eq!(parameters.get("secondparam"), Some(None));
    assert_eq!(parameters.value("q"), Some("0.33"));
    assert_eq!(request.body().len(), 150);
}

#[test]
fn octets_after_the_content_length_are_dropped() {
    let bytes = torture("dblreq");
    let request = request(&bytes);
    assert_eq!(request.method(), Method::REGISTER);
    assert!(request.as_bytes().len() < bytes.len());
    assert!(request.as_bytes().ends_with(b"Content-Length: 0\r\n\r\n"));
    assert!(request.body().is_empty());
}

#[test]
fn unusual_characters_are_what_they_are() {
    let request = request(&torture("intmeth"));
    assert_eq!(request.method().as_str(), "!interesting-Method0123456789_*+`.%indeed'~");
    let to = request.header::<To>().unwrap().unwrap();
    assert_eq!(to.address.display_name.as_deref(), Some("BEL:\u{7} NUL:\0 DEL:\u{7f}"));
    let from = request.header::<From>().unwrap().unwrap();
    assert_eq!(from.address.display_name.as_deref(), Some("token1~` token2'+_ token3*%!.-"));
    assert_eq!(from.tag(), Some("_token~1'+`*%!-."));
    let contacts = self::request(&torture("esc02"));
    assert_eq!(contacts.headers_of::<Contact>().count(), 2);
    let contacts: Vec<_> = self::request(&torture("escnull")).headers_of::<Contact>().collect();
    assert_ne!(contacts[0].as_ref().unwrap().uri(), contacts[1].as_ref().unwrap().uri());
}

#[test]
fn contact_parameters_are_not_those_of_the_uri() {
    let contact = |name| request(&torture(name)).header::<Contact>().unwrap().unwrap();
    assert!(contact("cparam01").parameters().unwrap().contains("unknownparam"));
    assert!(contact("cparam02").parameters().unwrap().is_empty());
    assert!(
        contact("cparam02").uri().unwrap().as_sip().unwrap().parameters.contains("unknownparam")
    );
    assert_eq!(contact("regescrt").uri().unwrap().as_sip().unwrap().header_fields().count(), 1);
    let refused = request(&torture("regbadct")).header::<Contact>().unwrap_err();
    assert_eq!(refused.header(), Some(HeaderName::CONTACT));
}

#[test]
fn reason_phrases_are_text_of_any_language_or_nothing() {
    let reason = |name| match Message::parse(torture(name)).unwrap() {
        Message::Response(response) => response.reason().to_owned(),
        Message::Request(_) => panic!("a request"),
    };
    assert!(reason("unreason").starts_with("= 2**3 * 5**2 но сто девяносто девять"));
    assert_eq!(reason("noreason"), "");
}

#[test]
fn addresses_of_ipv6_are_read_with_and_without_brackets() {
    let via = |name| request(&torture(name)).header::<Via>().unwrap().unwrap();
    let received = "2001:db8::9:255".parse().unwrap();
    assert_eq!(via("via-received-param-no-delim").received(), Some(received));
    assert_eq!(via("via-received-param-with-delim").received(), Some(received));
    assert_eq!(via("ipv4-mapped-ipv6").port, Some(19823));
}

#[test]
fn a_byte_that_is_no_text_costs_its_header_only() {
    let bytes =
        b"OPTIONS sip:a@b.example SIP/2.0\r\nVia: SIP/2.0/UDP h.example;branch=z9hG4bK1\r\n\
        From: <sip:c@d.example>;tag=1\r\nTo: <sip:a@b.example>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\
        Subject: caf\xe9\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n";
    let request = request(&Bytes::from_static(bytes));
    let error = request.header::<Subject>().unwrap_err();
    assert_eq!(bytes[error.offset()], 0xe9);
    assert_eq!(request.headers().get_raw(HeaderName::SUBJECT), Some(&b"caf\xe9"[..]));
    assert!(ValidRequest::new(request, &ParseOptions::default()).is_ok());
    assert!(Message::parse_with(Bytes::from_static(bytes), &ParseOptions::strict()).is_err());
}

#[test]
fn the_signature_of_an_old_signer_is_read() {
    let identity: Identity = request(&torture("mpart01")).header().unwrap().unwrap();
    assert!(identity.info.is_none() && identity.signed_identity_digest.ends_with("teeivUhkMWYUA="));
}

#[test]
fn a_received_request_is_as_if_it_had_been_sent_with_what_is_noted() {
    let options = ParseOptions::default();
    let mut tried = 0;
    for (name, bytes) in all_messages() {
        let Ok(Message::Request(request)) = Message::parse(bytes) else { continue };
        let Ok(request) = ValidRequest::new(request, &options) else { continue };
        let mut via = request.via().clone();
        if via.has_rport() {
            via.set_rport(4_711);
        }
        via.set_received("192.0.2.99".parse().unwrap());
        let noted = request.clone().received_from("192.0.2.99:4711".parse().unwrap());
        let again = Message::parse(noted.as_bytes().clone()).unwrap();
        let Message::Request(again) = again else { panic!("{name}: a response") };
        let again = ValidRequest::new(again, &options).unwrap();
        assert_eq!((noted.via(), again.via()), (&via, &via), "{name}");
        assert_eq!((noted.from(), noted.to()), (again.from(), again.to()), "{name}");
        assert_eq!(noted.call_id(), again.call_id(), "{name}");
        assert_eq!(noted.cseq(), again.cseq(), "{name}");
        assert_eq!(noted.request_uri(), again.request_uri(), "{name}");
        assert_eq!(noted.max_forwards(), again.max_forwards(), "{name}");
        let vias = |request: &ValidRequest| request.headers_of::<Via>().flatten().count();
        assert_eq!(vias(&noted), vias(&request), "{name}");
        assert_eq!(noted.body(), request.body(), "{name}");
        tried += 1;
    }
    assert!(tried > 100, "{tried}");
}
