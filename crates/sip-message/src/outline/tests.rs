use bytes::Bytes;

use super::*;
use crate::{Message, Profile};

const ACK: &str = "ACK sip:bob@biloxi.example SIP/2.0\r\nV\t: SIP/2.0/UDP h.example\r\n \
    ;branch=z9hG4bKa\r\nf:<sip:a@b>;tag=1\r\nTO:<sip:c@d>;tag=2\r\nI:x\r\ncSeQ : 1\r\n\tACK\r\n\
    Max-Forwards: 70\r\nM: <sip:x@y>\r\nSubject: a\r\nl: 2\r\n\r\nhithere";

fn outline(text: &str) -> Result<Outline<'_>, ParseError> {
    Outline::of(text.as_bytes(), &ParseOptions::default())
}

#[test]
fn every_disguise_of_a_row_is_seen() {
    let outline = outline(ACK).unwrap();
    let start = StartLine::Request { method: "ACK", uri: "sip:bob@biloxi.example" };
    assert_eq!(outline.start_line, start);
    assert_eq!(outline.body, b"hi");
    let envelope = outline.envelope;
    assert_eq!((envelope.branch, envelope.call_id), (Some("z9hG4bKa"), "x"));
    assert_eq!((envelope.from_tag, envelope.to_tag), (Some("1"), Some("2")));
    assert_eq!((envelope.cseq, envelope.cseq_method), (1, "ACK"));
    assert_eq!(envelope.max_forwards, Some(70));
}

#[test]
fn what_is_no_message_has_no_outline() {
    for (from, to) in [
        ("l: 2", "l: 8"),
        ("l: 2", "l: x"),
        ("l: 2", "l: 2\r\nContent-Length: 2"),
        ("l: 2", "l: 99999999999999999999"),
        ("M: <", "Call-Id: x\r\nM: <"),
        ("\r\n\r\nhi", ""),
        ("ACK sip", "AC(K sip"),
        (" SIP/2.0\r\nV", "\r\nV"),
        ("Subject: a", "Subject: a\rb"),
        ("I:x", "I:"),
    ] {
        assert!(outline(&ACK.replacen(from, to, 1)).is_err(), "{from} → {to}");
    }
    let strict = ParseOptions::strict();
    assert!(Outline::of(ACK.replace("\r\n", "\n").as_bytes(), &strict).is_err());
    assert!(outline(&ACK.replace("\r\n", "\n")).is_ok());
}

