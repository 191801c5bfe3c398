//! Header field names: an open registry, compared without case, compact forms included.

use std::{
    fmt,
    hash::{Hash, Hasher},
};

use crate::{
    Text,
    parse::{Class, ParseError, is_token},
};

/// The name of a header field: one of the registered names, or any other token.
///
/// Names are equal without regard to case, and a compact form equals its long form (RFC 3261 §7.3.1
/// and §7.3.3). The constants can stand in `match` patterns.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HeaderName(Repr);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Repr {
    Known(Known),
    /// Never holds a known name, so that derived equality is right.
    Other(Caseless),
}

impl HeaderName {
    /// The name `name`, in any case, in its long or its compact form.
    ///
    /// # Errors
    /// When `name` is not a token (RFC 3261 §25.1).
    pub fn new(name: &str) -> Result<Self, ParseError> {
        match Self::resolve(name.as_bytes()) {
            Some(known) => Ok(Self(Repr::Known(known))),
            None if is_token(name) => Ok(Self::other(Text::from(name))),
            None => Err(ParseError::new(0, "a header field name", "RFC 3261 §7.3.1")),
        }
    }

    /// The name `name` as a constant, for a [`crate::Header`] of your own.
    ///
    /// ```
    /// use offhook_sip_message::{Header, HeaderName, Message, ParseError, WireText};
    ///
    /// #[derive(Debug, PartialEq)]
    /// struct Ticket(u64);
    ///
    /// impl Header for Ticket {
    ///     const NAME: HeaderName = HeaderName::from_static("X-Ticket");
    ///     const IS_LIST: bool = false;
    ///
    ///     fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
    ///         let error = |_| ParseError::new(0, "the number of a ticket", "RFC 3261 §7.3.1");
    ///         value.trim().parse().map(Self).map_err(error)
    ///     }
    ///
    ///     fn write(&self, out: &mut String) {
    ///         out.push_str(&self.0.to_string());
    ///     }
    /// }
    ///
    /// let message = Message::parse("SIP/2.0 200 OK\r\nx-ticket: 7\r\n\r\n".into())?;
    /// assert_eq!(message.header::<Ticket>()?, Some(Ticket(7)));
    /// # Ok::<(), ParseError>(())
    /// ```
    ///
    /// # Panics
    /// When `name` is no token, is registered here or is a single letter; in a constant the
    /// compiler tells.
    pub const fn from_static(name: &'static str) -> Self {
        assert!(is_unregistered_token(name.as_bytes()), "a token that has no constant of its own");
        Self(Repr::Other(Caseless(Text::from_static(name))))
    }

    pub(crate) fn known(known: Known) -> Self {
        Self(Repr::Known(known))
    }

    /// `name` must be a token that [`HeaderName::resolve`] does not know.
    pub(crate) fn other(name: Text) -> Self {
        Self(Repr::Other(Caseless(name)))
    }

    pub(crate) fn resolve(name: &[u8]) -> Option<Known> {
        match name {
            [letter] => Known::of_compact(letter.to_ascii_lowercase()),
            _ => Known::of_long(name),
        }
    }

    /// The name as the registry spells it; an unregistered name as it was given.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Repr::Known(known) => known.as_str(),
            Repr::Other(Caseless(name)) => name,
        }
    }

    /// The compact form, if the name has one.
    pub fn compact(&self) -> Option<char> {
        match &self.0 {
            Repr::Known(known) => known.compact(),
            Repr::Other(_) => None,
        }
    }

    /// Whether a header field that is spelled `name` is this one.
    pub fn is(&self, name: &[u8]) -> bool {
        match &self.0 {
            Repr::Known(known) => Self::resolve(name) == Some(*known),
            Repr::Other(Caseless(own)) => own.as_bytes().eq_ignore_ascii_case(name),
        }
    }

    /// A copy of the first `length` bytes of a name that is not registered.
    pub(crate) fn start(&self, length: usize) -> Self {
        let name = self.as_str();
        // Tokens are ASCII.
        Self::other(name.get(..length).unwrap_or(name).into())
    }

    pub(crate) fn as_known(&self) -> Option<Known> {
        match self.0 {
            Repr::Known(known) => Some(known),
            Repr::Other(_) => None,
        }
    }
}

impl std::str::FromStr for HeaderName {
    type Err = ParseError;

    fn from_str(name: &str) -> Result<Self, ParseError> {
        Self::new(name)
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone)]
struct Caseless(Text);

