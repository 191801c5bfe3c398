//! A SIP message: start line, header fields with their types, body (RFC 3261 §7).

use std::ops::Range;

use bytes::Bytes;
use offhook::sip_message::{Message, ParseOptions, Request, Response, ValidRequest, ValidResponse};

mod body;
mod fields;

use crate::{
    fault::Fault,
    finding::{self, Finding},
    node::Node,
    sip::fields::Fields,
    tree::Row,
    typed,
};

/// Looks at the message in `range` of `input`.
pub(crate) fn inspect(input: &Bytes, range: Range<usize>, options: &ParseOptions) -> Finding {
    let (start, length) = (range.start, range.len());
    let datagram = input.slice(range);
    let skipped = datagram.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    match Message::parse_with(datagram, options) {
        Ok(message) => {
            let ignored = length - skipped - message.as_bytes().len();
            Look { input, base: start + skipped, ignored, options }.at(&message)
        }
        Err(error) => {
            let fault = Fault::of_sip(&error, start);
            let row = Row::fault(0, &fault, input);
            Finding::refused("SIP message", length, &fault, row)
        }
    }
}

/// A message that could be parsed, and what is around it.
struct Look<'a> {
    input: &'a [u8],
    /// Where the message begins.
    base: usize,
    /// How many bytes follow it.
    ignored: usize,
    options: &'a ParseOptions,
}

impl Look<'_> {
    fn at(&self, message: &Message) -> Finding {
        let mut fields = Fields::of(message.headers(), self.base);
        let (kind, start_line, mut json) = match message {
            Message::Request(request) => self.request(request, &mut fields),
            Message::Response(response) => self.response(response, &mut fields),
        };
        let body = body::Body::of(message, self.input, self.base);
        fields.faults.extend(body.fault.clone());
        let faults = fields.sorted_faults();
        let mut rows = start_line;
        rows.extend(fields.rows(self.input, self.base + message.as_bytes().len()));
        rows.extend(body.rows);
        if self.ignored > 0 {
            rows.push(self.ignored_row(message));
        }
        json = json
            .with("headers", fields.headers)
            .with("typed", Node::Map(fields.typed))
            .with("body_length", message.body().len().into());
        json = body.json.into_iter().fold(json, |json, body| json.with("body", body));
        if self.ignored > 0 {
            json = json.with("ignored_length", self.ignored.into());
        }
        if !faults.is_empty() {
            json = json.with("errors", faults.iter().map(Fault::node).collect());
        }
        let (length, errors) = (message.as_bytes().len(), finding::errors(faults.len()));
        Finding::new(format!("{kind}  ({length} bytes{errors})"), rows, json, faults.is_empty())
    }

    fn request(&self, request: &Request, fields: &mut Fields) -> (String, Vec<Row>, Node) {
        let (method, uri, version) = (request.method(), request.uri_text(), request.version());
        let uri_at = self.base + method.as_str().len() + 1;
        let mut rows =
            vec![Row::at(self.base, 0, "method", method.as_str()), Row::at(uri_at, 0, "uri", uri)];
        match request.uri() {
            Ok(uri) => {
                let node = typed::uri(&uri);
                rows.extend(Row::parts(1, &node));
                fields.typed.insert(0, ("request_uri".to_owned(), node));
            }
            Err(error) => fields.fault(&error, self.base),
        }
        rows.push(Row::at(uri_at + uri.len() + 1, 0, "version", version));
        let valid = ValidRequest::new(request.clone(), self.options);
        fields.verdict(valid.map_err(|rejection| rejection.error).err(), self.base);
        let json = Node::map([
            ("kind", "request".into()),
            ("method", method.as_str().into()),
            ("uri", uri.into()),
            ("version", version.into()),
        ]);
        (format!("request  {method} {uri}"), rows, json)
    }

    fn response(&self, response: &Response, fields: &mut Fields) -> (String, Vec<Row>, Node) {
        let (status, version) = (response.status(), response.version());
        let reason = String::from_utf8_lossy(response.reason_bytes());
        let status_at = self.base + version.len() + 1;
        let mut rows = vec![
            Row::at(self.base, 0, "version", version),
            Row::at(status_at, 0, "status", &status.to_string()),
        ];
        if !reason.is_empty() {
            rows.push(Row::at(status_at + 4, 0, "reason", &reason));
        }
        let valid = ValidResponse::new(response.clone(), self.options);
        fields.verdict(valid.err(), self.base);
        let json = Node::map([
            ("kind", "response".into()),
            ("status", status.as_u16().into()),
            ("reason", reason.as_ref().into()),
            ("version", version.into()),
        ]);
        (format!("response  {status} {reason}"), rows, json)
    }

    fn ignored_row(&self, message: &Message) -> Row {
        let says = format!("{} bytes behind the body (RFC 3261 §18.3)", self.ignored);
        Row::at(self.base + message.as_bytes().len(), 0, "ignored", &says)
    }
}