#[test]
fn a_request_line_is_split_at_its_first_and_its_last_space() {
    for (line, expected) in [
        ("ACK sip:b SIP/2.0", Some(("ACK", "sip:b"))),
        ("ACK sip:b sip/2.0", Some(("ACK", "sip:b"))),
        ("ACK sip:b SIP/3.0", Some(("ACK", "sip:b"))),
        ("ACK  a b SIP/1.0 SIP/2.0", Some(("ACK", " a b SIP/1.0"))),
        ("ACK  SIP/2.0", Some(("ACK", ""))),
        ("ACK SIP/2.0", None),
        (" sip:b SIP/2.0", None),
        ("A(K sip:b SIP/2.0", None),
        ("ACK sip:b SIP/2.0 ", Some(("ACK", "sip:b"))),
    ] {
        let text = ACK.replacen("ACK sip:bob@biloxi.example SIP/2.0", line, 1);
        let found = outline(&text).ok().map(|outline| match outline.start_line {
            StartLine::Request { method, uri } => (method.to_owned(), uri.to_owned()),
            StartLine::Response { .. } => panic!("{line}"),
        });
        let expected = expected.map(|(method, uri)| (method.to_owned(), uri.to_owned()));
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn what_is_no_text_is_refused_at_its_place_and_only_where_it_is_read() {
    let with = |from: &str, to: &[u8]| {
        let at = ACK.find(from).unwrap();
        [&ACK.as_bytes()[..at], to, &ACK.as_bytes()[at + from.len()..]].concat()
    };
    let bytes = with("Subject: a", b"Subject: \xff");
    let unread = Outline::of(&bytes, &ParseOptions::default()).unwrap();
    assert_eq!(unread.envelope, outline(ACK).unwrap().envelope);
    let bytes = with("M: <sip:x@y>\r\nSubject: a", b"Subject: \xff\r\nM: <sip:x@y>");
    assert!(Outline::of(&bytes, &ParseOptions::default()).is_ok());
    let bytes = with("f:<sip:a@b>", b"Subject: \xff\r\nf:<sip:a@\xff>");
    let error = Outline::of(&bytes, &ParseOptions::default()).unwrap_err();
    assert_eq!(error.header(), Some(HeaderName::FROM));
    assert_eq!(Some(error.offset()), bytes.iter().rposition(|byte| *byte == 0xff));
    let bytes = with("f:<sip:a@b>;tag=1", b"Subject: \xff\r\nf:<sip:a@b>;tag=");
    let error = Outline::of(&bytes, &ParseOptions::default()).unwrap_err();
    let tag = bytes.windows(5).position(|bytes| bytes == b";tag=").unwrap();
    assert_eq!((error.header(), error.offset()), (Some(HeaderName::FROM), tag + 5));
}

#[test]
fn limits_hold() {
    let with = |limits| Outline::of(ACK.as_bytes(), &ParseOptions { limits, ..Default::default() });
    let limits = crate::Limits::default();
    assert_eq!(with(crate::Limits { headers: 9, ..limits }).err(), None);
    for limits in [
        crate::Limits { headers: 8, ..limits },
        crate::Limits { header: 20, ..limits },
        crate::Limits { start_line: 20, ..limits },
        crate::Limits { message: ACK.len() - 1, ..limits },
        crate::Limits { body: 1, ..limits },
    ] {
        let error = with(limits).unwrap_err();
        assert!(matches!(error.status().as_u16(), 413 | 414 | 513), "{error}");
    }
}

/// A message that is read in full has the outline that its envelope tells, and no other.
fn agrees(bytes: &Bytes, profile: Profile) {
    let options = ParseOptions { profile, ..Default::default() };
    let outline = Outline::of(bytes, &options);
    let Ok(message) = Message::parse_with(bytes.clone(), &options) else { return };
    let Ok(envelope) = message.envelope() else {
        return assert!(outline.is_err(), "{outline:?}");
    };
    let outline = outline.unwrap_or_else(|error| panic!("{error}: {message:?}"));
    assert_eq!(outline.envelope, envelope);
    assert_eq!(outline.body, message.body());
    match (&message, outline.start_line) {
        (Message::Request(request), StartLine::Request { method, uri }) => {
            assert_eq!((request.method().as_str(), request.uri_text()), (method, uri));
        }
        (Message::Response(response), StartLine::Response { status }) => {
            assert_eq!(response.status(), status);
        }
        (message, start) => panic!("{start:?}: {message:?}"),
    }
}

#[test]
fn the_outline_of_every_torture_message_is_that_of_the_parsed_one() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/");
    let mut files = 0;
    for set in ["rfc4475/messages", "rfc5118/messages"] {
        for file in std::fs::read_dir(format!("{folder}{set}")).unwrap() {
            let bytes = Bytes::from(std::fs::read(file.unwrap().path()).unwrap());
            files += 1;
            for profile in [Profile::Tolerant, Profile::Strict] {
                for length in (0..=bytes.len()).rev().step_by(7) {
                    agrees(&bytes.slice(..length), profile);
                }
                for (at, nasty) in (0..bytes.len()).zip(b"\0\r\n\t :;\"<>,%\xff".iter().cycle()) {
                    let mut changed = bytes.to_vec();
                    changed[at] = *nasty;
                    agrees(&changed.into(), profile);
                }
            }
        }
    }
    assert!(files >= 61, "{files}");
}