impl PartialEq for Caseless {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Caseless {}

impl Hash for Caseless {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

macro_rules! names {
    ($($variant:ident $constant:ident $name:literal $($compact:literal)?, $rfc:literal;)*) => {
        /// The registered names.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Known { $($variant,)* }

        impl HeaderName {
            $(#[doc = concat!("`", $name, "`, ", $rfc, ".")]
            pub const $constant: Self = Self(Repr::Known(Known::$variant));)*
        }

        impl Known {
            const ALL: &[Self] = &[$(Self::$variant,)*];

            const NAMES: &[&str] = &[$($name,)*];

            pub(crate) fn as_str(self) -> &'static str {
                Self::NAMES.get(self as usize).copied().unwrap_or_default()
            }

            pub(crate) const fn compact(self) -> Option<char> {
                match self {
                    $($(Self::$variant => Some($compact as char),)?)*
                    _ => None,
                }
            }

            const fn of_compact(letter: u8) -> Option<Self> {
                match letter {
                    $($($compact => Some(Self::$variant),)?)*
                    _ => None,
                }
            }
        }
    };
}

/// Each name has a bit of a `u128`.
const _: () = assert!(Known::NAMES.len() <= 128);

/// Whether `name` is a token of two letters or more that is not in the registry.
const fn is_unregistered_token(name: &[u8]) -> bool {
    let mut bytes = name;
    while let [byte, rest @ ..] = bytes {
        if !Class::TOKEN.has_const(*byte) {
            return false;
        }
        bytes = rest;
    }
    let mut names = Known::NAMES;
    while let [own, rest @ ..] = names {
        if own.as_bytes().eq_ignore_ascii_case(name) {
            return false;
        }
        names = rest;
    }
    name.len() > 1
}

impl Known {
    /// A bit of its own, so that a set of names is a number.
    pub(crate) const fn bit(self) -> u128 {
        1 << self as u8
    }

