//! Every typed header field, in one table.

use std::fmt::Debug;

use offhook_sip_message::*;

/// What can be done with a typed header field without naming its type.
pub(crate) struct Type {
    pub(crate) type_name: &'static str,
    pub(crate) name: fn() -> HeaderName,
    /// The errors that come of reading all values.
    errors: fn(&Headers) -> Vec<ParseError>,
    /// Reads all values, writes each and reads it again; tells how many there are.
    pub(crate) round_trips: fn(&Headers, Profile) -> usize,
}

macro_rules! types {
    ($($header:ident)*) => {
        /// Every type that is a header field.
        pub(crate) const TYPES: &[Type] = &[$(Type {
            type_name: stringify!($header),
            name: || <$header as Header>::NAME,
            errors: errors::<$header>,
            round_trips: round_trips::<$header>,
        },)*];
    };
}

types! {
    Accept AcceptContact AcceptEncoding AcceptLanguage AcceptResourcePriority AlertInfo Allow
    AllowEvents AnswerMode AuthenticationInfo Authorization CSeq CallId CallInfo Contact
    ContentDisposition ContentEncoding ContentLanguage ContentLength ContentType Date Diversion
    ErrorInfo Event Expires FeatureCaps FlowTimer From Geolocation GeolocationError
    GeolocationRouting HistoryInfo Identity InReplyTo InfoPackage Join MaxBreadth MaxForwards
    MimeVersion MinExpires MinSe Organization PAccessNetworkInfo PAssertedIdentity PAssociatedUri
    PCalledPartyId PChargingFunctionAddresses PChargingVector PEarlyMedia PPreferredIdentity
    PServedUser PVisitedNetworkId Path PermissionMissing Priority PrivAnswerMode Privacy
    ProxyAuthenticate ProxyAuthorization ProxyRequire RAck RSeq Reason RecordRoute RecvInfo ReferSub
    ReferTo ReferredBy RejectContact Replaces ReplyTo RequestDisposition Require ResourcePriority
    RetryAfter Route SecurityClient SecurityServer SecurityVerify Server ServiceRoute SessionExpires
    SessionId SipEtag SipIfMatch Subject SubscriptionState Supported SuppressIfMatch TargetDialog
    Timestamp To TriggerConsent Unsupported UserAgent UserToUser Via Warning WwwAuthenticate
}

/// The errors that come of reading every header field that has a type.
pub(crate) fn typed_errors(headers: &Headers) -> Vec<ParseError> {
    TYPES.iter().flat_map(|it| (it.errors)(headers)).collect()
}

fn errors<H: Header>(headers: &Headers) -> Vec<ParseError> {
    headers.headers_of::<H>().filter_map(Result::err).collect()
}

fn round_trips<H: Header + Debug>(headers: &Headers, profile: Profile) -> usize {
    let values = headers.headers_of::<H>().filter_map(Result::ok);
    values.map(|value| round_trip(&value, profile)).count()
}

/// What was read is written so that it is read as equal, and the second time is written the same.
pub(crate) fn round_trip<H: Header + Debug>(value: &H, profile: Profile) {
    let text = written(value);
    let again = H::parse(&WireText::new(text.as_str(), profile));
    let again = again.unwrap_or_else(|error| panic!("{}: {text:?}: {error}", H::NAME));
    assert_eq!(&again, value, "{}: {text:?}", H::NAME);
    assert_eq!(written(&again), text, "{}", H::NAME);
}

pub(crate) fn written(value: &impl Header) -> String {
    let mut text = String::new();
    value.write(&mut text);
    text
}

/// The crate has a type for every registered name, and its own list is complete, or it would not
/// compile. A type that is not in the table here would not be proved.
#[test]
fn the_table_holds_every_type_that_the_crate_has() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/header/check.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let (_, list) = source.split_once("\ntypes! {").unwrap();
    let mut all: Vec<&str> = list.split_once('}').unwrap().0.split_whitespace().collect();
    let mut own: Vec<&str> = TYPES.iter().map(|it| it.type_name).collect();
    all.sort_unstable();
    own.sort_unstable();
    assert_eq!(own, all);
}
