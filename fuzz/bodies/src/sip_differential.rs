//! SIP messages beside another parser, `rsip` 0.4: where both take a message they must agree, and
//! where one does not, the reason must be a known one. Who is right is told by the RFC.

use std::collections::BTreeSet;

use bytes::Bytes;
use offhook_sip_message::{
    CSeq, HeaderName, Message, ParseError, ParseOptions, Request, SipUri, StatusCode, Text,
};
use rsip::{
    SipMessage,
    headers::{ToTypedHeader, UntypedHeader},
    message::{HasHeaders, HeadersExt},
};

/// Reads one datagram with both.
pub fn sip_differential(data: &[u8]) {
    let datagram = Bytes::copy_from_slice(data);
    let ours = Message::parse_with(datagram.clone(), &ParseOptions::default());
    let theirs = SipMessage::try_from(data);
    match (&ours, &theirs) {
        (_, Ok(theirs)) if has_lines_in_uri(theirs) => {}
        (Ok(ours), Ok(theirs)) => agree(ours, theirs, data),
        (Err(error), Ok(_)) => assert!(only_they_take(error, data), "only rsip takes it: {error}"),
        (Ok(ours), Err(error)) => {
            assert!(only_we_take(ours, data), "rsip does not take it: {error}");
        }
        (Err(_), Err(_)) => {}
    }
}

/// A request line is one line (RFC 3261 §7.1). rsip reads a host up to the next space and looks for
/// the end of a scheme in the whole message, over line ends.
fn has_lines_in_uri(theirs: &SipMessage) -> bool {
    match theirs {
        SipMessage::Request(theirs) => theirs.uri.to_string().contains(['\r', '\n']),
        SipMessage::Response(_) => false,
    }
}

fn agree(ours: &Message, theirs: &SipMessage, data: &[u8]) {
    match (ours, theirs) {
        (Message::Request(ours), SipMessage::Request(theirs)) => same_request_line(ours, theirs),
        (Message::Response(ours), SipMessage::Response(theirs)) => {
            assert_eq!(ours.status(), StatusCode::new(theirs.status_code.code()).unwrap_or(NONE));
        }
        (Message::Request(_) | Message::Response(_), _) => {
            unreachable!("broken promise: a request is no response")
        }
    }
    if has_lone_line_end(data) {
        // RFC 3261 §7 ends each line with CRLF. A bare LF is a line end to us, as to the peers that
        // send it, and a part of the value to rsip.
        return;
    }
    same_headers(ours, theirs);
    if ours.headers().is_empty() {
        // RFC 3261 §7: the empty line is behind the start line then, and all else is the body. rsip
        // looks for two line ends in a row behind that line, and takes them from the body.
        return;
    }
    // RFC 3261 §18.3: bytes beyond the Content-Length are dropped. rsip keeps them.
    assert!(theirs.body().starts_with(&ours.body()), "one body");
    if ours.headers().count(HeaderName::CONTENT_LENGTH) == 0 {
        assert_eq!(theirs.body(), &ours.body()[..], "without a length the body is the rest");
    }
}

fn same_request_line(ours: &Request, theirs: &rsip::Request) {
    // RFC 3261 §7.1: methods have case. rsip reads its own ones without.
    let method = theirs.method.to_string();
    assert!(ours.method().as_str().eq_ignore_ascii_case(&method), "one method");
    let Ok(uri) = ours.uri() else { return };
    let Some(sip) = uri.as_sip() else { return };
    if !is_plain(sip) {
        return;
    }
    assert_eq!(theirs.uri.is_sips().unwrap_or_default(), sip.secure, "one scheme");
    let auth = theirs.uri.auth.as_ref();
    assert_eq!(auth.map(|it| &*it.user), sip.user.as_deref(), "one user");
    let password = auth.and_then(|it| it.password.as_deref());
    assert_eq!(password, sip.password.as_deref(), "one password");
    let host = theirs.uri.host_with_port.host.to_string();
    assert!(host.eq_ignore_ascii_case(&sip.host.to_string()), "one host");
    let port = theirs.uri.host_with_port.port.as_ref().map(|it| *it.value());
    assert_eq!(port, sip.port, "one port");
    // RFC 3261 §25.1 `pname`: rsip counts the one without a name behind a semicolon at the end.
    // What says the same again is one parameter to us, as phones write it.
    let named = theirs.uri.params.iter().map(|it| it.to_string().to_ascii_lowercase());
    let named: BTreeSet<String> = named.filter(|it| it != ";").collect();
    assert_eq!(named.len(), sip.parameters.len(), "as many parameters");
}

