//! URIs: SIP, SIPS, telephone numbers and all others.

use bytes::Bytes;
use offhook_sip_message::{Profile, SipUri, TelUri, Uri, WireText, escape_user, unescape};

use crate::{
    Promised, are_equal,
    sip_headers::{is_good_error, is_good_uri},
};

/// Reads URIs, one a line, in both profiles, and holds them against each other.
pub fn uri(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    let uris: Vec<Uri> = text.split('\n').take(MOST_COMPARED).filter_map(read).collect();
    for (at, one) in uris.iter().enumerate() {
        assert!(are_equal(one, one), "a URI is equal to itself");
        for other in uris.iter().take(at) {
            compare(one, other);
        }
    }
}

fn read(text: &str) -> Option<Uri> {
    let read = |profile| Uri::parse(&WireText::new(text, profile));
    let (strict, tolerant) = (read(Profile::Strict), read(Profile::Tolerant));
    for error in [strict.as_ref().err(), tolerant.as_ref().err()].into_iter().flatten() {
        is_good_error(error, &Bytes::copy_from_slice(text.as_bytes()));
    }
    if let Ok(strict) = &strict {
        assert_eq!(Some(strict), tolerant.as_ref().ok(), "what is strictly right is right");
        let again = Uri::parse(&WireText::new(&strict.to_string(), Profile::Strict));
        let again = again.promised("what is strictly right is written so");
        assert_eq!((&again, again.to_string()), (strict, strict.to_string()));
    }
    let uri = tolerant.ok()?;
    is_good_uri(&uri);
    match &uri {
        Uri::Sip(sip) => is_good_sip(sip),
        Uri::Tel(tel) => is_good_number(tel),
        Uri::Absolute(uri) => {
            assert_eq!(format!("{}:{}", uri.scheme(), uri.opaque()), uri.as_str());
        }
    }
    Some(uri)
}

fn is_good_sip(sip: &SipUri) {
    let key = sip.address_of_record();
    let again = key.to_string().parse::<Uri>().promised("a key is a URI");
    let again = again.as_sip().map(SipUri::address_of_record);
    assert_eq!(again.as_ref(), Some(&key), "the canonical form is stable");
    assert_eq!(again.map(|key| key.to_string()), Some(key.to_string()));
    if let Some(user) = key.user() {
        let text = String::from_utf8_lossy(user);
        assert_eq!(unescape(&escape_user(&text)).as_ref(), text.as_bytes());
    }
    if let Some(number) = sip.telephone() {
        is_good_number(&number);
    }
}

/// A number lies within the user part of a SIP URI, and comes out of it again. A user part cannot
/// tell the escape of `:`, `[` or `]` from the character, which must be escaped there (RFC 3261
/// §25.1); in a `tel` URI these are two things (RFC 3966 §3).
fn is_good_number(number: &TelUri) {
    assert!(number.digits().len() <= number.number().len());
    assert!(number.mandatory_parameters().count() <= number.parameters().count());
    let text = number.as_str().to_ascii_lowercase();
    if ["%3a", "%5b", "%5d"].iter().any(|escape| text.contains(escape)) {
        return;
    }
    let host = || offhook_sip_message::Host::Name("gateway.example".into());
    let sip = number.to_sip_uri(host());
    assert_eq!(sip.telephone().as_ref(), Some(number), "a number survives in a SIP URI: {sip}");
    let again = sip.to_string().parse::<Uri>().promised("a number makes a SIP URI");
    assert_eq!(again, Uri::Sip(sip.clone()));
    let twice = sip.telephone().map(|number| number.to_sip_uri(host()));
    assert_eq!(twice, Some(sip), "the form in a SIP URI is stable");
}

fn compare(one: &Uri, other: &Uri) {
    if !are_equal(one, other) {
        return;
    }
    assert_eq!(one.scheme().to_ascii_lowercase(), other.scheme().to_ascii_lowercase());
    match (one, other) {
        (Uri::Sip(one), Uri::Sip(other)) => {
            assert_eq!(one.address_of_record(), other.address_of_record(), "one user, one key");
        }
        (Uri::Tel(one), Uri::Tel(other)) => same_number(one, other),
        (Uri::Absolute(_), Uri::Absolute(_)) => {}
        (Uri::Sip(_) | Uri::Tel(_) | Uri::Absolute(_), _) => {
            unreachable!("broken promise: schemes are not equal")
        }
    }
}

/// Equal numbers hash alike, and make equal SIP URIs, in which visual separators count.
fn same_number(one: &TelUri, other: &TelUri) {
    assert_eq!(hash(one), hash(other), "equal numbers hash alike");
    let separators = ['-', '.', '(', ')'];
    if one.as_str().contains(separators) || other.as_str().contains(separators) {
        return;
    }
    let host = || offhook_sip_message::Host::Name("gateway.example".into());
    assert_eq!(one.to_sip_uri(host()), other.to_sip_uri(host()), "equal numbers, equal SIP URIs");
}

fn hash(value: &impl std::hash::Hash) -> u64 {
    use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
    BuildHasherDefault::<DefaultHasher>::default().hash_one(value)
}

/// Each is held against all others.
const MOST_COMPARED: usize = 8;
