//! The messages of RFC 3261 §24, RFC 3665, RFC 5359, RFC 4475 and RFC 5118 through every parser.
#![cfg(test)]

use std::{fs, path::PathBuf};

use bytes::Bytes;
use offhook_sip_message::*;
use serde_json::Value;

fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

fn json(path: &str) -> Value {
    serde_json::from_slice(&fs::read(data(path)).unwrap()).unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

/// Name and bytes of each message of the flows.
fn flow_messages() -> Vec<(String, Bytes)> {
    let mut messages = Vec::new();
    for rfc in ["rfc3261-flows", "rfc3665", "rfc5359"] {
        for flow in json(&format!("{rfc}/flows.json"))["flows"].as_array().unwrap() {
            for message in flow["messages"].as_array().unwrap() {
                let path = format!("{rfc}/{}", text(message, "file"));
                let bytes = fs::read(data(&path)).unwrap().into();
                messages.push((path, bytes));
            }
        }
    }
    messages
}

struct Torture {
    name: String,
    manifest: Value,
    bytes: Bytes,
}

fn torture_messages() -> Vec<Torture> {
    let mut messages = Vec::new();
    for rfc in ["rfc4475", "rfc5118"] {
        for manifest in json(&format!("{rfc}/manifest.json"))["messages"].as_array().unwrap() {
            messages.push(Torture {
                name: text(manifest, "name").to_owned(),
                bytes: fs::read(data(&format!("{rfc}/{}", text(manifest, "file")))).unwrap().into(),
                manifest: manifest.clone(),
            });
        }
    }
    messages
}

fn torture(name: &str) -> Bytes {
    torture_messages().into_iter().find(|message| message.name == name).unwrap().bytes
}

fn request(bytes: &Bytes) -> Request {
    match Message::parse(bytes.clone()).unwrap_or_else(|error| panic!("{}", error.caret(bytes))) {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a response"),
    }
}

/// What becomes of a message: accepted, or the status to answer with, or dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Outcome {
    Accepted,
    Refused(u16),
    Dropped,
}

fn outcome(bytes: &Bytes, options: &ParseOptions) -> Outcome {
    match Message::parse_with(bytes.clone(), options) {
        Ok(Message::Request(request)) => match ValidRequest::new(request, options) {
            Ok(_) => Outcome::Accepted,
            Err(rejection) => Outcome::Refused(rejection.status.as_u16()),
        },
        Ok(Message::Response(response)) => match ValidResponse::new(response, options) {
            Ok(_) => Outcome::Accepted,
            Err(_) => Outcome::Dropped,
        },
        Err(error) => match Rejection::salvage(bytes, options, error) {
            Some(rejection) => Outcome::Refused(rejection.status.as_u16()),
            None => Outcome::Dropped,
        },
    }
}

#[test]
fn every_flow_message_is_strictly_valid_and_written_back_as_it_came() {
    let messages = flow_messages();
    assert_eq!(messages.len(), 533);
    for (path, bytes) in messages {
        let message = Message::parse_with(bytes.clone(), &ParseOptions::strict())
            .unwrap_or_else(|error| panic!("{path}:\n{}", error.caret(&bytes)));
        assert_eq!(message.as_bytes(), &bytes, "{path}");
        assert_eq!(outcome(&bytes, &ParseOptions::strict()), Outcome::Accepted, "{path}");
        let errors = typed_errors(&message);
        // Its credentials have a qop in quotes, and no cnonce and no nc to go with it.
        let misprints = usize::from(path == "rfc3665/2.2/01-register.sip");
        assert_eq!(errors.len(), misprints, "{path}: {errors:?}");
    }
}

#[test]
fn an_edit_without_changes_writes_the_same_message() {
    for (path, bytes) in flow_messages() {
        let written = match Message::parse(bytes.clone()).unwrap() {
            Message::Request(request) => request.edit().build().unwrap().as_bytes().clone(),
            Message::Response(response) => response.edit().build().unwrap().as_bytes().clone(),
        };
        assert_eq!(written, bytes, "{path}");
    }
}

