//! Typed header fields (RFC 3261 §20 and extensions), one file a family.

use crate::{ParseError, Profile, WireText};

mod name;
pub use name::HeaderName;
pub(crate) use name::Known;

mod accept;
pub use accept::{Accept, AcceptEncoding};

mod address;
pub use address::{
    Contact, Diversion, From, HistoryInfo, NameAddr, PAssertedIdentity, PAssociatedUri,
    PCalledPartyId, PPreferredIdentity, PServedUser, Path, PermissionMissing, RecordRoute, ReferTo,
    ReferredBy, ReplyTo, Route, ServiceRoute, To,
};

mod answer_mode;
pub use answer_mode::{AnswerMode, AnswerModeValue, PrivAnswerMode, ReferSub};

mod caller_preferences;
pub use caller_preferences::{
    AcceptContact, Directive, FeatureCaps, RejectContact, RequestDisposition,
};

mod charging;
pub use charging::{PChargingFunctionAddresses, PChargingVector};

mod check;

mod consent;
pub use consent::TriggerConsent;

mod content;
pub use content::{
    ContentDisposition, ContentEncoding, ContentLength, ContentType, MediaType, MimeVersion,
};

mod cseq;
pub use cseq::{CSeq, CallId};

mod date;
pub use date::{Date, Timestamp};

mod dialog_id;
pub use dialog_id::{Join, Replaces, TargetDialog};

mod digest;
pub use digest::{
    Algorithm, AuthScheme, AuthValue, AuthenticationInfo, Authorization, Challenge, Charset,
    Credentials, DigestChallenge, DigestCredentials, ProxyAuthenticate, ProxyAuthorization, Qop,
    Username, WwwAuthenticate,
};

mod diversion;
pub use diversion::{DiversionPrivacy, DiversionReason, DiversionScreen};

mod etag;
pub use etag::{SipEtag, SipIfMatch, SuppressIfMatch};

mod event;
pub use event::{AllowEvents, Event, EventReason, SubscriptionState, Substate};

mod feature;
pub use feature::{FeatureTag, FeatureValue, TagValue};

mod geolocation;
pub use geolocation::{Geolocation, GeolocationError, GeolocationRouting};

mod identity;
pub use identity::Identity;

mod history_info;
pub use history_info::{HistoryIndex, HistoryTarget};

mod in_reply_to;
pub use in_reply_to::InReplyTo;

mod info;
pub use info::{AlertInfo, CallInfo, ErrorInfo, InfoTarget};

mod info_package;
pub use info_package::{InfoPackage, RecvInfo};

mod language;
pub use language::{AcceptLanguage, ContentLanguage};

mod network;
pub use network::{
    PAccessNetworkInfo, PEarlyMedia, PVisitedNetworkId, RegistrationState, SessionCase,
};

mod number;
pub use number::{Expires, FlowTimer, MaxBreadth, MaxForwards, MinExpires, RAck, RSeq, RetryAfter};

mod open_token;

mod option;
pub use option::{Allow, ProxyRequire, Require, Supported, Unsupported};

mod parts;

mod privacy;
pub use privacy::{Privacy, PrivacyValue};

mod quality;
pub use quality::Quality;

mod reason;
pub use reason::{Reason, Warning};

mod resource_priority;
pub use resource_priority::{AcceptResourcePriority, ResourcePriority};

mod security;
pub use security::{SecurityClient, SecurityMechanism, SecurityServer, SecurityVerify};

mod session_id;
pub use session_id::{SessionId, SessionUuid};

mod session_timer;
pub use session_timer::{MinSe, Refresher, SessionExpires};

mod shape;

mod text;
pub use text::{Organization, Priority, Server, Subject, UserAgent};

mod user_to_user;
pub use user_to_user::UserToUser;

mod via;
pub use via::Via;

/// A header field with a type: its value can be read from text and written as text.
///
/// A builder takes a value only if what is written is read back as an equal one.
pub trait Header: Sized + PartialEq {
    /// The name of the header field.
    const NAME: HeaderName;
    /// Whether the field is a comma-separated list of such values, so that one row may hold many
    /// and many rows are one list (RFC 3261 §7.3.1).
    const IS_LIST: bool;
    /// Whether the grammar allows a list without any value.
    const MAY_BE_EMPTY: bool = false;

    /// How many bytes of `text`, which may be folded, the first value of a list takes. That is up
    /// to a comma outside of quotes and angle brackets, if the grammar of the field does not have
    /// commas within one value.
    fn element_length(text: &[u8], _profile: Profile) -> usize {
        crate::headers::element_length(text)
    }

    /// Reads one value: the text of the field, unfolded, or one element of a list.
    ///
    /// # Errors
    /// When the text does not follow the grammar of the field; the offset counts from its start.
    fn parse(value: &WireText<'_>) -> Result<Self, ParseError>;

    /// Appends the value to `out`, without name and line end.
    fn write(&self, out: &mut String);

    /// Whether every text in the value is known to fit its place, so that what is written need not
    /// be read back to be trusted. Only ever a quick look: `false`, the default, is always right.
    fn fits(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod probe;
#[cfg(test)]
mod round_trips;
#[cfg(test)]
mod tests;
