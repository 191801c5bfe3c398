//! What mobile networks tell each other: `P-Visited-Network-ID`, `P-Access-Network-Info` (RFC 7315
//! §5.3, §5.4), `P-Early-Media` (RFC 5009 §8) and the parameters of `P-Served-User` (RFC 5502 §6).

use std::borrow::Cow;

use super::{
    Header, HeaderName, PServedUser,
    open_token::open_tokens,
    parts::{text, write_text},
};
use crate::{
    Parameters, Text, WireText,
    parse::{Class, ParseError, finish, take_class1},
    uri::header_parameters,
};

/// A network that the user is a guest of, RFC 7315 §5.3.
#[derive(Clone, Debug, PartialEq)]
pub struct PVisitedNetworkId {
    /// The name of the network, without quotes and escapes.
    pub network: Text,
    /// The parameters.
    pub parameters: Parameters,
}

impl PVisitedNetworkId {
    /// The network `network`.
    pub fn new(network: impl Into<Text>) -> Self {
        Self { network: network.into(), parameters: Parameters::new() }
    }
}

impl Header for PVisitedNetworkId {
    const NAME: HeaderName = HeaderName::P_VISITED_NETWORK_ID;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let rule = (|i| text(value, "the name of a network", i), |i| header_parameters(value, i));
        let (network, parameters) = finish(value, "RFC 7315 §5.3", rule)?;
        Ok(Self { network, parameters })
    }

    fn write(&self, out: &mut String) {
        write_text(&self.network, out);
        self.parameters.write(out);
    }
}

/// Through which access a user agent reaches its network, RFC 7315 §5.4.
#[derive(Clone, Debug)]
pub struct PAccessNetworkInfo {
    /// The type or the class of the access, such as `3GPP-E-UTRAN-FDD` or `IEEE-802.11`.
    pub access: Text,
    /// The parameters, such as `utran-cell-id-3gpp`.
    pub parameters: Parameters,
}

impl PAccessNetworkInfo {
    /// The access `access`, which must be a token.
    pub fn new(access: impl Into<Text>) -> Self {
        Self { access: access.into(), parameters: Parameters::new() }
    }

    /// Whether the access is of the type or the class `access`. Tokens have no case.
    pub fn is(&self, access: &str) -> bool {
        self.access.eq_ignore_ascii_case(access)
    }

    /// Whether the network says so, and not the user agent (`network-provided`).
    pub fn is_network_provided(&self) -> bool {
        self.parameters.contains("network-provided")
    }

    /// The cell: `utran-cell-id-3gpp`, or `cgi-3gpp` of an older access.
    pub fn cell_id(&self) -> Option<Cow<'_, str>> {
        let older = || self.parameters.text("cgi-3gpp");
        self.parameters.text("utran-cell-id-3gpp").or_else(older)
    }
}

impl PartialEq for PAccessNetworkInfo {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.access) && self.parameters == other.parameters
    }
}

impl Header for PAccessNetworkInfo {
    const NAME: HeaderName = HeaderName::P_ACCESS_NETWORK_INFO;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let access = |i| take_class1(i, Class::TOKEN, "the type of an access");
        let rule = (access, |i| header_parameters(value, i));
        let (access, parameters) = finish(value, "RFC 7315 §5.4", rule)?;
        Ok(Self { access: value.slice_ref(access), parameters })
    }

    fn write(&self, out: &mut String) {
        out.push_str(&self.access);
        self.parameters.write(out);
    }
}

open_tokens! {
    /// What may be heard before a call is answered, RFC 5009 §8. Compared without case.
    PEarlyMedia {
        /// Media in both directions.
        SendRecv "sendrecv",
        /// Media from the called to the calling side.
        SendOnly "sendonly",
        /// Media from the calling to the called side.
        RecvOnly "recvonly",
        /// No media.
        Inactive "inactive",
        /// A gate in the network already follows these values.
        Gated "gated",
        /// The sender understands this header field.
        Supported "supported",
    }
    /// Which side of a session the served user is on, RFC 5502 §6.
    SessionCase {
        /// The calling one.
        Originating "orig",
        /// The called one.
        Terminating "term",
    }
    /// Whether the served user is registered, RFC 5502 §6.
    RegistrationState {
        /// It is.
        Registered "reg",
        /// It is not.
        Unregistered "unreg",
    }
}

