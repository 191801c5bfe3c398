use super::*;

fn framer(message: usize) -> Framer {
    Framer::new(Limits { message, ..Limits::default() })
}

fn one(stream: &[u8]) -> Result<Option<Frame>, ParseError> {
    let mut framer = framer(1_000);
    framer.push(stream);
    framer.next()
}

#[test]
fn a_message_waits_for_its_last_byte() {
    let message = b"SIP/2.0 200 OK\r\nl: 4\r\n\r\nbody";
    let mut framer = framer(1_000);
    for (at, byte) in message.iter().enumerate() {
        assert_eq!(framer.next(), Ok(None), "{at}");
        framer.push(&[*byte]);
    }
    assert_eq!(framer.next(), Ok(Some(Frame::Message(Bytes::from_static(message)))));
    assert_eq!(framer.next(), Ok(None));
}

#[test]
fn every_second_crlf_is_a_ping() {
    let mut framer = framer(1_000);
    framer.push(b"\r\n\r\n\r\nSIP/2.0 200 OK\r\nl: 0\r\n\r\n\r\n\r");
    let mut frames = Vec::new();
    while let Some(frame) = framer.next().unwrap() {
        frames.push(frame);
    }
    assert_eq!(frames[..3], [Frame::Pong, Frame::Ping, Frame::Pong]);
    assert!(matches!(frames[3], Frame::Message(_)));
    assert_eq!(frames[4..], [Frame::Pong]);
    framer.push(b"\n");
    assert_eq!(framer.next(), Ok(Some(Frame::Ping)));
}

#[test]
fn a_length_that_is_missing_doubled_or_none_ends_the_stream() {
    for length in [
        "",
        "l: 1\r\nContent-Length: 1\r\n",
        "l: -1\r\n",
        "l: x\r\n",
        "l: 99999999999999999999\r\n",
    ] {
        let stream = format!("SIP/2.0 200 OK\r\n{length}\r\nx");
        assert!(one(stream.as_bytes()).is_err(), "{length}");
    }
}

#[test]
fn limits_hold_before_the_bytes_have_come() {
    assert!(one(&[b'x'; 1_000]).is_ok());
    assert!(one(&[b'x'; 1_001]).is_err());
    assert!(one(&b"a: b\r\n".repeat(200)).is_err());
    assert!(one(b"SIP/2.0 200 OK\r\nl: 976\r\n\r\n").is_err_and(|error| error.offset() == 1_000));
    assert_eq!(one(b"SIP/2.0 200 OK\r\nl: 974\r\n\r\n"), Ok(None));
}

