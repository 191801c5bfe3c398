//! Every typed header field, in one table: values and whole messages are read, written, and read
//! again.

use std::fmt::Debug;

use bytes::Bytes;
use offhook_sip_message::*;

use crate::{Promised, are_equal};

/// What can be done with a typed header field without naming its type.
#[derive(Debug)]
pub struct HeaderRow {
    /// The name of the type.
    pub type_name: &'static str,
    /// Reads all values in a message.
    read_all: fn(&Headers),
    /// Reads one value, or several with line ends between them, to be held against each other.
    read_values: fn(&str),
}

/// Reads every typed header field of a message.
pub(crate) fn read_all(headers: &Headers) {
    HEADERS.iter().for_each(|row| (row.read_all)(headers));
}

/// The first byte picks the type, the rest is a value; or values, one a line.
pub fn sip_header(data: &[u8]) {
    let (pick, rest) = data.split_at(data.len().min(1));
    let pick = usize::from(pick.first().copied().unwrap_or_default());
    let Ok(text) = str::from_utf8(rest) else { return };
    if let Some(row) = HEADERS.get(pick % HEADERS.len()) {
        (row.read_values)(text);
    }
}

/// One row a type, and what to ask of its values besides.
macro_rules! table {
    ($($header:ident $(|$it:ident| $ask:expr)?;)*) => {
        /// Every type that is a header field. New ones stand last: the seeds count the rows.
        pub const HEADERS: &[HeaderRow] = &[$(HeaderRow {
            type_name: stringify!($header),
            read_all: |headers| read_row::<$header>(headers, |_it| { $(let $it = _it; $ask)? }),
            read_values: |text| read_values::<$header>(text, |_it| { $(let $it = _it; $ask)? }),
        },)*];
    };
}

table! {
    Via |it| { let _ = (it.branch(), it.received(), it.rport(), it.maddr(), it.ttl()); };
    From |it| is_good_uri(it.uri());
    To |it| is_good_uri(it.uri());
    Contact |it| {
        let _ = (it.expires(), it.parameters());
        it.uri().into_iter().for_each(is_good_uri);
    };
    Route |it| is_good_uri(it.uri());
    RecordRoute |it| is_good_uri(it.uri());
    Path |it| is_good_uri(it.uri());
    ServiceRoute |it| is_good_uri(it.uri());
    ReplyTo |it| is_good_uri(it.uri());
    ReferTo |it| is_good_uri(it.uri());
    ReferredBy |it| is_good_uri(it.uri());
    PAssertedIdentity |it| is_good_uri(it.uri());
    CSeq |it| assert!(!it.method.as_str().is_empty());
    CallId |it| assert!(!it.as_str().is_empty());
    MaxForwards;
    ContentType |it| assert!(!it.is("no/such-type"));
    ContentLength;
    ContentDisposition |it| { let _ = it.is_required(); };
    ContentEncoding;
    ContentLanguage;
    MimeVersion;
    Accept |it| {
        assert!(it.0.covers(&format!("{}/{}", it.0.kind, it.0.subtype)));
        let _ = it.q();
    };
    AcceptEncoding |it| { let _ = it.q(); };
    AcceptLanguage |it| { let _ = it.q(); };
    AlertInfo |it| it.uri().into_iter().for_each(is_good_uri);
    CallInfo |it| {
        let _ = it.purpose();
        it.uri().into_iter().for_each(is_good_uri);
    };
    ErrorInfo |it| it.uri().into_iter().for_each(is_good_uri);
    Allow;
    AllowEvents;
    Supported;
    Require;
    ProxyRequire;
    Unsupported;
    Event |it| assert!(it.matches(it) && it.templates().count() < it.event_type.len());
    SubscriptionState;
    RecvInfo;
    InfoPackage;
    AnswerMode |it| { let _ = it.is_required(); };
    PrivAnswerMode |it| { let _ = it.is_required(); };
    ReferSub;
    Replaces |it| assert!(!it.call_id().as_str().is_empty());
    Join |it| assert!(!it.call_id().as_str().is_empty());
    TargetDialog |it| assert!(!it.call_id().as_str().is_empty());
    InReplyTo;
    SipEtag;
    SipIfMatch;
    SuppressIfMatch;
    SessionExpires |it| { let _ = it.refresher(); };
    MinSe;
    Expires;
    MinExpires;
    FlowTimer;
    MaxBreadth;
    RSeq;
    RAck;
    RetryAfter |it| { let _ = it.duration(); };
    Date;
    Timestamp;
    Reason |it| { let _ = (it.cause(), it.text()); };
    Warning;
    UserAgent;
    Server;
    Subject;
    Organization;
    Priority;
    WwwAuthenticate |it| { let _ = it.as_digest().map(|it| it.domains().count()); };
    ProxyAuthenticate |it| { let _ = it.as_digest().map(|it| it.domains().count()); };
    Authorization |it| { let _ = it.as_digest(); };
    ProxyAuthorization |it| { let _ = it.as_digest(); };
    AuthenticationInfo;
    PPreferredIdentity |it| is_good_uri(it.uri());
    PAssociatedUri |it| is_good_uri(it.uri());
    PCalledPartyId |it| is_good_uri(it.uri());
    PServedUser |it| is_good_uri(it.uri());
    PermissionMissing |it| is_good_uri(it.uri());
    PChargingFunctionAddresses;
    PChargingVector;
    TriggerConsent;
    Geolocation;
    GeolocationError;
    GeolocationRouting;
    Identity;
    PAccessNetworkInfo;
    PEarlyMedia;
    PVisitedNetworkId;
    Privacy;
    AcceptResourcePriority;
    ResourcePriority;
    SecurityClient;
    SecurityServer;
    SecurityVerify;
    SessionId;
    UserToUser |it| { let _ = it.octets(); };
    AcceptContact;
    RejectContact;
    FeatureCaps;
    RequestDisposition;
    Diversion;
    HistoryInfo;
}

