//! The request line or the status line (RFC 3261 §7.1, §7.2).

use offhook::sip_message::{Message, ParseError, Request, Response};

use crate::{node::Node, tree::Row, typed};

/// What the start line says.
pub(crate) struct StartLine {
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
    /// The first entries of the JSON.
    pub(crate) json: Node,
    /// The Request-URI with its parts, if it could be read.
    pub(crate) request_uri: Option<Node>,
    pub(crate) error: Option<ParseError>,
}

impl StartLine {
    /// The start line of a message that begins at byte `base`.
    pub(crate) fn of(message: &Message, base: usize) -> Self {
        match message {
            Message::Request(request) => Self::of_request(request, base),
            Message::Response(response) => Self::of_response(response, base),
        }
    }

    pub(super) fn of_request(request: &Request, base: usize) -> Self {
        let (method, uri, version) = (request.method(), request.uri_text(), request.version());
        let uri_at = base + method.as_str().len() + 1;
        let (request_uri, error) = match request.uri() {
            Ok(uri) => (Some(typed::uri(&uri)), None),
            Err(error) => (None, Some(error)),
        };
        let mut rows = vec![Row::at(base, 0, "method", method.as_str())];
        rows.push(Row::at(uri_at, 0, "uri", uri));
        rows.extend(request_uri.iter().flat_map(|uri| Row::parts(1, uri)));
        rows.push(Row::at(uri_at + uri.len() + 1, 0, "version", version));
        let json = Node::map([
            ("kind", "request".into()),
            ("method", method.as_str().into()),
            ("uri", uri.into()),
            ("version", version.into()),
        ]);
        Self { title: format!("request  {method} {uri}"), rows, json, request_uri, error }
    }

    pub(super) fn of_response(response: &Response, base: usize) -> Self {
        let (status, version) = (response.status(), response.version());
        let reason = String::from_utf8_lossy(response.reason_bytes());
        let status_at = base + version.len() + 1;
        let mut rows = vec![Row::at(base, 0, "version", version)];
        rows.push(Row::at(status_at, 0, "status", &status.to_string()));
        if !reason.is_empty() {
            rows.push(Row::at(status_at + 4, 0, "reason", &reason));
        }
        let json = Node::map([
            ("kind", "response".into()),
            ("status", status.as_u16().into()),
            ("reason", reason.as_ref().into()),
            ("version", version.into()),
        ]);
        let title = format!("response  {status} {reason}");
        Self { title, rows, json, request_uri: None, error: None }
    }
}