/// Whether rsip can read the URI: it looks for the end of the user at a dot as well (against
/// RFC 3261 §25.1 `user-unreserved`), takes brackets and `?` for parts of a host name (§19.1.1),
/// and takes `//` for the end of a scheme that is there already.
fn is_plain(uri: &SipUri) -> bool {
    let has = |part: &Option<Text>, what: &[char]| {
        part.as_deref().is_some_and(|part| part.contains(what))
    };
    !has(&uri.user, &['.', ';', '?', '/', ':', ' '])
        && !has(&uri.password, &['.', ';', '/', ':'])
        && uri.headers.is_none()
        && uri.host.ip().is_none_or(|ip| ip.is_ipv4())
}

fn same_headers(ours: &Message, theirs: &SipMessage) {
    let rows: Vec<_> = theirs.headers().iter().collect();
    assert_eq!(ours.headers().len(), rows.len(), "as many header fields");
    for ((name, value), other) in ours.headers().iter().zip(rows) {
        let other = other.to_string();
        let Some((other_name, other_value)) = other.split_once(':') else {
            unreachable!("broken promise: a header field has a colon: {other:?}")
        };
        assert_eq!(HeaderName::new(other_name), Ok(name), "one name");
        assert_eq!(other_value.trim_matches(WHITE).as_bytes(), value, "one value");
    }
    same_identity(ours, theirs);
}

/// `Call-ID` and `CSeq`, which rsip finds by their long names only (against RFC 3261 §7.3.3).
fn same_identity(ours: &Message, theirs: &SipMessage) {
    if let Ok(theirs) = theirs.call_id_header()
        && ours.headers().fields().any(|field| field.name_as_written().len() > 1)
        && ours.headers().count(HeaderName::CALL_ID) == 1
    {
        let value = ours.headers().get_raw(HeaderName::CALL_ID);
        assert_eq!(value, Some(theirs.value().trim_matches(WHITE).as_bytes()), "one Call-ID");
    }
    if let (Ok(theirs), Ok(Some(ours))) = (theirs.cseq_header(), ours.header::<CSeq>())
        && let Ok(theirs) = theirs.typed()
    {
        assert_eq!(theirs.seq, ours.number, "one number in CSeq");
        assert!(ours.method.as_str().eq_ignore_ascii_case(&theirs.method.to_string()));
    }
}

/// Why we refuse what rsip takes. All but the limits are asked for by the clause.
fn only_they_take(error: &ParseError, data: &[u8]) -> bool {
    // Without an empty line rsip takes the first header field for all of them.
    if !data.windows(4).any(|it| it == b"\r\n\r\n") {
        return true;
    }
    match (error.rfc(), error.expected()) {
        // The message ends with the header fields, or with the start line.
        ("RFC 3261 §7", "an empty line after the header fields") => true,
        // A lone CR is no line end and in no value: TEXT-UTF8-TRIM and LWS have none (§25.1).
        ("RFC 3261 §7", "LF after CR") => has_lone_line_end(data),
        // With a bare LF in it a value becomes two lines to us.
        ("RFC 3261 §7.3.1", _) => has_lone_line_end(data),
        // A status has three digits and one of six classes (§25.1 `Status-Code`).
        ("RFC 3261 §7.2", "a status code from 100 to 699") => true,
        ("RFC 3261 §7.2", "a space after the status code") => true,
        // The length is a number, comes once, and is not beyond the end (§18.3, §20.14).
        ("RFC 3261 §18.3" | "RFC 3261 §20.14", _) => true,
        // The limits (§21.4.11, §21.4.12, §21.5.7).
        ("RFC 3261 §21.4.11" | "RFC 3261 §21.4.12" | "RFC 3261 §21.5.7", _) => true,
        _ => false,
    }
}

