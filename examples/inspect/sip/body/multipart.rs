//! `multipart/*`: bodies with header fields of their own (RFC 2046 §5.1, RFC 5621).

use bytes::Bytes;
use offhook::sip_message::{MediaType, Multipart, Part};

use super::Body;
use crate::{fault::Fault, node::Node, sip::fields::Fields, tree::Row};

/// The multipart that begins at byte `start` of `input`.
pub(super) fn read(media_type: &MediaType, bytes: &Bytes, input: &[u8], start: usize) -> Body {
    let multipart = match Multipart::parse(media_type, bytes) {
        Ok(multipart) => multipart,
        Err(error) => return Body::refused(Fault::of_sip(&error, start), input),
    };
    let (mut whole, mut nodes) = (Body::default(), Vec::new());
    for (part, number) in multipart.parts().iter().zip(1..) {
        // The bytes of a part are a part of the bytes of the body.
        let at = part.as_bytes().as_ptr().addr().saturating_sub(bytes.as_ptr().addr());
        let body = read_part(part, input, start + at);
        whole.rows.push(Row::at(start + at, 0, &format!("part {number}"), ""));
        whole.rows.extend(body.rows.into_iter().map(Row::deeper));
        whole.faults.extend(body.faults);
        nodes.extend(body.json);
    }
    let subtype = media_type.subtype.to_string().to_ascii_lowercase();
    whole.json = Some(Node::map([
        ("kind", "multipart".into()),
        ("subtype", subtype.into()),
        ("parts", Node::List(nodes)),
    ]));
    whole
}

/// The part that begins at byte `start`. Parts can be multiparts; the parser bounds the depth.
fn read_part(part: &Part, input: &[u8], start: usize) -> Body {
    let bytes = part.body();
    let body_at = start + part.as_bytes().len() - bytes.len();
    let fields = Fields::of(part.headers(), start);
    let body = Body::of(part.headers(), &bytes, input, body_at);
    let mut rows = fields.rows(input, body_at);
    rows.extend(body.rows);
    let json = Node::map([
        ("headers", fields.headers),
        ("typed", Node::Map(fields.typed)),
        ("body_length", bytes.len().into()),
    ]);
    let json = body.json.into_iter().fold(json, |json, body| json.with("body", body));
    let faults = fields.faults.into_iter().chain(body.faults).collect();
    Body { rows, json: Some(json), faults }
}
