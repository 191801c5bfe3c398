//! Whether header fields follow the grammar of their types.

use super::*;
use crate::{HeaderField, Headers};

impl Headers {
    /// Reads every header field that has a type, and the text of the others, in the profile of the
    /// message.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), ParseError> {
        self.fields().try_for_each(|field| field.check())
    }
}

macro_rules! types {
    ($($header:ident)*) => {
        impl HeaderField<'_> {
            /// Reads the values of the row if its name has a type, and else its text.
            ///
            /// # Errors
            /// The first thing that is wrong.
            pub fn check(&self) -> Result<(), ParseError> {
                match self.known() {
                    $(Some(Known::$header) => self.check_as::<$header>(),)*
                    None => self.text().map(drop),
                }
            }

            fn check_as<H: Header>(&self) -> Result<(), ParseError> {
                self.values::<H>().try_for_each(|value| value.map(drop))
            }
        }
    };
}

types! {
    Accept AcceptContact AcceptEncoding AcceptLanguage AcceptResourcePriority AlertInfo Allow
    AllowEvents AnswerMode AuthenticationInfo Authorization CallId CallInfo Contact
    ContentDisposition ContentEncoding ContentLanguage ContentLength ContentType CSeq Date
    Diversion ErrorInfo Event Expires FeatureCaps FlowTimer From Geolocation GeolocationError
    GeolocationRouting HistoryInfo Identity InfoPackage InReplyTo Join MaxBreadth MaxForwards
    MimeVersion MinExpires MinSe Organization PAccessNetworkInfo PAssertedIdentity PAssociatedUri
    Path PCalledPartyId PChargingFunctionAddresses PChargingVector PEarlyMedia PermissionMissing
    PPreferredIdentity Priority Privacy PrivAnswerMode ProxyAuthenticate ProxyAuthorization
    ProxyRequire PServedUser PVisitedNetworkId RAck Reason RecordRoute RecvInfo ReferredBy
    ReferSub ReferTo RejectContact Replaces ReplyTo RequestDisposition Require ResourcePriority
    RetryAfter Route RSeq SecurityClient SecurityServer SecurityVerify Server ServiceRoute
    SessionExpires SessionId SipEtag SipIfMatch Subject SubscriptionState Supported
    SuppressIfMatch TargetDialog Timestamp To TriggerConsent Unsupported UserAgent UserToUser Via
    Warning WwwAuthenticate
}
