//! Bodies of many parts: every part lies within the body, and what is built is read back.

use bytes::Bytes;
use offhook_sip_message::{MediaType, Multipart, ParseOptions, Part};

use crate::{
    Promised, is_within,
    sip_headers::{is_good_error, read_all},
};

/// Reads a body in both profiles. The first line of the input is its `Content-Type`.
pub fn sip_multipart(data: &[u8]) {
    let mut parts = data.splitn(2, |&byte| byte == b'\n');
    let media_type = parts.next().and_then(|line| str::from_utf8(line).ok()).unwrap_or_default();
    let Ok(media_type) = media_type.trim_end().parse::<MediaType>() else { return };
    let body = Bytes::copy_from_slice(parts.next().unwrap_or_default());
    let strict = read(&media_type, &body, &ParseOptions::strict());
    let tolerant = read(&media_type, &body, &ParseOptions::default());
    let Some(strict) = strict else { return };
    let tolerant = tolerant.ok_or("refused").promised("what is strictly right is right");
    assert!(same(&strict, &tolerant), "the profiles read nothing differently");
}

fn read(media_type: &MediaType, body: &Bytes, options: &ParseOptions) -> Option<Multipart> {
    match Multipart::parse_with(media_type, body, options) {
        Ok(multipart) => {
            assert_eq!(multipart.as_bytes(), body, "it is kept as it came");
            let again = Multipart::parse_with(media_type, multipart.as_bytes(), options);
            assert!(same(&multipart, &again.promised("it is read again")));
            let count = check(&multipart, MAX_DEPTH);
            assert!(count <= MAX_PARTS, "the number of parts is bounded");
            build(&multipart);
            Some(multipart)
        }
        Err(error) => {
            is_good_error(&error, body);
            None
        }
    }
}

/// Every part lies within the body, in order. Tells how many there are.
fn check(multipart: &Multipart, depth: usize) -> usize {
    let body = multipart.as_bytes();
    let texts = [multipart.preamble(), multipart.epilogue()].into_iter();
    let all: Vec<&Bytes> = texts.chain(multipart.parts().iter().map(Part::as_bytes)).collect();
    assert!(all.iter().all(|part| is_within(part, body)), "a part lies within the body");
    let sum: usize = all.iter().map(|part| part.len()).sum();
    assert!(sum <= body.len(), "no byte is in two parts");
    let ask = |part: &Part| check_part(part, depth);
    let count = multipart.parts().iter().map(ask).sum();
    assert!(multipart.not_understood(|_| true).len() <= multipart.parts().len());
    assert!(multipart.not_understood(|_| false).len() <= MAX_PARTS);
    count
}

fn check_part(part: &Part, depth: usize) -> usize {
    assert!(depth > 0, "the nesting is bounded");
    read_all(part.headers());
    assert!(part.as_bytes().ends_with(&part.body()), "the body is the end of a part");
    let nested = part.multipart().map_or(0, |nested| check(nested, depth.saturating_sub(1)));
    if let Ok(media_type) = part.media_type() {
        assert!(part.is(&format!("{}/{}", media_type.kind, media_type.subtype)));
    }
    nested.saturating_add(1)
}

/// The same bodies, written by us, are read as the same bodies.
fn build(multipart: &Multipart) {
    let bodies: Vec<Bytes> = multipart.parts().iter().map(Part::body).collect();
    if bodies.is_empty() {
        return;
    }
    let add = |builder: offhook_sip_message::MultipartBuilder, body: &Bytes| {
        builder.part("application/octet-stream", body.clone())
    };
    let built = bodies.iter().fold(Multipart::builder("mixed"), add).build();
    let built = built.promised("any bodies can be the parts of a multipart");
    let read: Vec<Bytes> = built.parts().iter().map(Part::body).collect();
    assert_eq!(read, bodies, "what is built holds what was given");
}

fn same(one: &Multipart, other: &Multipart) -> bool {
    let bytes = |it: &Multipart| -> Vec<Bytes> {
        it.parts().iter().map(|part| part.as_bytes().clone()).collect()
    };
    one.preamble() == other.preamble()
        && one.epilogue() == other.epilogue()
        && bytes(one) == bytes(other)
}

/// What the documentation promises.
const MAX_PARTS: usize = 64;
/// The outermost one and four below it.
const MAX_DEPTH: usize = 5;
