//! Broken vectors: every prefix, and every byte replaced by nasty ones. Nothing panics, errors lie
//! within the bytes, and what is accepted all the same is written and read back.
//!
//! The ordinary run takes a sample of the flows; the full ones are ignored (see `CONTRIBUTING.md`).

use bytes::Bytes;
use offhook_sip_message::*;

use crate::{
    load::{all_messages, digest_messages, flow_messages, profiles, torture_messages},
    typed::{TYPES, typed_errors},
};

/// Runs `bytes` through all parsers, in both profiles.
fn everything(bytes: &Bytes) {
    for options in profiles() {
        match Message::parse_with(bytes.clone(), &options) {
            Ok(message) => {
                outlined(bytes, &message, &options);
                accepted(bytes, message, &options);
            }
            Err(error) => refused(bytes, error, &options),
        }
    }
    as_a_body(bytes);
    let mut framer = Framer::new(Limits::default());
    framer.push(bytes);
    while let Ok(Some(_)) = framer.next() {}
    let _ = Frame::of_websocket(bytes.clone(), &Limits::default());
}

/// As a fragment, and as a multipart with the boundary of the one torture message that has one.
fn as_a_body(bytes: &Bytes) {
    let mixed = MediaType::new("multipart", "mixed").with_parameter("boundary", "7a9cbec02ceef655");
    for options in profiles() {
        let fragment = Sipfrag::parse_with(bytes, &options).map(drop);
        let parts = Multipart::parse_with(&mixed, bytes, &options).map(drop);
        for error in [fragment, parts].into_iter().filter_map(Result::err) {
            assert!(error.offset() <= bytes.len(), "{error}");
        }
    }
}

/// The outline of a datagram tells what its message tells.
fn outlined(bytes: &Bytes, message: &Message, options: &ParseOptions) {
    let Ok(envelope) = message.envelope() else {
        assert!(Outline::of(bytes, options).is_err());
        return;
    };
    let outline = Outline::of(bytes, options).unwrap();
    assert_eq!((outline.envelope, outline.body), (envelope, &*message.body()));
}

fn refused(bytes: &Bytes, error: ParseError, options: &ParseOptions) {
    assert!(error.offset() <= bytes.len(), "{error}");
    assert!(error.caret(bytes).contains('^'));
    let _ = Rejection::salvage(bytes, options, error).map(|found| found.response());
}

fn accepted(bytes: &Bytes, message: Message, options: &ParseOptions) {
    let again = Message::parse_with(message.as_bytes().clone(), options).unwrap();
    assert_eq!(again.as_bytes(), message.as_bytes());
    assert_eq!(again.headers().len(), message.headers().len());
    assert_eq!(again.body(), message.body());
    for error in typed_errors(message.headers()) {
        assert!(error.offset() <= bytes.len() && error.header().is_some(), "{error}");
        assert!(error.caret(message.as_bytes()).contains('^'));
    }
    for it in TYPES {
        (it.round_trips)(message.headers(), options.profile);
    }
    if let Err(error) = message.envelope() {
        assert!(error.offset() <= bytes.len(), "{error}");
    }
    match message {
        Message::Request(request) => {
            let _ = request.uri();
            rewritten(request.as_bytes(), request.edit().build().map(Message::Request), options);
            if let Err(rejection) = ValidRequest::new(request, options) {
                assert!(rejection.error.offset() <= bytes.len());
                let _ = rejection.response();
            }
        }
        Message::Response(response) => {
            let built = response.edit().build().map(Message::Response);
            rewritten(response.as_bytes(), built, options);
            let _ = ValidResponse::new(response, options);
        }
    }
}

