//! What the typed header fields hold, and the table of all of them.
//!
//! A new type needs a `Describe` in one of the files here and its name in the table.

use offhook::sip_message::{self as sip, Header, HeaderField, HeaderName, ParseError};

use crate::node::Node;

mod address;
mod digest;
mod record;
mod scalar;
mod uri;
mod valued;

pub(crate) use uri::{parameters, uri};

/// A value as its parts.
pub(crate) trait Describe {
    fn describe(&self) -> Node;
}

/// A header field that has a type.
pub(crate) struct Typed {
    name: HeaderName,
    /// Whether the field may have many values, in one row or in several.
    pub(crate) is_list: bool,
    read: fn(&HeaderField<'_>) -> Vec<Result<Node, ParseError>>,
}

impl Typed {
    const fn of<H: Header + Describe>() -> Self {
        let read: fn(&HeaderField<'_>) -> Vec<Result<Node, ParseError>> =
            |field| field.values::<H>().map(|value| value.map(|value| value.describe())).collect();
        Self { name: H::NAME, is_list: H::IS_LIST, read }
    }

    /// The values in one row.
    pub(crate) fn read(&self, field: &HeaderField<'_>) -> Vec<Result<Node, ParseError>> {
        (self.read)(field)
    }

    /// The name in snake case.
    pub(crate) fn key(&self) -> String {
        self.name.as_str().to_ascii_lowercase().replace('-', "_")
    }
}

/// The type of the header field `name`, if it has one.
pub(crate) fn of(name: &HeaderName) -> Option<&'static Typed> {
    TABLE.iter().find(|header| header.name == *name)
}

macro_rules! table {
    ($($header:ident)*) => {
        static TABLE: [Typed; TYPES.len()] = [$(Typed::of::<sip::$header>(),)*];

        /// The names of the types in the table.
        pub(crate) const TYPES: &[&str] = &[$(stringify!($header),)*];
    };
}

table! {
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