#[test]
fn every_typed_header_of_the_flows_survives_being_written_and_read() {
    for (path, bytes) in flow_messages() {
        let message = Message::parse(bytes).unwrap();
        round_trip::<Via>(&message, &path);
        round_trip::<From>(&message, &path);
        round_trip::<To>(&message, &path);
        round_trip::<Contact>(&message, &path);
        round_trip::<Route>(&message, &path);
        round_trip::<RecordRoute>(&message, &path);
        round_trip::<CSeq>(&message, &path);
        round_trip::<CallId>(&message, &path);
        round_trip::<MaxForwards>(&message, &path);
        round_trip::<ContentType>(&message, &path);
        round_trip::<Allow>(&message, &path);
        round_trip::<Supported>(&message, &path);
        round_trip::<ReferTo>(&message, &path);
        round_trip::<WwwAuthenticate>(&message, &path);
        round_trip::<ProxyAuthenticate>(&message, &path);
        round_trip::<Authorization>(&message, &path);
        round_trip::<ProxyAuthorization>(&message, &path);
    }
}

fn round_trip<H: Header + PartialEq + std::fmt::Debug>(message: &Message, path: &str) {
    for value in message.headers_of::<H>() {
        let value = value.unwrap();
        let mut written = String::new();
        value.write(&mut written);
        assert_eq!(H::parse(&written.into()).unwrap(), value, "{path}");
    }
}

#[test]
fn every_torture_message_comes_to_what_its_manifest_says() {
    for message in torture_messages() {
        let outcome = outcome(&message.bytes, &ParseOptions::default());
        let codes = message.manifest["response_codes"].as_array();
        let codes: Vec<_> =
            codes.into_iter().flatten().map(|code| code.as_u64().unwrap()).collect();
        let named = |status: u16| codes.contains(&u64::from(status));
        let fits = match (text(&message.manifest, "action"), &outcome) {
            ("accept", Outcome::Accepted) => true,
            ("reject", Outcome::Refused(status)) => named(*status),
            ("reject-or-repair", Outcome::Refused(status)) => named(*status),
            ("reject-or-repair", Outcome::Accepted) => REPAIRED.contains(&&*message.name),
            // What is wrong with these is for the element behind the parser to see.
            ("accept-then-reject", Outcome::Accepted) => true,
            ("accept-then-reject", Outcome::Refused(status)) => named(*status),
            // It parses: dropping it is up to who sees its second Via.
            ("discard", Outcome::Accepted) => message.name == "bcast",
            ("discard", Outcome::Dropped) => true,
            _ => false,
        };
        assert!(fits, "{}: {outcome:?}, expected {}", message.name, message.manifest);
    }
}

/// Messages that may be refused and that are taken all the same: what is wrong with them costs one
/// header field, not the request.
const REPAIRED: [&str; 3] = ["baddate", "regbadct", "badbranch"];

#[test]
fn rejected_torture_requests_are_answered_where_an_answer_finds_its_way() {
    for message in torture_messages() {
        let options = ParseOptions::default();
        let rejection = match Message::parse(message.bytes.clone()) {
            Ok(Message::Request(request)) => match ValidRequest::new(request, &options) {
                Ok(_) => continue,
                Err(rejection) => rejection,
            },
            Ok(Message::Response(_)) => continue,
            Err(error) => match Rejection::salvage(&message.bytes, &options, error) {
                Some(rejection) => rejection,
                None => continue,
            },
        };
        let response = rejection.response();
        assert_eq!(response.is_some(), message.name != "insuf", "{}", message.name);
        let Some(response) = response else { continue };
        assert_eq!(response.status(), rejection.status);
        let vias = rejection.request().headers().count(HeaderName::VIA);
        assert_eq!(response.headers().count(HeaderName::VIA), vias, "{}", message.name);
        for name in [HeaderName::FROM, HeaderName::TO, HeaderName::CALL_ID, HeaderName::CSEQ] {
            let copied = rejection.request().headers().get_raw(name.clone());
            assert_eq!(response.headers().get_raw(name), copied, "{}", message.name);
        }
    }
}

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