/// Why rsip refuses what we take: what the RFC has and it does not.
fn only_we_take(ours: &Message, data: &[u8]) -> bool {
    // §7.5: empty lines before a message are ignored.
    let has_empty_lines = data.starts_with(b"\r") || data.starts_with(b"\n");
    // §7.3.1: folding. rsip reads a folded line as one with a name.
    let is_folded = data.windows(3).any(|it| matches!(it, b"\r\n " | b"\r\n\t"));
    // §7.3.1: white space before the colon (RFC 4475 §3.1.1.1).
    let before_colon = |field: offhook_sip_message::HeaderField<'_>| {
        let name = field.offset().saturating_add(field.name_as_written().len());
        ours.as_bytes().get(name) != Some(&b':')
    };
    // §7.3.1: a header value is UTF-8 at most to those who read it; others pass it on.
    let is_text = |value: &[u8]| str::from_utf8(value).is_ok();
    has_empty_lines
        || has_lone_line_end(data)
        || ours.headers().is_empty()
        || is_folded
        || ours.headers().iter().any(|(_, value)| !is_text(value))
        || ours.headers().fields().any(before_colon)
        || !is_plain_start_line(ours)
}

/// Whether rsip can read the start line.
fn is_plain_start_line(message: &Message) -> bool {
    match message {
        Message::Request(request) => {
            // §7.1: methods are open, and the version has no case.
            let method = request.method();
            let is_known = rsip::Method::all().iter().any(|it| it.to_string() == method.as_str());
            is_known && request.version() == "SIP/2.0" && has_plain_uri(request)
        }
        Message::Response(response) => {
            // §7.2: the reason is any text or none. rsip reads codes of its list and others alike.
            let reason = response.reason_bytes();
            response.version() == "SIP/2.0" && str::from_utf8(reason).is_ok() && !reason.is_empty()
        }
    }
}

/// §8.1.1.2, §19.1.1: the Request-URI. Ours is read later, so that a bad one can be answered; rsip
/// takes host names and tokens as parameters only, of which it must know the value.
fn has_plain_uri(request: &Request) -> bool {
    let Ok(uri) = request.uri() else { return false };
    let Some(sip) = uri.as_sip() else { return false };
    let decisive = ["transport", "method", "lr"];
    let plain = |(name, value): (&str, Option<&str>)| {
        let token = |text: &str| {
            text.bytes().all(|it| it.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&it))
        };
        token(name)
            && value.is_none_or(token)
            && !decisive.iter().any(|it| name.eq_ignore_ascii_case(it))
    };
    is_plain(sip) && sip.parameters.iter().all(plain) && request.uri_text().find(";;").is_none()
}

/// Whether a CR or a LF stands alone before the body.
fn has_lone_line_end(data: &[u8]) -> bool {
    let end = data.windows(4).position(|it| it == b"\r\n\r\n");
    let head = data.get(..end.unwrap_or(data.len())).unwrap_or_default();
    let mut before = 0;
    let lone = |&byte: &u8| {
        let lone = (byte == b'\n') != (before == b'\r');
        before = byte;
        lone
    };
    head.iter().any(lone) || head.ends_with(b"\r")
}

/// What `LWS` is made of (RFC 3261 §25.1). Unicode has more white space, and a value keeps it.
const WHITE: [char; 4] = [' ', '\t', '\r', '\n'];

/// What is no status.
const NONE: StatusCode = StatusCode::TRYING;
