//! SIP messages out of datagrams: what parses is written back as it came, and what is built from it
//! parses.

use bytes::Bytes;
use offhook_sip_message::{
    BuildError, ContentLength, HeaderName, Message, Outline, ParseError, ParseOptions, Rejection,
    Request, Response, StartLine, StatusCode, ValidRequest, ValidResponse, Via,
};

use crate::{Promised, is_within, sip_headers};

/// Parses one datagram in both profiles.
pub fn sip_message(data: &[u8]) {
    let datagram = Bytes::copy_from_slice(data);
    let tolerant = parse(&datagram, &ParseOptions::default());
    let strict = parse(&datagram, &ParseOptions::strict());
    assert!(tolerant || !strict, "what is strictly right is right");
}

/// Tells whether the datagram is a message.
fn parse(datagram: &Bytes, options: &ParseOptions) -> bool {
    match Message::parse_with(datagram.clone(), options) {
        Ok(message) => {
            is_written_back(datagram, &message, options);
            has_outline(datagram, &message, options);
            sip_headers::read_all(message.headers());
            build(message, options);
            true
        }
        Err(error) => {
            refuse(datagram, error, options);
            false
        }
    }
}

fn is_written_back(datagram: &Bytes, message: &Message, options: &ParseOptions) {
    let bytes = message.as_bytes();
    assert!(is_within(bytes, datagram), "a message is a part of its datagram");
    assert!(bytes.ends_with(&message.body()), "the body is the end of the message");
    for (name, value) in message.headers().iter() {
        assert!(is_within(value, bytes), "a value is a part of its message");
        let length = name.as_str().len();
        assert!(length > 0 && length <= bytes.len().max(LONGEST_KNOWN_NAME), "names are bounded");
    }
    let again = Message::parse_with(bytes.clone(), options).promised("a message parses again");
    assert_eq!(again.as_bytes(), bytes);
    assert_eq!(again.headers().len(), message.headers().len());
    assert_eq!(again.body(), message.body());
}

/// The outline of a datagram tells what its message tells.
fn has_outline(datagram: &Bytes, message: &Message, options: &ParseOptions) {
    let outline = Outline::of(datagram, options);
    let (envelope, outline) = match (message.envelope(), outline) {
        (Ok(envelope), outline) => (envelope, outline.promised("what is routed has an outline")),
        (Err(_), Err(error)) => return sip_headers::is_good_error(&error, datagram),
        (Err(error), Ok(_)) => {
            unreachable!("broken promise: an outline needs an envelope: {error}")
        }
    };
    assert_eq!(outline.envelope, envelope);
    assert_eq!(outline.body, message.body());
    match (outline.start_line, message) {
        (StartLine::Request { method, uri }, Message::Request(request)) => {
            assert_eq!((method, uri), (request.method().as_str(), request.uri_text()));
        }
        (StartLine::Response { status }, Message::Response(response)) => {
            assert_eq!(status, response.status());
        }
        (StartLine::Request { .. } | StartLine::Response { .. }, _) => {
            unreachable!("broken promise: an outline is of its message")
        }
    }
}

fn refuse(datagram: &Bytes, error: ParseError, options: &ParseOptions) {
    sip_headers::is_good_error(&error, datagram);
    if let Some(rejection) = Rejection::salvage(datagram, options, error) {
        answer(&rejection);
    }
}

fn build(message: Message, options: &ParseOptions) {
    match message {
        Message::Request(request) => {
            assert!(request.version().len() <= request.as_bytes().len());
            if let Ok(uri) = request.uri() {
                sip_headers::is_good_uri(&uri);
            }
            edit_request(&request);
            validate_request(request, options);
        }
        Message::Response(response) => {
            assert!(response.reason_bytes().starts_with(response.reason().as_bytes()));
            edit_response(&response);
            validate_response(response, options);
        }
    }
}

fn validate_request(request: Request, options: &ParseOptions) {
    let bytes = request.as_bytes().clone();
    let valid = match ValidRequest::new(request, options) {
        Ok(valid) => valid,
        Err(rejection) => {
            sip_headers::is_good_error(&rejection.error, &bytes);
            return answer(&rejection);
        }
    };
    assert_eq!(valid.cseq().method, valid.method());
    assert_eq!(valid.as_bytes(), &bytes);
    for status in [StatusCode::TRYING, StatusCode::OK] {
        let reply = Response::reply_to(&valid, status).to_tag("8321").build();
        let reply = reply.promised("a valid request can be answered");
        let reply = reparse_response(&reply);
        let reply = ValidResponse::new(reply, &ParseOptions::default())
            .promised("the answer to a valid request is valid");
        assert_eq!((reply.via(), reply.call_id()), (valid.via(), valid.call_id()));
        assert_eq!((reply.cseq(), reply.from()), (valid.cseq(), valid.from()));
        assert!(reply.to().tag().is_some(), "an answer has a To tag");
    }
}

