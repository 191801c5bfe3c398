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
