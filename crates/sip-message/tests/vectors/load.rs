//! The vectors in `tests/data`, and what becomes of a message.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use offhook_sip_message::*;
use serde_json::Value;

pub(crate) fn data(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path)
}

pub(crate) fn json(path: &str) -> Value {
    serde_json::from_slice(&fs::read(data(path)).unwrap()).unwrap()
}

pub(crate) fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

/// Name and bytes of each message of the flows.
pub(crate) fn flow_messages() -> Vec<(String, Bytes)> {
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

pub(crate) struct Torture {
    pub(crate) name: String,
    pub(crate) manifest: Value,
    pub(crate) bytes: Bytes,
}

pub(crate) fn torture_messages() -> Vec<Torture> {
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

pub(crate) fn torture(name: &str) -> Bytes {
    torture_messages().into_iter().find(|message| message.name == name).unwrap().bytes
}

/// Messages with each row of the digest vectors as a header field.
pub(crate) fn digest_messages() -> Vec<Bytes> {
    let mut rows = Vec::new();
    for case in json("digest/rfc8760.json")["challenge_selection"].as_array().unwrap() {
        let headers = case["headers"].as_array().unwrap().iter();
        rows.extend(headers.map(|row| format!("WWW-Authenticate: {}", row.as_str().unwrap())));
    }
    for rfc in ["rfc2617", "rfc7616", "rfc8760"] {
        for case in json(&format!("digest/{rfc}.json"))["cases"].as_array().unwrap() {
            let field = |name: &str| case[name].as_str().unwrap_or_default().to_owned();
            let mut row = format!(
                "Authorization: Digest username=\"{}\", realm=\"{}\", nonce=\"{}\", uri=\"{}\",\r\n \
                 algorithm={}, response=\"{}\"",
                field("username"),
                field("realm"),
                field("nonce"),
                field("uri"),
                field("algorithm"),
                field("response"),
            );
            if case["qop"].is_string() {
                let (qop, cnonce, nc) = (field("qop"), field("cnonce"), field("nc"));
                row.push_str(&format!(",\r\n qop={qop}, cnonce=\"{cnonce}\", nc={nc}"));
            }
            rows.push(row);
        }
    }
    let message = |row| format!("SIP/2.0 401 Unauthorized\r\n{row}\r\nContent-Length: 0\r\n\r\n");
    rows.into_iter().map(|row| message(row).into()).collect()
}

/// Every message of every vector.
pub(crate) fn all_messages() -> Vec<(String, Bytes)> {
    let torture = torture_messages().into_iter().map(|message| (message.name, message.bytes));
    let digest = digest_messages().into_iter().map(|bytes| ("digest".to_owned(), bytes));
    torture.chain(flow_messages()).chain(digest).collect()
}

/// The two profiles.
pub(crate) fn profiles() -> [ParseOptions; 2] {
    [ParseOptions::strict(), ParseOptions::default()]
}

pub(crate) fn request(bytes: &Bytes) -> Request {
    match Message::parse(bytes.clone()).unwrap_or_else(|error| panic!("{}", error.caret(bytes))) {
        Message::Request(request) => request,
        Message::Response(_) => panic!("a response"),
    }
}

/// What becomes of a message: accepted, or the status to answer with, or dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted,
    Refused(u16),
    Dropped,
}

pub(crate) fn outcome(bytes: &Bytes, options: &ParseOptions) -> Outcome {
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
