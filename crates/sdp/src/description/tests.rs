use std::time::Duration;

use bytes::Bytes;

use super::*;
use crate::error::ParseError;

const ORIGIN: &str = "o=- 1 1 IN IP4 192.0.2.1";

fn parse(lines: &[&str]) -> Result<SessionDescription, ParseError> {
    SessionDescription::parse(lines.join("\r\n").as_bytes())
}

fn stream(lines: &[&str]) -> MediaDescription {
    let lines = [&["v=0", ORIGIN, "m=audio 4000 RTP/AVP 0 96"], lines].concat();
    parse(&lines).unwrap().media.remove(0)
}

fn place(error: ParseError) -> (usize, usize) {
    (error.line, error.column)
}

#[test]
fn odd_but_harmless_text_is_read_and_written_back() {
    for text in [
        "v=0\no=- 1 1 IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0\n",
        "v=0 \r\no=-  1 1 IN IP4 192.0.2.1 \r\nt=0 0\r\nc=IN IP4 192.0.2.1\t\r\n",
        "v=0\r\no=- 1 1 IN IP4 h\r\ns=\r\nX=what\r\ny=\r\n\r\nm=audio 0 RTP/AVP 0\r\nq=1\r\n\r\n",
        "v=0\r\no=- 1 1 IN IP4 h\r\na=\r\na=:\r\na=rtpmap:x\r\na=no token here\r\na=ptime:0",
    ] {
        let session = SessionDescription::parse(text.as_bytes()).unwrap();
        assert_eq!(session.to_bytes(), text.as_bytes(), "{text}");
    }
}

#[test]
fn text_in_another_character_set_is_kept() {
    let text = b"v=0\r\no=J\xfcrgen 1 1 IN IP4 h\r\ns=Gr\xfc\xdfe\r\na=x:\xff\r\n";
    let session = SessionDescription::parse(text).unwrap();
    assert_eq!(session.to_bytes(), &text[..]);
    assert_eq!(session.origin().session_id, "1");
}

#[test]
fn a_line_added_behind_an_unfinished_one_begins_on_its_own_line() {
    let mut session = SessionDescription::parse(b"v=0\no=- 1 1 IN IP4 h").unwrap();
    session.add(Attribute::RtcpMux).unwrap();
    assert_eq!(session.to_string(), "v=0\no=- 1 1 IN IP4 h\r\na=rtcp-mux\r\n");
}

#[test]
fn each_refusal_says_where() {
    let at = |lines: &[&str]| place(parse(lines).unwrap_err());
    assert_eq!(at(&["v=1"]), (1, 3));
    assert_eq!(at(&[ORIGIN]), (1, 1));
    assert_eq!(at(&["v=0", "s=-"]), (3, 1));
    assert_eq!(at(&["v=0", "o=- x 1 IN IP4 h"]), (2, 5));
    assert_eq!(at(&["v=0", "o=- 1 1 IN IP4"]), (2, 15));
    assert_eq!(at(&["v=0", ORIGIN, ORIGIN]), (3, 1));
    assert_eq!(at(&["v=0", ORIGIN, "v=0"]), (3, 1));
    assert_eq!(at(&["v=0", ORIGIN, "hello"]), (3, 1));
    assert_eq!(at(&["v=0", ORIGIN, "s=a\rb"]), (3, 4));
    assert_eq!(at(&["v=0", ORIGIN, "s=a\0b"]), (3, 4));
    assert_eq!(at(&["v=0", ORIGIN, "c=IN IP4"]), (3, 9));
    assert_eq!(at(&["v=0", ORIGIN, "m=audio 65536 RTP/AVP 0"]), (3, 9));
    assert_eq!(at(&["v=0", ORIGIN, "m=audio +1 RTP/AVP 0"]), (3, 9));
    assert_eq!(at(&["v=0", ORIGIN, "m=audio 1 RTP/AVP"]), (3, 18));
}

#[test]
fn a_refusal_is_one_line_with_the_clause() {
    let error = parse(&["v=0", "o=- x 1 IN IP4 h"]).unwrap_err();
    let text = "line 2, column 5: a numeric session id expected (RFC 8866 §5.2)";
    assert_eq!(error.to_string(), text);
}

