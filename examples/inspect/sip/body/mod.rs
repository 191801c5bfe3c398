//! Bodies: session descriptions, parts of messages and multiparts are taken apart.

use bytes::Bytes;
use offhook::sip_message::{ContentEncoding, ContentType, Headers, MediaType};

mod fragment;
mod multipart;

use crate::{fault::Fault, finding, node::Node, sdp, tree::Row};

/// What a body holds.
#[derive(Default)]
pub(super) struct Body {
    pub(super) rows: Vec<Row>,
    /// The body taken apart, if it is of a kind that is read here.
    pub(super) json: Option<Node>,
    /// What is wrong in it and makes the message wrong.
    pub(super) faults: Vec<Fault>,
}

impl Body {
    /// The body `bytes`, which `headers` describe and which begins at byte `start` of `input`.
    pub(super) fn of(headers: &Headers, bytes: &Bytes, input: &[u8], start: usize) -> Self {
        let content_type = headers.header::<ContentType>().ok().flatten();
        let says = match (&content_type, bytes.len()) {
            (_, 0) => "none".to_owned(),
            (Some(ContentType(media_type)), length) => {
                format!("{}, {media_type}", finding::count(length, "byte"))
            }
            (None, length) => finding::count(length, "byte"),
        };
        let is_plain = headers.headers_of::<ContentEncoding>().next().is_none();
        let mut body = match content_type {
            Some(ContentType(media_type)) if is_plain && !bytes.is_empty() => {
                Self::read(&media_type, bytes, input, start)
            }
            Some(_) | None => Self::default(),
        };
        body.rows = body.rows.into_iter().map(Row::deeper).collect();
        body.rows.insert(0, Row::at(start, 0, "body", &says));
        body
    }

    fn read(media_type: &MediaType, bytes: &Bytes, input: &[u8], start: usize) -> Self {
        if media_type.is("application/sdp") {
            match sdp::read(bytes, start) {
                Ok((rows, json)) => Self { rows, json: Some(json), faults: vec![] },
                Err(fault) => Self::refused(fault, input),
            }
        } else if media_type.is("message/sipfrag") {
            fragment::read(bytes, input, start)
        } else if media_type.kind.eq_ignore_ascii_case("multipart") {
            multipart::read(media_type, bytes, input, start)
        } else {
            Self::default()
        }
    }

    fn refused(fault: Fault, input: &[u8]) -> Self {
        Self { rows: vec![Row::fault(0, &fault, input)], json: None, faults: vec![fault] }
    }
}
