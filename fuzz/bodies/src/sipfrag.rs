//! Fragments of SIP messages.

use bytes::Bytes;
use offhook_sip_message::{ParseOptions, Sipfrag};

use crate::{
    Promised, is_within,
    sip_headers::{is_good_error, read_all},
};

/// Reads one fragment in both profiles.
pub fn sipfrag(data: &[u8]) {
    let bytes = Bytes::copy_from_slice(data);
    let strict = read(&bytes, &ParseOptions::strict());
    let tolerant = read(&bytes, &ParseOptions::default());
    let Some(strict) = strict else { return };
    let tolerant = tolerant.ok_or("refused").promised("what is strictly right is right");
    assert!(same(&strict, &tolerant), "the profiles read nothing differently");
}

fn read(bytes: &Bytes, options: &ParseOptions) -> Option<Sipfrag> {
    let sipfrag = match Sipfrag::parse_with(bytes, options) {
        Ok(sipfrag) => sipfrag,
        Err(error) => {
            is_good_error(&error, bytes);
            return None;
        }
    };
    assert!(is_within(sipfrag.as_bytes(), bytes), "a fragment is a part of its text");
    assert!(sipfrag.as_bytes().ends_with(&sipfrag.body()), "the body is the end");
    read_all(sipfrag.headers());
    let again = Sipfrag::parse_with(sipfrag.as_bytes(), options).promised("it is read again");
    assert!(same(&sipfrag, &again), "a fragment is read again as it was");
    assert_eq!(sipfrag.status().is_some(), sipfrag.response().is_some());
    assert!(sipfrag.response().is_none() || sipfrag.request().is_none());
    if let Some(response) = sipfrag.response() {
        let line = Sipfrag::status_line_of(response);
        let line = Sipfrag::parse(&line).promised("a status line is a fragment");
        assert_eq!(line.status(), sipfrag.status());
        assert_eq!(
            line.response().map(|it| it.reason_bytes()),
            Some(response.reason_bytes()),
            "the reason is kept"
        );
    }
    Some(sipfrag)
}

fn same(one: &Sipfrag, other: &Sipfrag) -> bool {
    (one.as_bytes(), one.body()) == (other.as_bytes(), other.body())
        && one.status() == other.status()
        && one.headers().len() == other.headers().len()
}