#[test]
fn sizes_are_bounded() {
    let text = |lines: usize, media: usize| {
        let head = format!("v=0\r\n{ORIGIN}\r\n");
        head + &"a=x\r\n".repeat(lines) + &"m=audio 0 RTP/AVP 0\r\n".repeat(media)
    };
    let parse = |text: String| SessionDescription::parse(text.as_bytes()).map(|_| ());
    assert_eq!(parse(text(998, 0)), Ok(()));
    assert_eq!(place(parse(text(999, 0)).unwrap_err()), (1001, 1));
    assert_eq!(parse(text(0, 64)), Ok(()));
    assert_eq!(place(parse(text(0, 65)).unwrap_err()), (67, 1));
    let long = |length| format!("v=0\r\n{ORIGIN}\r\ns={}", "x".repeat(length));
    let head = long(0).len();
    assert_eq!(parse(long(65_536 - head)), Ok(()));
    assert!(parse(long(65_537 - head)).is_err());
}

#[test]
fn attributes_are_typed() {
    let media = stream(&[
        "a=rtpmap:96 opus/48000/2",
        "a=fmtp:96 useinbandfec=1; stereo=0",
        "a=ptime:20 ",
        "a=maxptime:2.5",
        "a=recvonly",
        "a=rtcp:4100 IN IP6 2001:db8::1",
        "a=rtcp-mux",
    ]);
    let map = media.rtpmap(96).unwrap();
    assert_eq!((&*map.encoding, map.clock_rate, map.channels), ("opus", 48000, 2));
    assert_eq!(media.format_parameters("96").unwrap(), "useinbandfec=1; stereo=0");
    assert_eq!(media.ptime(), Some(Duration::from_millis(20)));
    assert_eq!(media.max_ptime(), Some(Duration::from_micros(2500)));
    assert_eq!(media.direction(), Some(Direction::RecvOnly));
    let rtcp = media.rtcp().unwrap();
    assert_eq!(rtcp.port, 4100);
    let address = Address::Ip("2001:db8::1".parse().unwrap());
    assert_eq!(rtcp.connection.as_ref().unwrap().address, address);
    assert!(media.rtcp_mux());
}

#[test]
fn what_cannot_be_read_stays_text_and_means_nothing() {
    let media = stream(&[
        "a=rtpmap:128 PCMU/8000",
        "a=rtpmap:96 PCMU/0",
        "a=rtpmap:96 PCMU/+8000",
        "a=rtpmap:96 PC MU/8000",
        "a=ptime:-20",
        "a=ptime:1e1",
        "a=maxptime:0.0",
        "a=rtcp:70000",
        "a=rtcp:4000 IN",
        "a=SendOnly",
        "a=rtcp-mux:1",
    ]);
    assert!(media.attributes().all(|it| matches!(it, Attribute::Other { .. })));
    assert_eq!(media.attributes().count(), 11);
    assert_eq!((media.ptime(), media.rtcp(), media.direction()), (None, None, None));
}

#[test]
fn what_is_built_can_be_read() {
    let origin = parse(&["v=0", ORIGIN]).unwrap().origin().clone();
    let connection = Connection::to("2001:db8::1".parse().unwrap());
    let mut session = SessionDescription::new(origin, connection).unwrap();
    let line = stream(&[]).media().clone();
    let mut media = MediaDescription::new(line).unwrap();
    for time in [Duration::from_millis(20), Duration::from_micros(2500), Duration::from_nanos(1)] {
        media.add(Field::Attribute(Attribute::Ptime(time))).unwrap();
    }
    session.media.push(media);
    let read = SessionDescription::parse(&session.to_bytes()).unwrap();
    assert_eq!(read, session);
    assert_eq!(read.connection(), Some(&Connection::to("2001:db8::1".parse().unwrap())));
}

#[test]
fn a_value_cannot_smuggle_in_a_line() {
    let other = |name: &'static str| Attribute::Other { name: name.into(), value: None };
    for attribute in [
        other("x\r\na=inactive"),
        other("x\n"),
        other("x\0"),
        other("sendrecv"),
        Attribute::FormatParameters(FormatParameters {
            format: "0".into(),
            parameters: "a\r\nm=audio 1 RTP/AVP 0".into(),
        }),
        Attribute::RtpMap(RtpMap {
            payload_type: 0,
            encoding: "PCMU/8000\r\na=x".into(),
            clock_rate: 8000,
            channels: 1,
        }),
        Attribute::Ptime(Duration::ZERO),
    ] {
        assert!(Line::new(Field::Attribute(attribute.clone())).is_err(), "{attribute:?}");
    }
    let version = Field::Other { letter: b'v', value: Bytes::from_static(b"0") };
    assert!(stream(&[]).add(version).is_err());
    assert!(stream(&[]).add(Field::Media(stream(&[]).media().clone())).is_err());
}
