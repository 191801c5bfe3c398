//! `message/sipfrag`: a start line, header fields, or both (RFC 3420 §2).
//!
//! A fragment tells of another message. What is wrong in it is shown, but it is not wrong here.

use bytes::Bytes;
use offhook::sip_message::Sipfrag;

use super::Body;
use crate::{
    fault::Fault,
    node::Node,
    sip::{fields::Fields, start_line::StartLine},
    tree::Row,
};

/// The fragment that begins at byte `start` of `input`.
pub(super) fn read(bytes: &Bytes, input: &[u8], start: usize) -> Body {
    match Sipfrag::parse(bytes) {
        Ok(fragment) => parts(&fragment, input, start),
        Err(error) => {
            let fault = Fault::of_sip(&error, start);
            let rows = vec![Row::fault(0, &fault, input)];
            Body { rows, json: Some(Node::map([("error", fault.node())])), faults: vec![] }
        }
    }
}

fn parts(fragment: &Sipfrag, input: &[u8], start: usize) -> Body {
    let start_line = match (fragment.request(), fragment.response()) {
        (Some(request), _) => Some(StartLine::of_request(request, start)),
        (None, Some(response)) => Some(StartLine::of_response(response, start)),
        (None, None) => None,
    };
    let mut fields = Fields::of(fragment.headers(), start);
    let (mut rows, mut json) = (vec![], Node::map([("kind", "fragment".into())]));
    if let Some(line) = start_line {
        let errors = line.error.iter().map(|error| Fault::of_sip(error, start));
        errors.for_each(|fault| fields.keep_fault(fault));
        (rows, json) = (line.rows, line.json);
    }
    rows.extend(fields.rows(input, start + fragment.as_bytes().len()));
    json = json
        .with("headers", fields.headers)
        .with("typed", Node::Map(fields.typed))
        .with("body_length", fragment.body().len().into());
    if !fields.faults.is_empty() {
        json = json.with("errors", fields.faults.iter().map(Fault::node).collect());
    }
    Body { rows, json: Some(json), faults: vec![] }
}