#[test]
fn an_error_stays_and_keeps_nothing() {
    let mut framer = framer(100);
    framer.push(&[b'x'; 200]);
    let error = framer.next().unwrap_err();
    framer.push(b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n");
    assert_eq!(framer.next(), Err(error));
    assert!(framer.buffer.is_empty());
}

#[test]
fn two_pongs_in_a_row_show_as_a_pong_and_a_ping() {
    let mut framer = framer(1_000);
    for frame in [Frame::Pong, Frame::Ping] {
        framer.push(b"\r\n");
        assert_eq!(framer.next(), Ok(Some(frame)));
        assert_eq!(framer.next(), Ok(None));
    }
}

/// Pushes byte by byte; gives the error and how many bytes it took.
fn refused_after(stream: &[u8], limits: Limits) -> Option<(usize, ParseError)> {
    let mut framer = Framer::new(limits);
    stream.iter().enumerate().find_map(|(at, byte)| {
        framer.push(&[*byte]);
        framer.next().err().map(|error| (at.saturating_add(1), error))
    })
}

#[test]
fn each_limit_holds_as_soon_as_it_is_passed() {
    let limits = Limits { start_line: 20, header: 10, headers: 2, ..Limits::default() };
    let refused = |stream: &str| {
        let (bytes, error) = refused_after(stream.as_bytes(), limits).unwrap();
        let mut whole = Framer::new(limits);
        whole.push(stream.as_bytes());
        assert_eq!(whole.next(), Err(error.clone()), "whole or in bytes");
        (bytes, error.status(), error.offset())
    };
    let (large, uri) = (StatusCode::MESSAGE_TOO_LARGE, StatusCode::REQUEST_URI_TOO_LONG);
    assert_eq!(refused(&"x".repeat(100)), (21, uri, 0));
    let start = "SIP/2.0 200 OK\r\n";
    assert_eq!(refused(&format!("{start}a: 45678901")), (16 + 11, large, 16));
    assert_eq!(refused(&format!("{start}a: 4\r\n 78901")), (16 + 11, large, 22));
    assert_eq!(refused(&format!("{start}a: 4\r\nb: 4\r\nc: ")), (16 + 13, large, 28));
    for fits in ["a: 4567890\r\nb: 4567890\r\n", "a: 4\r\n 789\r\n", "l: 0\r\na: b\r\n\r\n"] {
        assert!(refused_after(format!("{start}{fits}").as_bytes(), limits).is_none(), "{fits}");
    }
    let exact = b"SIP/2.0 200 abcdefgh\r\nl: 0\r\n\r\n";
    assert!(refused_after(exact, limits).is_none());
}

#[test]
fn the_limit_that_is_passed_first_is_told_however_the_bytes_come() {
    let limits = Limits { message: 40, header: 30, ..Limits::default() };
    let stream = format!("OPTIONS sip:a SIP/2.0\r\nX: {}\r\n\r\n", "a".repeat(40));
    let error = |size: usize| {
        let mut framer = Framer::new(limits);
        stream.as_bytes().chunks(size).find_map(|part| {
            framer.push(part);
            framer.next().err()
        })
    };
    for size in 2..stream.len() {
        assert_eq!(error(size), error(1), "in pieces of {size}");
    }
    assert_eq!(error(1).unwrap().expected(), "a smaller message");
}

#[test]
fn the_limits_are_those_of_the_parser() {
    let limits = Limits { start_line: 14, header: 6, headers: 3, ..Limits::default() };
    let options = ParseOptions { limits, profile: Profile::Tolerant };
    for message in [
        "SIP/2.0 200 OK\r\nl: 0\r\na: bcd\r\nb: c\r\n\r\n",
        "SIP/2.0 200 OKs\r\nl: 0\r\n\r\n",
        "SIP/2.0 200 OK\r\nl: 0\r\na: bcde\r\n\r\n",
        "SIP/2.0 200 OK\r\nl: 0\r\na: \r\n b\r\n\r\n",
        "SIP/2.0 200 OK\r\nl: 0\r\na: b\r\n c\r\n\r\n",
        "SIP/2.0 200 OK\nl: 0\na: bcd\n\n",
        "SIP/2.0 200 OK\r\nl: 0\r\na:\r\nb:\r\nc:\r\n\r\n",
    ] {
        let mut framer = Framer::new(limits);
        framer.push(message.as_bytes());
        let parsed = crate::Message::parse_with(Bytes::from_static(message.as_bytes()), &options);
        assert_eq!(framer.next().err(), parsed.err(), "{message:?}");
    }
}

#[test]
fn a_long_line_in_bytes_is_looked_at_once() {
    let limits = Limits { message: 2_000_000, start_line: 2_000_000, ..Limits::default() };
    let mut framer = Framer::new(limits);
    for _ in 0..1_000_000 {
        framer.push(b"x");
        assert_eq!(framer.next(), Ok(None));
        assert_eq!(framer.head.seen, framer.buffer.len());
    }
}

#[test]
fn a_websocket_message_is_one_frame() {
    let of = |bytes: &'static [u8]| {
        let limits = Limits { message: 30, ..Limits::default() };
        Frame::of_websocket(Bytes::from_static(bytes), &limits)
    };
    let message = b"SIP/2.0 200 OK\r\nl: 0\r\n\r\n";
    assert_eq!(of(message), Ok(Frame::Message(Bytes::from_static(message))));
    assert_eq!(of(b"\r\n"), Ok(Frame::Pong));
    assert_eq!(of(b"\r\n\r\n"), Ok(Frame::Ping));
    assert!(of(b"").is_err());
    assert_eq!(of(&[b'x'; 31]).unwrap_err().status(), StatusCode::MESSAGE_TOO_LARGE);
    let Ok(Frame::Message(bytes)) = of(b"SIP/2.0 200 OK\r\n\r\nbody") else { panic!("a message") };
    assert_eq!(crate::Message::parse(bytes).unwrap().body(), "body", "without Content-Length");
}

#[test]
fn keep_alive_datagrams_hold_nothing() {
    for datagram in [&b""[..], b"\r\n", b"\r\n\r\n", b"\0\0\0\0", b"\0"] {
        assert!(is_keep_alive(datagram), "{datagram:?}");
    }
    for datagram in [&b"\r\nx"[..], b"SIP/2.0 200 OK\r\n\r\n", b"\0\x01\0\0"] {
        assert!(!is_keep_alive(datagram), "{datagram:?}");
    }
}

#[test]
fn what_can_be_answered_of_a_message_without_length_is_kept() {
    let head = b"OPTIONS sip:b@h SIP/2.0\r\nA: b\r\n\r\n";
    let mut framer = framer(1_000);
    framer.push(head);
    framer.push(b"and what is after it");
    assert!(framer.next().is_err());
    assert_eq!(framer.take_refused().as_deref(), Some(&head[..]));
    assert_eq!(framer.take_refused(), None);

    let mut endless = Framer::new(Limits { message: 20, ..Limits::default() });
    endless.push(head);
    assert!(endless.next().is_err());
    assert_eq!(endless.take_refused(), None, "its header has not come");
}
