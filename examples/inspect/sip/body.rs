//! The body of a message, taken apart when it is a session description or a part of a message.

use bytes::Bytes;
use offhook::sip_message::{ContentEncoding, ContentType, Message, Sipfrag};

use super::{fields::Fields, start_line::StartLine};
use crate::{fault::Fault, node::Node, sdp, tree::Row};

/// What the body holds.
#[derive(Default)]
pub(crate) struct Body {
    pub(crate) rows: Vec<Row>,
    /// The body taken apart, if it is of a kind that is read here.
    pub(crate) json: Option<Node>,
    pub(crate) faults: Vec<Fault>,
}

impl Body {
    /// The body of a message that begins at byte `base` of `input`.
    pub(crate) fn of(message: &Message, input: &[u8], base: usize) -> Self {
        let bytes = message.body();
        let start = base + message.as_bytes().len() - bytes.len();
        let content_type = message.header::<ContentType>().ok().flatten();
        let says = match (&content_type, bytes.len()) {
            (_, 0) => "none".to_owned(),
            (Some(ContentType(media_type)), length) => format!("{length} bytes, {media_type}"),
            (None, length) => format!("{length} bytes"),
        };
        let is_plain = message.headers_of::<ContentEncoding>().next().is_none();
        let content_type = content_type.filter(|_| is_plain && !bytes.is_empty());
        let content = content_type.map(|it| Self::read(&it, &bytes, input, start));
        let mut body = content.unwrap_or_default();
        body.rows = body.rows.into_iter().map(Row::deeper).collect();
        body.rows.insert(0, Row::at(start, 0, "body", &says));
        body
    }

    fn read(content_type: &ContentType, bytes: &Bytes, input: &[u8], start: usize) -> Self {
        if content_type.is("application/sdp") {
            match sdp::read(bytes, start) {
                Ok((rows, json)) => Self { rows, json: Some(json), faults: vec![] },
                Err(fault) => Self::refused(fault, input),
            }
        } else if content_type.is("message/sipfrag") {
            match Sipfrag::parse(bytes) {
                Ok(fragment) => Self::fragment(&fragment, input, start),
                Err(error) => Self::refused(Fault::of_sip(&error, start), input),
            }
        } else {
            Self::default()
        }
    }

    /// A start line, header fields, or both (RFC 3420 §2).
    fn fragment(fragment: &Sipfrag, input: &[u8], start: usize) -> Self {
        let start_line = match (fragment.request(), fragment.response()) {
            (Some(request), _) => Some(StartLine::of_request(request, start)),
            (None, Some(response)) => Some(StartLine::of_response(response, start)),
            (None, None) => None,
        };
        let mut fields = Fields::of(fragment.headers(), start);
        let (mut rows, mut json) = (vec![], Node::map([("kind", "fragment".into())]));
        if let Some(line) = start_line {
            let error = line.error.iter().map(|error| Fault::of_sip(error, start));
            error.for_each(|fault| fields.keep_fault(fault));
            (rows, json) = (line.rows, line.json);
        }
        rows.extend(fields.rows(input, start + fragment.as_bytes().len()));
        json = json
            .with("headers", fields.headers)
            .with("typed", Node::Map(fields.typed))
            .with("body_length", fragment.body().len().into());
        Self { rows, json: Some(json), faults: fields.faults }
    }

    fn refused(fault: Fault, input: &[u8]) -> Self {
        Self { rows: vec![Row::fault(0, &fault, input)], json: None, faults: vec![fault] }
    }
}
