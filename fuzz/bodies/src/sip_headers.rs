//! Every typed header field of a message: read, written, and read again.

use std::fmt::Debug;

use bytes::Bytes;
use offhook_sip_message::{
    Accept, Allow, AllowEvents, CSeq, CallId, Contact, ContentDisposition, ContentEncoding,
    ContentLength, ContentType, Date, Expires, From, Header, Headers, MaxForwards, MinExpires,
    Organization, PAssertedIdentity, ParseError, Path, Priority, ProxyRequire, RSeq, Reason,
    RecordRoute, ReferTo, ReferredBy, ReplyTo, Require, RetryAfter, Route, Server, ServiceRoute,
    Subject, Supported, Timestamp, To, Unsupported, Uri, UserAgent, Via, Warning, WireText,
};

use crate::Promised;

/// Reads every typed header field.
pub(crate) fn read_all(headers: &Headers) {
    addresses(headers);
    read::<Via>(headers, |via| {
        let _ = (via.branch(), via.received(), via.rport(), via.maddr(), via.ttl());
    });
    read::<CSeq>(headers, |cseq| assert!(!cseq.method.as_str().is_empty()));
    read::<CallId>(headers, |call_id| assert!(!call_id.as_str().is_empty()));
    read::<ContentType>(headers, |it| assert!(!it.is("no/such-type")));
    read::<Accept>(headers, |it| assert!(it.0.covers(&format!("{}/{}", it.0.kind, it.0.subtype))));
    read::<ContentDisposition>(headers, |it| {
        it.is_required();
    });
    read::<Reason>(headers, |reason| {
        let _ = (reason.cause(), reason.text());
    });
    plain(headers);
}

fn addresses(headers: &Headers) {
    read::<From>(headers, |it| is_good_uri(it.uri()));
    read::<To>(headers, |it| is_good_uri(it.uri()));
    read::<Contact>(headers, |it| {
        let _ = (it.expires(), it.parameters());
        it.uri().into_iter().for_each(is_good_uri);
    });
    read::<Route>(headers, |it| is_good_uri(it.uri()));
    read::<RecordRoute>(headers, |it| is_good_uri(it.uri()));
    read::<Path>(headers, |it| is_good_uri(it.uri()));
    read::<ServiceRoute>(headers, |it| is_good_uri(it.uri()));
    read::<ReplyTo>(headers, |it| is_good_uri(it.uri()));
    read::<ReferTo>(headers, |it| is_good_uri(it.uri()));
    read::<ReferredBy>(headers, |it| is_good_uri(it.uri()));
    read::<PAssertedIdentity>(headers, |it| is_good_uri(it.uri()));
}

/// Those without questions of their own.
fn plain(headers: &Headers) {
    read::<Allow>(headers, drop_ref);
    read::<AllowEvents>(headers, drop_ref);
    read::<ContentEncoding>(headers, drop_ref);
    read::<ContentLength>(headers, drop_ref);
    read::<Date>(headers, drop_ref);
    read::<Expires>(headers, drop_ref);
    read::<MaxForwards>(headers, drop_ref);
    read::<MinExpires>(headers, drop_ref);
    read::<Organization>(headers, drop_ref);
    read::<Priority>(headers, drop_ref);
    read::<ProxyRequire>(headers, drop_ref);
    read::<RSeq>(headers, drop_ref);
    read::<Require>(headers, drop_ref);
    read::<RetryAfter>(headers, drop_ref);
    read::<Server>(headers, drop_ref);
    read::<Subject>(headers, drop_ref);
    read::<Supported>(headers, drop_ref);
    read::<Timestamp>(headers, drop_ref);
    read::<Unsupported>(headers, drop_ref);
    read::<UserAgent>(headers, drop_ref);
    read::<Warning>(headers, drop_ref);
}

const fn drop_ref<H>(_: &H) {}

/// Reads all values of `H`: what is read can be written, and what is written can be read.
fn read<H: Header + Debug + PartialEq>(headers: &Headers, ask: impl Fn(&H)) {
    let mut values = 0usize;
    for value in headers.headers_of::<H>() {
        values = values.saturating_add(1);
        assert!(values <= MOST_VALUES, "a list is no longer than its text");
        match value {
            Ok(header) => {
                ask(&header);
                round_trip(&header);
            }
            Err(error) => {
                assert_eq!(error.header(), Some(H::NAME), "an error names its header field");
                assert!(error.offset() <= MOST_VALUES, "an error lies within the message");
            }
        }
    }
}

fn round_trip<H: Header + Debug + PartialEq>(header: &H) {
    let text = write(header);
    let again = H::parse(&WireText::from(text.as_str()));
    let again = again.promised(&format!("{} can be read back from {text:?}", H::NAME));
    assert_eq!(&again, header, "{} is read back as {text:?}", H::NAME);
    assert_eq!(write(&again), text, "{} is written the same again", H::NAME);
}

fn write(header: &impl Header) -> String {
    let mut text = String::new();
    header.write(&mut text);
    text
}

/// A URI that was read can be written and read again, and is equal to itself.
pub(crate) fn is_good_uri(uri: &Uri) {
    let text = uri.to_string();
    let again = Uri::parse(&WireText::from(text.as_str()));
    let again = again.promised(&format!("the URI {text:?} can be read back"));
    assert_eq!(&again, uri, "a URI is equal to itself");
    assert_eq!(again.to_string(), text, "a URI is written the same again");
    assert!(!uri.scheme().is_empty());
    let Some(sip) = uri.as_sip() else { return };
    let _ = (sip.user_text(), sip.transport(), sip.is_loose_router(), sip.host.ip());
    assert!(sip.header_fields().count() <= text.len());
}

/// An error says where, what and by which clause, in one line.
pub(crate) fn is_good_error(error: &ParseError, bytes: &Bytes) {
    assert!(error.offset() <= bytes.len(), "an error lies within its text: {error}");
    assert!(!error.expected().is_empty() && error.rfc().starts_with("RFC "), "{error:?}");
    assert!(!error.to_string().contains('\n'), "an error is one line");
    assert!(matches!(error.status().class(), 4..=6), "an error has a status that refuses");
    let shown = error.caret(bytes);
    assert!(shown.contains('^') && shown.len() < LONGEST_CARET, "a caret is bounded");
}

/// No message is longer (its limit is 65 535 bytes).
const MOST_VALUES: usize = 65_536;
/// Two reaches of 100 bytes, each up to three bytes of UTF-8, the margin, and the error.
const LONGEST_CARET: usize = 2_000;