fn validate_response(response: Response, options: &ParseOptions) {
    let bytes = response.as_bytes().clone();
    match ValidResponse::new(response, options) {
        Ok(valid) => assert_eq!(valid.as_bytes(), &bytes),
        Err(error) => sip_headers::is_good_error(&error, &bytes),
    }
}

/// A rejection never panics, and what it answers parses.
fn answer(rejection: &Rejection) {
    assert!(matches!(rejection.status.class(), 4..=6), "a rejection refuses");
    assert!(!rejection.to_string().is_empty());
    let Some(response) = rejection.response() else { return };
    assert_eq!(response.status(), rejection.status);
    reparse_response(&response);
}

/// The change that a proxy makes: a `Via` of its own on top, all else as it came.
fn edit_request(request: &Request) {
    let via = Via::new("UDP", offhook_sip_message::Host::Name("proxy.example".into()), None)
        .with_branch("z9hG4bKproxy");
    let Some(edited) = built(request.edit().prepend(&via).build()) else { return };
    assert_eq!((edited.method(), edited.uri_text()), (request.method(), request.uri_text()));
    assert_eq!(edited.body(), request.body());
    let parsed = Message::parse_with(edited.as_bytes().clone(), &UNBOUNDED);
    let parsed = parsed.promised("what was built parses");
    is_same_index(&parsed, &Message::Request(edited.clone()));
    assert_eq!(parsed.header::<Via>().ok().flatten(), Some(via), "the new Via is on top");
    let removed = built(edited.edit().remove_first::<Via>().remove(HeaderName::VIA).build());
    assert!(removed.is_none_or(|it| it.headers().count(HeaderName::VIA) == 0));
}

fn edit_response(response: &Response) {
    let Some(edited) = built(response.edit().build()) else { return };
    assert_eq!(edited.status(), response.status());
    // Control octets of the peer are not sent on.
    let unclean = response.reason_bytes().iter().any(|it| it.is_ascii_control() && *it != b'\t');
    let reason = response.reason_bytes();
    let expected = if unclean { response.status().reason().as_bytes() } else { reason };
    assert_eq!(edited.reason_bytes(), expected);
    assert_eq!(edited.body(), response.body());
    reparse_response(&edited);
}

/// A builder may refuse what a peer has sent, in its own words.
fn built<T>(result: Result<T, BuildError>) -> Option<T> {
    result.inspect_err(|error| assert!(!error.to_string().is_empty())).ok()
}

/// A builder notes down where everything stands while it writes; a parse finds it there.
fn is_same_index(parsed: &Message, built: &Message) {
    assert_eq!(parsed.as_bytes(), built.as_bytes());
    assert!(parsed.headers().iter().eq(built.headers().iter()), "the same rows");
    assert_eq!(parsed.body(), built.body());
    match (parsed, built) {
        (Message::Request(parsed), Message::Request(built)) => {
            assert_eq!((parsed.method(), parsed.uri_text()), (built.method(), built.uri_text()));
            assert_eq!(parsed.version(), built.version());
        }
        (Message::Response(parsed), Message::Response(built)) => {
            let reasons = (parsed.reason_bytes(), built.reason_bytes());
            assert_eq!((parsed.status(), reasons.0), (built.status(), reasons.1));
            assert_eq!(parsed.version(), built.version());
        }
        _ => unreachable!("broken promise: a message is read as what it is"),
    }
}

fn reparse_response(response: &Response) -> Response {
    let parsed = Message::parse_with(response.as_bytes().clone(), &UNBOUNDED);
    let parsed = parsed.promised("what was built parses");
    is_same_index(&parsed, &Message::Response(response.clone()));
    let Message::Response(parsed) = parsed else {
        unreachable!("broken promise: a response is read as a response")
    };
    let length = parsed.header::<ContentLength>().ok().flatten();
    assert_eq!(length, Some(ContentLength(parsed.body().len())), "Content-Length is right");
    parsed
}

/// What is built from a message within the limits may be a little longer than they allow.
const UNBOUNDED: ParseOptions = ParseOptions {
    profile: offhook_sip_message::Profile::Tolerant,
    limits: offhook_sip_message::Limits {
        message: usize::MAX,
        start_line: usize::MAX,
        header: usize::MAX,
        headers: usize::MAX,
        body: usize::MAX,
    },
};
/// A compact name stands for one that is longer than its message may be.
const LONGEST_KNOWN_NAME: usize = 64;