/// Reads all values of `H` in a message: what is read can be written, and what is written can be
/// read.
fn read_row<H: Header + Debug>(headers: &Headers, ask: impl Fn(&H)) {
    if headers.count(H::NAME) == 0 {
        return;
    }
    for (at, value) in headers.headers_of::<H>().enumerate() {
        assert!(at <= MOST_VALUES, "the values of a message are bounded");
        if at == 0 {
            assert_eq!(headers.header::<H>().ok().flatten().as_ref(), value.as_ref().ok());
        }
        match value {
            Ok(header) => {
                ask(&header);
                round_trip(&header, Profile::Tolerant);
            }
            Err(error) => {
                assert_eq!(error.header(), Some(H::NAME), "an error names its header field");
                assert!(error.offset() <= MOST_VALUES, "an error lies within the message");
            }
        }
    }
}

fn read_values<H: Header + Debug>(text: &str, ask: impl Fn(&H)) {
    let values: Vec<H> = text.split('\n').filter_map(|line| read_value(line, &ask)).collect();
    for (at, one) in values.iter().take(MOST_COMPARED).enumerate() {
        assert!(are_equal(one, one), "a value is equal to itself");
        for other in values.iter().take(at) {
            are_equal(one, other);
        }
    }
    // In a message the lines are rows, and in the fewest of cases one value each.
    let rows: String = text.split('\n').map(|line| format!("{}: {line}\r\n", H::NAME)).collect();
    let datagram = Bytes::from(format!("SIP/2.0 200 OK\r\n{rows}\r\n"));
    for options in [ParseOptions::default(), ParseOptions::strict()] {
        if let Ok(message) = Message::parse_with(datagram.clone(), &options) {
            read_row::<H>(message.headers(), &ask);
        }
    }
}

/// Reads one value in both profiles.
fn read_value<H: Header + Debug>(text: &str, ask: impl Fn(&H)) -> Option<H> {
    let read = |profile| H::parse(&WireText::new(text, profile));
    let (strict, tolerant) = (read(Profile::Strict), read(Profile::Tolerant));
    for error in [strict.as_ref().err(), tolerant.as_ref().err()].into_iter().flatten() {
        is_good_error(error, &Bytes::copy_from_slice(text.as_bytes()));
    }
    if let Ok(strict) = &strict {
        assert_eq!(Some(strict), tolerant.as_ref().ok(), "what is strictly right is right");
        round_trip(strict, Profile::Strict);
    }
    let value = tolerant.ok()?;
    ask(&value);
    round_trip(&value, Profile::Tolerant);
    is_built(&value);
    Some(value)
}

fn round_trip<H: Header + Debug>(header: &H, profile: Profile) {
    let text = write(header);
    let again = H::parse(&WireText::new(text.as_str(), profile));
    let again = again.promised(&format!("{} can be read back from {text:?}", H::NAME));
    assert_eq!(&again, header, "{} is read back as {text:?}", H::NAME);
    assert_eq!(write(&again), text, "{} is written the same again", H::NAME);
}

/// A builder takes what was read, unless it holds what no line can hold. It tells the length of the
/// body itself.
fn is_built<H: Header + Debug>(header: &H) {
    if H::NAME == HeaderName::CONTENT_LENGTH {
        return;
    }
    let built = Response::builder(StatusCode::OK).header(header).build();
    let response = match built {
        Err(BuildError::LineBreak(_)) if write(header).contains(['\r', '\n', '\0']) => return,
        built => built.promised("a builder takes a value that was read"),
    };
    let parsed = Message::parse(response.as_bytes().clone()).promised("what was built parses");
    let mut read = parsed.headers_of::<H>();
    assert_eq!(read.next().and_then(Result::ok).as_ref(), Some(header), "it is read as meant");
    assert_eq!(read.next(), None, "one value is one value");
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
/// Each is held against all others.
const MOST_COMPARED: usize = 8;
/// Two reaches of 100 bytes, each up to three bytes of UTF-8, the margin, and the error.
const LONGEST_CARET: usize = 2_000;
