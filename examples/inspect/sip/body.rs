//! The body of a message: shown in parts when it is a session description.

use offhook::sip_message::{ContentEncoding, ContentType, Message};

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
        let mut body = Self { rows: vec![Row::at(start, 0, "body", &says)], ..Self::default() };
        let plain = message.headers_of::<ContentEncoding>().next().is_none();
        let is_sdp = content_type.is_some_and(|it| it.is("application/sdp"));
        if plain && is_sdp && !bytes.is_empty() {
            match sdp::read(&bytes, start, 1) {
                Ok((rows, json)) => {
                    body.rows.extend(rows);
                    body.json = Some(json);
                }
                Err(fault) => {
                    body.rows.push(Row::fault(1, &fault, input));
                    body.faults.push(fault);
                }
            }
        }
        body
    }
}