impl Header for PEarlyMedia {
    const NAME: HeaderName = HeaderName::P_EARLY_MEDIA;
    const IS_LIST: bool = true;
    const MAY_BE_EMPTY: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        let rule = |i| take_class1(i, Class::TOKEN, "a direction of media");
        finish(value, "RFC 5009 §9", rule).map(|text| Self::from(value.slice_ref(text)))
    }

    fn write(&self, out: &mut String) {
        out.push_str(self.as_str());
    }
}

impl PServedUser {
    /// Which side of the session the user is on (`sescase`).
    pub fn session_case(&self) -> Option<SessionCase> {
        self.parameters.value("sescase").map(SessionCase::from)
    }

    /// Whether the user is registered (`regstate`).
    pub fn registration_state(&self) -> Option<RegistrationState> {
        self.parameters.value("regstate").map(RegistrationState::from)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::probe::*, *};
    use crate::{Message, PAssociatedUri, PCalledPartyId, PPreferredIdentity, PermissionMissing};

    #[test]
    fn visited_networks_are_tokens_or_texts() {
        let network: PVisitedNetworkId = same("\"Visited network number 1\"");
        assert_eq!(&*network.network, "Visited network number 1");
        let network: PVisitedNetworkId = same("other.net;x=1");
        assert_eq!(read_strictly("\"other.net\";X=1").as_ref(), Ok(&network));
        refused::<PVisitedNetworkId>("", 0);
        refused::<PVisitedNetworkId>("\"a", 2);
        refused::<PVisitedNetworkId>("a b", 2);
    }

    #[test]
    fn accesses_tell_their_cell() {
        let text = "3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=234151D0FCE11;network-provided";
        let access: PAccessNetworkInfo = same(text);
        assert!(access.is("3gpp-e-utran-fdd") && access.is_network_provided());
        assert_eq!(access.cell_id().unwrap(), "234151D0FCE11");
        let access: PAccessNetworkInfo = same("3GPP-GERAN;cgi-3gpp=\"2341, 5\"");
        assert_eq!(access.cell_id().unwrap(), "2341, 5");
        let access: PAccessNetworkInfo = same("ADSL2+");
        assert_eq!(access, PAccessNetworkInfo::new("adsl2+"));
        refused::<PAccessNetworkInfo>("", 0);
        refused::<PAccessNetworkInfo>("a b", 2);
        refused::<PAccessNetworkInfo>("a;cgi-3gpp=1;cgi-3gpp=2", 13);
    }

    #[test]
    fn early_media_is_a_list_that_may_be_empty() {
        let text = "SIP/2.0 180 Ringing\r\nP-Early-Media: supported, SendRecv\r\n\
            P-Early-Media:\r\nP-Early-Media: x-new\r\n\r\n";
        let message = Message::parse(bytes::Bytes::from(text)).unwrap();
        let media: Vec<PEarlyMedia> = message.headers_of().map(Result::unwrap).collect();
        let other = PEarlyMedia::Other("X-NEW".into());
        assert_eq!(media, [PEarlyMedia::Supported, PEarlyMedia::SendRecv, other]);
        same::<PEarlyMedia>("gated");
        refused::<PEarlyMedia>("", 0);
        refused::<PEarlyMedia>("gated;x", 5);
    }

    #[test]
    fn addresses_of_networks_are_read_and_written() {
        let user: PServedUser = same("<sip:user@example.com>;sescase=orig;regstate=reg");
        assert_eq!(user.session_case(), Some(SessionCase::Originating));
        assert_eq!(user.registration_state(), Some(RegistrationState::Registered));
        same::<PAssociatedUri>("<sip:user1-business@example.com>;a=b");
        const { assert!(PAssociatedUri::MAY_BE_EMPTY && PAssociatedUri::IS_LIST) };
        same::<PCalledPartyId>("<sip:user1-business@example.com>");
        same::<PPreferredIdentity>("\"Cullen Jennings\" <sip:fluffy@cisco.com>");
        read_strictly::<PPreferredIdentity>("tel:+14085264000").unwrap();
        read_strictly::<PermissionMissing>("sip:bob@biloxi.example").unwrap();
        assert!(read_strictly::<PAssociatedUri>("sip:a@b.example").is_err());
    }
}
