use super::*;
use crate::{Method, Uri};

fn both(text: &str) -> [Result<Sipfrag, ParseError>; 2] {
    let bytes = Bytes::from(text.to_owned());
    [Sipfrag::parse(&bytes), Sipfrag::parse_with(&bytes, &ParseOptions::strict())]
}

/// The fragment, which both profiles must take.
fn fragment(text: &str) -> Sipfrag {
    both(text).map(|read| read.unwrap_or_else(|error| panic!("{text}: {error}")))[0].clone()
}

#[test]
fn a_start_line_alone_is_a_fragment() {
    let invite = fragment("INVITE sip:alice@atlanta.com SIP/2.0\r\n");
    assert_eq!(invite.request().map(Request::method), Some(Method::INVITE));
    assert_eq!((invite.status(), invite.headers().len()), (None, 0));
    let declined = fragment("SIP/2.0 603 Declined\r\n");
    assert_eq!(declined.status(), Some(StatusCode::DECLINE));
    assert_eq!(declined.response().map(Response::reason), Some("Declined"));
}

#[test]
fn subsets_of_a_message_are_fragments() {
    let register = fragment(
        "REGISTER sip:atlanta.com SIP/2.0\r\nTo: sip:alice@atlanta.com\r\n\
         Contact: <sip:alicepc@atlanta.com>;q=0.9,\r\n         <sip:alicemobile@atlanta.com>;q=0.1\r\n",
    );
    assert_eq!(register.headers_of::<Contact>().count(), 2);
    // The RFC left out the quotes that the grammar of Warning asks for.
    let bad = fragment(
        "SIP/2.0 400 Bad Request\r\n\
         Warning: 399 atlanta.com Your Event header field was malformed\r\n",
    );
    assert_eq!(bad.status(), Some(StatusCode::BAD_REQUEST));
    assert!(bad.headers().get_raw(HeaderName::WARNING).is_some());
}

#[test]
fn no_start_line_is_needed() {
    let fields = fragment(
        "From: Alice <sip:alice@atlanta.com>\r\nTo: Bob <sip:bob@biloxi.com>\r\n\
         Contact: <sip:alice@pc33.atlanta.com>\r\nDate: Thu, 21 Feb 2002 13:02:03 GMT\r\n\
         Call-ID: a84b4c76e66710\r\nCseq: 314159 INVITE\r\n",
    );
    assert!(fields.request().is_none() && fields.response().is_none());
    assert_eq!(fields.headers().len(), 6);
    let to = fields.header::<To>().unwrap().unwrap();
    assert_eq!(to.uri(), &"sip:bob@biloxi.com".parse::<Uri>().unwrap());
}

#[test]
fn a_body_stands_behind_an_empty_line() {
    let sdp = "v=0\r\no=alice 2890844526 2890844526 IN IP4 host.anywhere.com\r\ns=\r\n\
        c=IN IP4 host.anywhere.com\r\nt=0 0\r\nm=audio 49170 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n\
        m=video 51372 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\nm=video 53000 RTP/AVP 32\r\n\
        a=rtpmap:32 MPV/90000\r\n";
    let ok = format!(
        "SIP/2.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}",
        sdp.len()
    );
    assert_eq!(fragment(&ok).body(), sdp);
    let text = "Content-Type: text/plain\r\nContent-Length: 11\r\n\r\nHi There!\r\n";
    assert_eq!(fragment(text).body(), "Hi There!\r\n");
    assert_eq!(fragment(&format!("{text}more")).as_bytes(), text);
    for (short, body) in [
        (text.get(..text.len() - 1).unwrap(), "Hi There!\r"),
        ("Content-Length: ...\r\n\r\nx", "x"),
    ] {
        let [tolerant, strict] = both(short);
        assert!(strict.is_err());
        assert_eq!(tolerant.unwrap().body(), body, "the length costs its field only");
    }
}

#[test]
fn what_the_rfc_shows_as_invalid_is_refused() {
    for text in [
        "INVITE\r\n",
        "INVITE sip:alice@atlanta.com SIP/1.09\r\n",
        "SIP/2.0\r\n",
        "404 Not Found\r\n",
        "MESSAGE sip:alice@atlanta.com SIP/2.0\r\nHi There!\r\n",
        "SIP/3.0 200 OK\r\n",
    ] {
        assert!(both(text).iter().all(Result::is_err), "{text}");
    }
    for field in [
        "Via: SIP/2.0/UDP ;branch=z9hG4bKnashds7",
        "To: <>;tag=39234",
        "From: <sip:bob@biloxi.com>;tag=z9hG4bK2912;tag=z9hG4bK99234",
        "Call-ID: this is invalid",
    ] {
        let [tolerant, strict] =
            both(&format!("INVITE sip:alice@atlanta.com SIP/2.0\r\n{field}\r\n"));
        let tolerant = tolerant.unwrap();
        let broken = [
            tolerant.header::<Via>().is_err(),
            tolerant.header::<To>().is_err(),
            tolerant.header::<From>().is_err(),
            tolerant.header::<CallId>().is_err(),
        ];
        assert!(broken.contains(&true) && strict.is_err(), "{field}");
    }
    let [tolerant, strict] = both("SIP/2.0 200 OK\r\n\r\nbody");
    assert_eq!(tolerant.unwrap().body(), "body");
    assert_eq!(strict.unwrap_err().expected(), "a Content-Type of the body");
}

#[test]
fn phones_leave_out_the_last_line_end() {
    for text in [
        "SIP/2.0 100 Trying",
        "SIP/2.0 100",
        "To: <sip:a@b.example>",
        "SIP/2.0 200 OK\nTo: <sip:a@b>",
    ] {
        let [tolerant, strict] = both(text);
        assert!(tolerant.is_ok() && strict.is_err(), "{text}");
    }
    assert_eq!(fragment("").headers().len(), 0);
}

#[test]
fn status_lines_are_written_as_they_are_read() {
    for status in [StatusCode::TRYING, StatusCode::BUSY_HERE] {
        let line = Sipfrag::status_line(status);
        let read = Sipfrag::parse_with(&line, &ParseOptions::strict()).unwrap();
        assert_eq!(read.status(), Some(status));
        assert_eq!(Sipfrag::status_line_of(read.response().unwrap()), line);
    }
}

#[test]
fn no_prefix_panics() {
    for text in [
        "INVITE sip:a@b SIP/2.0\r\nTo: x\r\n\t y\r\nContent-Type: a/b\r\nl: 2\r\n\r\nhi",
        "SIP/2.0 200 OK\r\n",
    ] {
        for length in 0..=text.len() {
            for read in both(&text[..length]) {
                if let Err(error) = read {
                    assert!(error.offset() <= length, "{length}: {error}");
                }
            }
        }
    }
}