/// An edit without changes gives the same message, but for what nobody may write: a bare LF, a
/// wrong or missing Content-Length, control characters in a reason phrase. The second edit changes
/// nothing at all.
fn rewritten(came: &Bytes, built: Result<Message, BuildError>, options: &ParseOptions) {
    // White space and control characters in a Request-URI: kept, and not written.
    let Ok(built) = built else { return };
    let twice = match &built {
        Message::Request(request) => request.edit().build().map(Message::Request),
        Message::Response(response) => response.edit().build().map(Message::Response),
    };
    assert_eq!(twice.unwrap().as_bytes(), built.as_bytes());
    let has_length = built.headers().count(HeaderName::CONTENT_LENGTH)
        == Message::parse_with(came.clone(), options)
            .unwrap()
            .headers()
            .count(HeaderName::CONTENT_LENGTH);
    let start = came.split(|&byte| byte == b'\n').next().unwrap();
    let start = start.strip_suffix(b"\r").unwrap_or(start);
    let lower = start.to_ascii_lowercase();
    let has_version = lower.starts_with(b"sip/2.0 ") || lower.ends_with(b" sip/2.0");
    let is_clean = has_version && !start.iter().any(u8::is_ascii_control);
    if options.profile == Profile::Strict && has_length && is_clean {
        assert_eq!(built.as_bytes(), came);
    }
}

/// Bytes that end, join or hide things, or are none of text.
const NASTY: &[u8] = b"\0\r\n\t ,;:<>\"\\%@[(/=?*\x7f\x80\xc3\xff";

fn replaced(bytes: &Bytes, at: usize, nasty: u8) -> Bytes {
    let mut changed = bytes.to_vec();
    changed[at] = nasty;
    changed.into()
}

/// All positions of all messages, numbered, so that a sample takes every `step`-th of them.
fn positions(messages: &[Bytes], step: usize) -> impl Iterator<Item = (&Bytes, usize)> {
    let all = messages.iter().flat_map(|bytes| (0..bytes.len()).map(move |at| (bytes, at)));
    all.step_by(step)
}

fn flows() -> Vec<Bytes> {
    flow_messages().into_iter().map(|(_, bytes)| bytes).collect()
}

fn torture_and_digest() -> Vec<Bytes> {
    let torture = torture_messages().into_iter().map(|message| message.bytes);
    torture.chain(digest_messages()).collect()
}

#[test]
fn no_prefix_of_a_torture_or_digest_message_panics() {
    for (bytes, length) in positions(&torture_and_digest(), 1) {
        everything(&bytes.slice(..length));
    }
}

#[test]
fn no_sampled_prefix_of_a_flow_message_panics() {
    for (bytes, length) in positions(&flows(), 41) {
        everything(&bytes.slice(..length));
    }
}

#[test]
fn no_sampled_replaced_byte_panics() {
    let (torture, flows) = (torture_and_digest(), flows());
    let sample = positions(&torture, 7).chain(positions(&flows, 83));
    for (index, (bytes, at)) in sample.enumerate() {
        everything(&replaced(bytes, at, NASTY[index % NASTY.len()]));
    }
}

#[test]
#[ignore = "minutes: every prefix of all vectors"]
fn no_prefix_of_any_vector_panics() {
    let all: Vec<Bytes> = all_messages().into_iter().map(|(_, bytes)| bytes).collect();
    let mut inputs = 0;
    for bytes in &all {
        for length in 0..=bytes.len() {
            everything(&bytes.slice(..length));
            inputs += 1;
        }
    }
    println!("{inputs} prefixes of {} messages", all.len());
}

#[test]
#[ignore = "minutes: every byte of all vectors replaced by every nasty one"]
fn no_replaced_byte_of_any_vector_panics() {
    let all: Vec<Bytes> = all_messages().into_iter().map(|(_, bytes)| bytes).collect();
    let mut inputs = 0;
    for (bytes, at) in positions(&all, 1) {
        for nasty in NASTY {
            everything(&replaced(bytes, at, *nasty));
            inputs += 1;
        }
    }
    println!("{inputs} changes of {} messages", all.len());
}

#[test]
fn no_prefix_of_a_message_with_a_length_is_a_message() {
    for (path, bytes) in flow_messages().into_iter().step_by(7) {
        for length in 0..bytes.len() {
            assert!(Message::parse(bytes.slice(..length)).is_err(), "{path} cut at {length}");
        }
    }
}