    /// Looks in [`PLACES`] until the name or an empty place is found.
    fn of_long(name: &[u8]) -> Option<Self> {
        let mut place = place(name);
        loop {
            let index = usize::from(*PLACES.get(usize::from(place))?);
            let own = Self::NAMES.get(index)?.as_bytes();
            // Nearly all names come as the registry spells them.
            if own == name || own.eq_ignore_ascii_case(name) {
                return Self::ALL.get(index).copied();
            }
            place = place.wrapping_add(1);
        }
    }
}

/// Where each name is looked for: its index in [`Known::NAMES`], or [`FREE`]. A name whose place is
/// taken stands in the next free one. More places than names, so that a search ends.
#[expect(clippy::indexing_slicing, reason = "it is computed when the crate is compiled")]
static PLACES: [u8; 256] = {
    let mut places = [FREE; 256];
    let mut index = 0;
    while index < Known::NAMES.len() {
        let mut place = place(Known::NAMES[index].as_bytes());
        while places[place as usize] != FREE {
            place = place.wrapping_add(1);
        }
        places[place as usize] = index as u8;
        index += 1;
    }
    places
};

const FREE: u8 = u8::MAX;

/// A number from the length and from three letters, whose case it does not see.
const fn place(name: &[u8]) -> u8 {
    let [first, second, .., last] = name else { return 0 };
    let sum = (*first | 0x20).wrapping_mul(197).wrapping_add((*second | 0x20).wrapping_mul(217));
    sum.wrapping_add((*last | 0x20).wrapping_mul(15))
        .wrapping_add((name.len() as u8).wrapping_mul(8))
}

names! {
    Via VIA "Via" b'v', "RFC 3261 §20.42";
    From FROM "From" b'f', "RFC 3261 §20.20";
    To TO "To" b't', "RFC 3261 §20.39";
    CallId CALL_ID "Call-ID" b'i', "RFC 3261 §20.8";
    CSeq CSEQ "CSeq", "RFC 3261 §20.16";
    MaxForwards MAX_FORWARDS "Max-Forwards", "RFC 3261 §20.22";
    Contact CONTACT "Contact" b'm', "RFC 3261 §20.10";
    ContentLength CONTENT_LENGTH "Content-Length" b'l', "RFC 3261 §20.14";
    ContentType CONTENT_TYPE "Content-Type" b'c', "RFC 3261 §20.15";
    RecordRoute RECORD_ROUTE "Record-Route", "RFC 3261 §20.30";
    Route ROUTE "Route", "RFC 3261 §20.34";
    Allow ALLOW "Allow", "RFC 3261 §20.5";
    Supported SUPPORTED "Supported" b'k', "RFC 3261 §20.37";
    UserAgent USER_AGENT "User-Agent", "RFC 3261 §20.41";
    Expires EXPIRES "Expires", "RFC 3261 §20.19";
    Require REQUIRE "Require", "RFC 3261 §20.32";
    Authorization AUTHORIZATION "Authorization", "RFC 3261 §20.7";
    ProxyAuthorization PROXY_AUTHORIZATION "Proxy-Authorization", "RFC 3261 §20.28";
    Accept ACCEPT "Accept", "RFC 3261 §20.1";
    AcceptContact ACCEPT_CONTACT "Accept-Contact" b'a', "RFC 3841 §9.2";
    AcceptEncoding ACCEPT_ENCODING "Accept-Encoding", "RFC 3261 §20.2";
    AcceptLanguage ACCEPT_LANGUAGE "Accept-Language", "RFC 3261 §20.3";
    AcceptResourcePriority ACCEPT_RESOURCE_PRIORITY "Accept-Resource-Priority", "RFC 4412 §3.2";
    AlertInfo ALERT_INFO "Alert-Info", "RFC 3261 §20.4";
    AllowEvents ALLOW_EVENTS "Allow-Events" b'u', "RFC 6665 §8.2.2";
    AnswerMode ANSWER_MODE "Answer-Mode", "RFC 5373 §4";
    AuthenticationInfo AUTHENTICATION_INFO "Authentication-Info", "RFC 3261 §20.6";
    CallInfo CALL_INFO "Call-Info", "RFC 3261 §20.9";
    ContentDisposition CONTENT_DISPOSITION "Content-Disposition", "RFC 3261 §20.11";
    ContentEncoding CONTENT_ENCODING "Content-Encoding" b'e', "RFC 3261 §20.12";
    ContentLanguage CONTENT_LANGUAGE "Content-Language", "RFC 3261 §20.13";
    Date DATE "Date", "RFC 3261 §20.17";
    Diversion DIVERSION "Diversion", "RFC 5806 §4";
    ErrorInfo ERROR_INFO "Error-Info", "RFC 3261 §20.18";
    Event EVENT "Event" b'o', "RFC 6665 §8.2.1";
    FeatureCaps FEATURE_CAPS "Feature-Caps", "RFC 6809 §6";
    FlowTimer FLOW_TIMER "Flow-Timer", "RFC 5626 §10";
    Geolocation GEOLOCATION "Geolocation", "RFC 6442 §4.1";
    GeolocationError GEOLOCATION_ERROR "Geolocation-Error", "RFC 6442 §4.3";
    GeolocationRouting GEOLOCATION_ROUTING "Geolocation-Routing", "RFC 6442 §4.2";
    HistoryInfo HISTORY_INFO "History-Info", "RFC 7044 §5";
    Identity IDENTITY "Identity" b'y', "RFC 8224 §4";
    InReplyTo IN_REPLY_TO "In-Reply-To", "RFC 3261 §20.21";
    InfoPackage INFO_PACKAGE "Info-Package", "RFC 6086 §7.2";
    Join JOIN "Join", "RFC 3911 §7.1";
    MaxBreadth MAX_BREADTH "Max-Breadth", "RFC 5393 §5.3.2";
    MimeVersion MIME_VERSION "MIME-Version", "RFC 3261 §20.24";
    MinExpires MIN_EXPIRES "Min-Expires", "RFC 3261 §20.23";
    MinSe MIN_SE "Min-SE", "RFC 4028 §5";
    Organization ORGANIZATION "Organization", "RFC 3261 §20.25";
    PAccessNetworkInfo P_ACCESS_NETWORK_INFO "P-Access-Network-Info", "RFC 7315 §5.4";
    PAssertedIdentity P_ASSERTED_IDENTITY "P-Asserted-Identity", "RFC 3325 §9.1";
    PAssociatedUri P_ASSOCIATED_URI "P-Associated-URI", "RFC 7315 §5.1";
    PCalledPartyId P_CALLED_PARTY_ID "P-Called-Party-ID", "RFC 7315 §5.2";
    PChargingFunctionAddresses P_CHARGING_FUNCTION_ADDRESSES "P-Charging-Function-Addresses", "RFC 7315 §5.5";
    PChargingVector P_CHARGING_VECTOR "P-Charging-Vector", "RFC 7315 §5.6";
    PEarlyMedia P_EARLY_MEDIA "P-Early-Media", "RFC 5009 §8";
    PPreferredIdentity P_PREFERRED_IDENTITY "P-Preferred-Identity", "RFC 3325 §9.2";
    PServedUser P_SERVED_USER "P-Served-User", "RFC 5502 §8";
    PVisitedNetworkId P_VISITED_NETWORK_ID "P-Visited-Network-ID", "RFC 7315 §5.3";
    Path PATH "Path", "RFC 3327 §4";
    PermissionMissing PERMISSION_MISSING "Permission-Missing", "RFC 5360 §5.9.3";
    Priority PRIORITY "Priority", "RFC 3261 §20.26";
    PrivAnswerMode PRIV_ANSWER_MODE "Priv-Answer-Mode", "RFC 5373 §4";
    Privacy PRIVACY "Privacy", "RFC 3323 §4.2";
    ProxyAuthenticate PROXY_AUTHENTICATE "Proxy-Authenticate", "RFC 3261 §20.27";
    ProxyRequire PROXY_REQUIRE "Proxy-Require", "RFC 3261 §20.29";
    RAck RACK "RAck", "RFC 3262 §7.2";
    Reason REASON "Reason", "RFC 3326 §2";
    RecvInfo RECV_INFO "Recv-Info", "RFC 6086 §7.2";
    ReferSub REFER_SUB "Refer-Sub", "RFC 4488 §4";
    ReferTo REFER_TO "Refer-To" b'r', "RFC 3515 §2.1";
    ReferredBy REFERRED_BY "Referred-By" b'b', "RFC 3892 §3";
    RejectContact REJECT_CONTACT "Reject-Contact" b'j', "RFC 3841 §9.2";
    Replaces REPLACES "Replaces", "RFC 3891 §6.1";
    ReplyTo REPLY_TO "Reply-To", "RFC 3261 §20.31";
    RequestDisposition REQUEST_DISPOSITION "Request-Disposition" b'd', "RFC 3841 §9.1";
    ResourcePriority RESOURCE_PRIORITY "Resource-Priority", "RFC 4412 §3.1";
    RetryAfter RETRY_AFTER "Retry-After", "RFC 3261 §20.33";
    RSeq RSEQ "RSeq", "RFC 3262 §7.1";
    SecurityClient SECURITY_CLIENT "Security-Client", "RFC 3329 §2.2";
    SecurityServer SECURITY_SERVER "Security-Server", "RFC 3329 §2.2";
    SecurityVerify SECURITY_VERIFY "Security-Verify", "RFC 3329 §2.2";
    Server SERVER "Server", "RFC 3261 §20.35";
    ServiceRoute SERVICE_ROUTE "Service-Route", "RFC 3608 §5";
    SessionExpires SESSION_EXPIRES "Session-Expires" b'x', "RFC 4028 §4";
    SessionId SESSION_ID "Session-ID", "RFC 7989 §5";
    SipEtag SIP_ETAG "SIP-ETag", "RFC 3903 §11.3.1";
    SipIfMatch SIP_IF_MATCH "SIP-If-Match", "RFC 3903 §11.3.2";
    Subject SUBJECT "Subject" b's', "RFC 3261 §20.36";
    SubscriptionState SUBSCRIPTION_STATE "Subscription-State", "RFC 6665 §8.2.3";
    SuppressIfMatch SUPPRESS_IF_MATCH "Suppress-If-Match", "RFC 5839 §7.3";
    TargetDialog TARGET_DIALOG "Target-Dialog", "RFC 4538 §7";
    Timestamp TIMESTAMP "Timestamp", "RFC 3261 §20.38";
    TriggerConsent TRIGGER_CONSENT "Trigger-Consent", "RFC 5360 §5.11.2";
    Unsupported UNSUPPORTED "Unsupported", "RFC 3261 §20.40";
    UserToUser USER_TO_USER "User-to-User", "RFC 7433 §4.1";
    Warning WARNING "Warning", "RFC 3261 §20.43";
    WwwAuthenticate WWW_AUTHENTICATE "WWW-Authenticate", "RFC 3261 §20.44";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_disguise_of_a_name_is_the_name() {
        for name in ["Via", "VIA", "vIa", "v", "V"] {
            assert_eq!(HeaderName::new(name).unwrap(), HeaderName::VIA);
            assert!(HeaderName::VIA.is(name.as_bytes()));
        }
        assert_eq!(HeaderName::new("X-a").unwrap(), HeaderName::new("x-A").unwrap());
        assert_ne!(HeaderName::new("C%6Fntact").unwrap(), HeaderName::CONTACT);
    }

    #[test]
    fn every_name_resolves_to_itself_in_both_forms() {
        for &known in Known::ALL {
            let name = HeaderName::known(known);
            assert_eq!(HeaderName::new(name.as_str()).unwrap(), name);
            if let Some(compact) = name.compact() {
                assert_eq!(HeaderName::new(&compact.to_string()).unwrap(), name);
            }
        }
    }

    #[test]
    fn constants_are_tokens_without_a_constant_of_their_own() {
        assert_eq!(HeaderName::from_static("X-a"), HeaderName::new("x-A").unwrap());
        for name in ["", "x", "a b", "via", "Call-ID", "é"] {
            assert!(!is_unregistered_token(name.as_bytes()), "{name:?}");
        }
    }

    #[test]
    fn what_is_no_token_is_no_name() {
        for name in ["", "a b", "a:", "a\r\n", "é"] {
            assert!(HeaderName::new(name).is_err(), "{name:?}");
        }
    }
}