/// Every typed header through the values that are there; the errors that come of it.
fn typed_errors(message: &Message) -> Vec<ParseError> {
    fn all<H: Header>(message: &Message, errors: &mut Vec<ParseError>) {
        errors.extend(message.headers_of::<H>().filter_map(Result::err));
    }
    let mut errors = Vec::new();
    macro_rules! each { ($($header:ty)*) => { $(all::<$header>(message, &mut errors);)* } }
    each! {
        Via From To Contact Route RecordRoute ReplyTo Path ServiceRoute ReferTo ReferredBy
        PAssertedIdentity CSeq CallId ContentType ContentLength ContentDisposition ContentEncoding
        Accept Date Timestamp MaxForwards Expires MinExpires RSeq RetryAfter Allow AllowEvents
        Supported Require ProxyRequire Unsupported Reason Warning UserAgent Server Subject
        Organization Priority
        AcceptEncoding AcceptLanguage ContentLanguage MimeVersion AlertInfo CallInfo ErrorInfo
        InReplyTo Event SubscriptionState SipEtag SipIfMatch SuppressIfMatch InfoPackage RecvInfo
        RAck SessionExpires MinSe MaxBreadth FlowTimer Replaces Join TargetDialog ReferSub
        AnswerMode PrivAnswerMode Diversion HistoryInfo AcceptContact RejectContact FeatureCaps
        RequestDisposition
        WwwAuthenticate ProxyAuthenticate Authorization ProxyAuthorization AuthenticationInfo
        SecurityClient SecurityServer SecurityVerify Identity Privacy PPreferredIdentity SessionId
        UserToUser ResourcePriority AcceptResourcePriority Geolocation GeolocationRouting
        GeolocationError PAssociatedUri PCalledPartyId PVisitedNetworkId PAccessNetworkInfo
        PChargingVector PChargingFunctionAddresses PEarlyMedia PServedUser PermissionMissing
        TriggerConsent
    }
    errors
}

/// Runs `bytes` through all parsers, in both profiles.
fn everything(bytes: &Bytes) {
    for options in [ParseOptions::default(), ParseOptions::strict()] {
        match Message::parse_with(bytes.clone(), &options) {
            Ok(message) => {
                for error in typed_errors(&message) {
                    assert!(error.offset() <= bytes.len());
                    assert!(error.caret(message.as_bytes()).contains('^'));
                }
                let Message::Request(request) = message else {
                    continue;
                };
                let _ = request.uri();
                if let Err(rejection) = ValidRequest::new(request, &options) {
                    assert!(rejection.error.offset() <= bytes.len());
                    let _ = rejection.response();
                }
            }
            Err(error) => {
                assert!(error.offset() <= bytes.len(), "{error}");
                assert!(error.caret(bytes).contains('^'));
                let _ = Rejection::salvage(bytes, &options, error).map(|found| found.response());
            }
        }
    }
    let mixed: MediaType = "multipart/mixed;boundary=7a9cbec02ceef655".parse().unwrap();
    for options in [ParseOptions::default(), ParseOptions::strict()] {
        let fragment = Sipfrag::parse_with(bytes, &options).map(drop);
        let parts = Multipart::parse_with(&mixed, bytes, &options).map(drop);
        for error in [fragment, parts].into_iter().filter_map(Result::err) {
            assert!(error.offset() <= bytes.len());
        }
    }
    let mut framer = Framer::new(Limits::default());
    framer.push(bytes);
    while let Ok(Some(_)) = framer.next() {}
    let _ = Frame::of_websocket(bytes.clone(), &Limits::default());
}

