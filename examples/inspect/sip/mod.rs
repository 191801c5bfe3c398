//! A SIP message: start line, header fields with their types, body (RFC 3261 §7).

use std::ops::Range;

use bytes::Bytes;
use offhook::sip_message::{
    Message, ParseError, ParseOptions, Rejection, ValidRequest, ValidResponse,
};

mod body;
use body::Body;

mod fields;
use fields::Fields;

mod start_line;
use start_line::StartLine;

use crate::{
    fault::Fault,
    finding::{self, Finding},
    node::Node,
    tree::Row,
};

/// Looks at the message in `range` of `input`.
pub(crate) fn inspect(input: &Bytes, range: Range<usize>, options: &ParseOptions) -> Finding {
    let (start, datagram) = (range.start, input.slice(range));
    let skipped = datagram.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let base = start + skipped;
    match Message::parse_with(datagram.clone(), options) {
        Ok(message) => {
            let ignored = datagram.len() - skipped - message.as_bytes().len();
            Look { input, base, ignored }.message(&message, options)
        }
        Err(error) => {
            let fault = Fault::of_sip(&error, start);
            let rows = match Rejection::salvage(&datagram, options, error) {
                Some(found) => salvaged(&found, &fault, input, base),
                None => vec![Row::fault(0, &fault, input)],
            };
            Finding::refused("SIP message", datagram.len(), &fault, rows)
        }
    }
}

/// Why the message must not be acted upon, if so.
fn verdict(message: &Message, options: &ParseOptions) -> Option<ParseError> {
    match message.clone() {
        Message::Request(request) => {
            ValidRequest::new(request, options).err().map(|rejection| rejection.error)
        }
        Message::Response(response) => ValidResponse::new(response, options).err(),
    }
}

/// The rows of a request that cannot be parsed, as far as they can be read.
fn salvaged(found: &Rejection, fault: &Fault, input: &[u8], base: usize) -> Vec<Row> {
    let message = Message::Request(found.request().clone());
    let mut rows = StartLine::of(&message, base).rows;
    let mut fields = Fields::of(message.headers(), base);
    fields.keep_fault(fault.clone());
    rows.extend(fields.rows(input, usize::MAX));
    rows
}

/// A message that could be parsed, and what is around it.
struct Look<'a> {
    input: &'a [u8],
    /// Where the message begins.
    base: usize,
    /// How many bytes follow it.
    ignored: usize,
}

impl Look<'_> {
    fn message(&self, message: &Message, options: &ParseOptions) -> Finding {
        let start_line = StartLine::of(message, self.base);
        let mut fields = Fields::of(message.headers(), self.base);
        for error in start_line.error.iter().chain(&verdict(message, options)) {
            fields.keep_fault(Fault::of_sip(error, self.base));
        }
        let length = message.as_bytes().len();
        let content = message.body();
        let content_at = self.base + length - content.len();
        let body = Body::of(message.headers(), &content, self.input, content_at);
        let mut rows = start_line.rows;
        rows.extend(fields.rows(self.input, content_at));
        rows.extend(body.rows);
        let faults: Vec<_> = fields.faults.into_iter().chain(body.faults).collect();
        let typed = start_line.request_uri.map(|uri| ("request_uri".to_owned(), uri));
        let mut json = start_line
            .json
            .with("headers", fields.headers)
            .with("typed", Node::Map(typed.into_iter().chain(fields.typed).collect()))
            .with("body_length", content.len().into());
        if let Some(body) = body.json {
            json = json.with("body", body);
        }
        if self.ignored > 0 {
            let says = finding::count(self.ignored, "byte") + " behind the body (RFC 3261 §18.3)";
            rows.push(Row::at(self.base + length, 0, "ignored", &says));
            json = json.with("ignored_length", self.ignored.into());
        }
        if !faults.is_empty() {
            json = json.with("errors", faults.iter().map(Fault::node).collect());
        }
        let errors = finding::errors(faults.len());
        let title = format!("{}  ({length} bytes{errors})", start_line.title);
        Finding::new(title, rows, json, faults.is_empty())
    }
}