#[test]
fn the_reports_of_transfers_tell_their_status() {
    let mut reports = 0;
    for (path, bytes) in flow_messages() {
        let message = Message::parse(bytes).unwrap();
        let kind = message.header::<ContentType>().unwrap();
        if kind.is_some_and(|kind| kind.is("message/sipfrag")) {
            reports += 1;
            assert!(Sipfrag::parse(&message.body()).unwrap().status().is_some(), "{path}");
        }
    }
    assert_eq!(reports, 8);
}

fn a_few_messages() -> Vec<Bytes> {
    let flows = flow_messages();
    let mut bytes: Vec<Bytes> =
        torture_messages().into_iter().map(|message| message.bytes).collect();
    bytes.extend(flows.into_iter().step_by(40).map(|(_, bytes)| bytes));
    bytes
}

#[test]
fn no_prefix_of_any_message_panics() {
    for bytes in a_few_messages() {
        for length in 0..=bytes.len() {
            everything(&bytes.slice(..length));
        }
    }
}

#[test]
fn no_prefix_of_a_message_with_a_length_is_a_message() {
    for (path, bytes) in flow_messages().into_iter().step_by(7) {
        for length in 0..bytes.len() {
            assert!(Message::parse(bytes.slice(..length)).is_err(), "{path} cut at {length}");
        }
    }
}

#[test]
fn no_replaced_byte_panics() {
    let messages = ["wsinv", "intmeth", "badinv01", "unreason", "ipv4-mapped-ipv6"];
    for bytes in messages.map(torture) {
        for at in 0..bytes.len() {
            for nasty in *b"\0\r\n\t ,;:<>\"\\%@[(/=?\x7f\x80\xc3\xff" {
                let mut changed = bytes.to_vec();
                changed[at] = nasty;
                everything(&changed.into());
            }
        }
    }
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
fn a_stream_gives_the_same_frames_whole_and_byte_by_byte() {
    let mut stream = b"\r\n\r\n".to_vec();
    let mut messages = Vec::new();
    for (_, bytes) in flow_messages().into_iter().step_by(9) {
        stream.extend_from_slice(&bytes);
        messages.push(bytes);
        stream.extend_from_slice(&b"\r\n\r\n\r\n"[..2 * (messages.len() % 4)]);
    }
    let drain = |framer: &mut Framer, frames: &mut Vec<Frame>| {
        while let Some(frame) = framer.next().unwrap() {
            frames.push(frame);
        }
    };
    let (mut whole, mut single) = (Vec::new(), Vec::new());
    let mut framer = Framer::new(Limits::default());
    framer.push(&stream);
    drain(&mut framer, &mut whole);
    let mut framer = Framer::new(Limits::default());
    for byte in stream {
        framer.push(&[byte]);
        drain(&mut framer, &mut single);
    }
    assert_eq!(whole, single);
    assert_eq!(whole[..2], [Frame::Pong, Frame::Ping]);
    let framed: Vec<_> = whole
        .into_iter()
        .filter_map(|frame| match frame {
            Frame::Message(bytes) => Some(bytes),
            Frame::Ping | Frame::Pong => None,
        })
        .collect();
    assert_eq!(framed, messages);
}

#[test]
fn every_torture_message_is_framed_or_refused_alike_whole_and_byte_by_byte() {
    for message in torture_messages() {
        let run = |chunk: usize| {
            let mut framer = Framer::new(Limits::default());
            let mut frames = Vec::new();
            for part in message.bytes.chunks(chunk) {
                framer.push(part);
                loop {
                    match framer.next() {
                        Ok(Some(frame)) => frames.push(Ok(frame)),
                        Ok(None) => break,
                        Err(error) => {
                            frames.push(Err(error));
                            return frames;
                        }
                    }
                }
            }
            frames
        };
        assert_eq!(run(1), run(usize::MAX), "{}", message.name);
    }
}
