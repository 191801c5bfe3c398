//! Header fields that hold an address: `name-addr` or `addr-spec` and parameters (RFC 3261 §20.10,
//! §20.20, §20.30, §20.34, §20.39).

use std::fmt;

use super::{FeatureValue, Header, HeaderName, Quality, parts::unquoted};
use crate::{
    Parameters, Text, Uri, WireText,
    parse::{
        Class, Fault, ParseError, Parsed, Rest, finish, quoted_string, take_class, token,
        write_quoted,
    },
    uri::{ReadUri, has_bare, read_header_parameters, read_uri},
};

/// A URI with an optional display name (RFC 3261 §20.10).
#[derive(Clone, Debug, PartialEq)]
pub struct NameAddr {
    /// The display name, without quotes and escapes.
    pub display_name: Option<Text>,
    /// The URI.
    pub uri: Uri,
}

impl NameAddr {
    /// The address `uri` without a display name.
    pub fn new(uri: Uri) -> Self {
        Self { display_name: None, uri }
    }

    /// The same address with a display name.
    #[must_use]
    pub fn with_display_name(self, name: impl Into<Text>) -> Self {
        Self { display_name: Some(name.into()), ..self }
    }

    /// Appends the address in its `name-addr` form, which is right for every URI.
    fn write(&self, out: &mut String) {
        match &self.display_name {
            Some(name) if is_word(name) => out.push_str(name),
            Some(name) => write_quoted(name, out),
            None => {}
        }
        if self.display_name.is_some() {
            out.push(' ');
        }
        out.push('<');
        self.uri.write(out);
        out.push('>');
    }

    /// Whether the address is surely read back as it is.
    fn fits(&self) -> bool {
        let name = self.display_name.as_deref().unwrap_or_default();
        Class::QDTEXT.covers(name) && self.uri.fits()
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&text)
    }
}

impl std::str::FromStr for NameAddr {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let owner = WireText::from(text);
        let mut read = ReadAddress::default();
        finish(&owner, "RFC 3261 §20.10", |i| {
            name_addr_or_addr_spec(&owner, i, &mut read).map(|rest| (rest, ()))
        })?;
        Ok(read.of(&owner))
    }
}

impl std::convert::From<Uri> for NameAddr {
    fn from(uri: Uri) -> Self {
        Self::new(uri)
    }
}

macro_rules! address_headers {
    ($read:ident; $($(#[$doc:meta])* $header:ident $name:ident $is_list:literal $form:ident $rfc:literal $(, $may_be_empty:literal)?;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $header {
            /// The address.
            pub address: NameAddr,
            /// The parameters behind the address.
            pub parameters: Parameters,
        }

        impl $header {
            /// The field with `address` and no parameters.
            pub fn new(address: impl Into<NameAddr>) -> Self {
                Self { address: address.into(), parameters: Parameters::new() }
            }

            /// The URI of the address.
            pub fn uri(&self) -> &Uri {
                &self.address.uri
            }
        }

        impl Header for $header {
            const NAME: HeaderName = HeaderName::$name;
            const IS_LIST: bool = $is_list;
            $(const MAY_BE_EMPTY: bool = $may_be_empty;)?

            #[inline]
            fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
                let mut read = ReadAddress::default();
                $read(value, $rfc, $form, &mut read)?;
                let parameters = Parameters::of(value, read.parameters);
                Ok(Self { address: read.of(value), parameters })
            }

            fn write(&self, out: &mut String) {
                write_address(&self.address, &self.parameters, out);
            }

            fn fits(&self) -> bool {
                self.address.fits() && self.parameters.fit_header()
            }
        }
    )*};
}

address_headers! { read_tagged_address;
    /// Who sent the request, RFC 3261 §20.20.
    From FROM false name_addr_or_addr_spec "RFC 3261 §20.20";
    /// Whom the request is for, RFC 3261 §20.39.
    To TO false name_addr_or_addr_spec "RFC 3261 §20.39";
}

address_headers! { read_address;
    /// A proxy to visit, RFC 3261 §20.34.
    Route ROUTE true name_addr "RFC 3261 §20.34";
    /// A proxy that stays in the path, RFC 3261 §20.30.
    RecordRoute RECORD_ROUTE true name_addr "RFC 3261 §20.30";
    /// Where to answer to if not to `From`, RFC 3261 §20.31.
    ReplyTo REPLY_TO false name_addr_or_addr_spec "RFC 3261 §20.31";
    /// A proxy between registrar and contact, RFC 3327 §4.
    Path PATH true name_addr "RFC 3327 §4";
    /// A proxy on the way out, told by the registrar, RFC 3608 §5.
    ServiceRoute SERVICE_ROUTE true name_addr "RFC 3608 §5";
    /// Whom to contact in a transfer, RFC 3515 §2.1.
    ReferTo REFER_TO false name_addr_or_addr_spec "RFC 3515 §2.1";
    /// Who asked for a transfer, RFC 3892 §3.
    ReferredBy REFERRED_BY false name_addr_or_addr_spec "RFC 3892 §3";
    /// The identity that a trusted network vouches for, RFC 3325 §9.1.
    PAssertedIdentity P_ASSERTED_IDENTITY true name_addr_or_addr_spec "RFC 3325 §9.1";
    /// The identity that the user would like the network to vouch for, RFC 3325 §9.2.
    PPreferredIdentity P_PREFERRED_IDENTITY true name_addr_or_addr_spec "RFC 3325 §9.2";
    /// A URI that the registrar has given to the user, RFC 7315 §5.1.
    PAssociatedUri P_ASSOCIATED_URI true name_addr "RFC 7315 §5.1", true;
    /// The URI that the caller has dialled, RFC 7315 §5.2.
    PCalledPartyId P_CALLED_PARTY_ID false name_addr "RFC 7315 §5.2";
    /// The user whom a request is handled for, RFC 5502 §6.
    PServedUser P_SERVED_USER false name_addr_or_addr_spec "RFC 5502 §6";
    /// A recipient who has not consented, RFC 5360 §5.9.3.
    PermissionMissing PERMISSION_MISSING true name_addr_or_addr_spec "RFC 5360 §5.9.3";
    /// From where a call was diverted, RFC 5806 §4. The latest diversion comes first.
    Diversion DIVERSION true lax_name_addr "RFC 5806 §4";
    /// An entry of the history of a request, RFC 7044 §5. The oldest entry comes first.
    HistoryInfo HISTORY_INFO true name_addr "RFC 7044 §5";
}

macro_rules! tagged {
    ($($header:ident)*) => {$(
        impl $header {
            /// The dialog tag (RFC 3261 §19.3).
            pub fn tag(&self) -> Option<&str> {
                self.parameters.value("tag")
            }

            /// The same field with the dialog tag `tag`, which must be a token.
            #[must_use]
            pub fn with_tag(mut self, tag: impl Into<Text>) -> Self {
                self.parameters.set("tag", Some(tag));
                self
            }
        }
    )*};
}

tagged! { From To }

/// Where to reach a user agent, RFC 3261 §20.10.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all contacts are addresses")]
pub enum Contact {
    /// `*`: all bindings (RFC 3261 §10.2.2).
    Star,
    /// One address.
    Address {
        /// The address.
        address: NameAddr,
        /// The parameters behind the address, such as `expires` and `q`.
        parameters: Parameters,
    },
}

impl Contact {
    /// The contact `address` without parameters.
    pub fn new(address: impl Into<NameAddr>) -> Self {
        Self::Address { address: address.into(), parameters: Parameters::new() }
    }

    /// The URI of the address; `None` for `*`.
    pub fn uri(&self) -> Option<&Uri> {
        match self {
            Self::Star => None,
            Self::Address { address, .. } => Some(&address.uri),
        }
    }

    /// The parameters of the address; `None` for `*`.
    pub fn parameters(&self) -> Option<&Parameters> {
        match self {
            Self::Star => None,
            Self::Address { parameters, .. } => Some(parameters),
        }
    }

    /// The `expires` parameter, in seconds, if there is a sound one (RFC 3261 §10.2.1.1).
    pub fn expires(&self) -> Option<u32> {
        self.parameters()?.number("expires")
    }

    /// The feature parameter `name`, such as `methods` or `+sip.instance` (RFC 3840 §9).
    ///
    /// # Errors
    /// When its value does not follow RFC 3840 §9; offsets count from its start.
    pub fn feature(&self, name: &str) -> Result<Option<FeatureValue<'_>>, ParseError> {
        self.parameters().map_or(Ok(None), |parameters| FeatureValue::of(parameters, name))
    }

    /// The same contact with the feature parameter `name`. `*` has no parameters and stays as it
    /// is.
    #[must_use]
    pub fn with_feature(mut self, name: &str, value: &FeatureValue<'_>) -> Self {
        if let Self::Address { parameters, .. } = &mut self {
            value.set(name, parameters);
        }
        self
    }

    /// The `q` parameter, if there is a sound one (RFC 3261 §20.10).
    pub fn q(&self) -> Option<Quality> {
        Quality::of(self.parameters()?)
    }

    /// The same contact, preferred so much. `*` has no parameters and stays as it is.
    #[must_use]
    pub fn with_q(mut self, q: Quality) -> Self {
        if let Self::Address { parameters, .. } = &mut self {
            q.set(parameters);
        }
        self
    }
}

impl Header for Contact {
    const NAME: HeaderName = HeaderName::CONTACT;
    const IS_LIST: bool = true;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        if value.trim_matches([' ', '\t']) == "*" {
            return star_alone(value).map(|()| Self::Star);
        }
        let mut read = ReadAddress::default();
        read_address(value, "RFC 3261 §20.10", name_addr_or_addr_spec, &mut read)?;
        let parameters = Parameters::of(value, read.parameters);
        Ok(Self::Address { address: read.of(value), parameters })
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Star => out.push('*'),
            Self::Address { address, parameters } => write_address(address, parameters, out),
        }
    }

    fn fits(&self) -> bool {
        match self {
            // It must be alone.
            Self::Star => false,
            Self::Address { address, parameters } => address.fits() && parameters.fit_header(),
        }
    }
}

/// `STAR` is the whole field: beside addresses a registrar could take it for all bindings or for
/// none (RFC 3261 §10.3 step 6).
fn star_alone(value: &WireText<'_>) -> Result<(), ParseError> {
    match value.row().trim_matches([',', ' ', '\t']) {
        "*" => Ok(()),
        _ => Err(ParseError::new(0, "\"*\" without other values", "RFC 3261 §20.10")),
    }
}

/// Whether a display name is one plain word, which is written without quotes as in RFC 3261 §24.
fn is_word(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// An address and its parameters that have been read and do not yet share the bytes they came from.
#[derive(Default)]
pub(super) struct ReadAddress<'a> {
    /// The display name as it stands.
    display_name: Option<&'a str>,
    uri: ReadUri<'a>,
    /// All of them as one text.
    parameters: &'a str,
}

impl ReadAddress<'_> {
    /// The address; the text it was read from must be a part of `owner`.
    #[inline]
    pub(super) fn of(self, owner: &WireText<'_>) -> NameAddr {
        NameAddr {
            display_name: self.display_name.map(|name| unquoted(owner, name)),
            uri: self.uri.of(owner),
        }
    }
}

/// Reads an address at the start of a part of the text and gives what is left.
type Form = for<'a> fn(&WireText<'_>, &'a str, &mut ReadAddress<'a>) -> Rest<'a>;

/// Reads an address of the form `form` and the parameters behind it into `read`.
fn read_address<'a>(
    value: &'a WireText<'_>,
    rfc: &'static str,
    form: Form,
    read: &mut ReadAddress<'a>,
) -> Result<(), ParseError> {
    finish(value, rfc, |i| {
        let i = form(value, i, read)?;
        let (i, parameters) = read_header_parameters(value.is_tolerant(), i)?;
        read.parameters = parameters;
        Ok((i, ()))
    })
}

/// The same for `From` and `To`, in which `tag` must have a value: a reply could add none of its own
/// (RFC 3261 §25.1 `tag-param`).
#[inline]
fn read_tagged_address<'a>(
    value: &'a WireText<'_>,
    rfc: &'static str,
    form: Form,
    read: &mut ReadAddress<'a>,
) -> Result<(), ParseError> {
    read_address(value, rfc, form, read)?;
    // No name comes twice, and so all is well in nearly every field.
    if read.parameters.starts_with(";tag=") || !has_bare(read.parameters, "tag") {
        return Ok(());
    }
    let start = value.len().saturating_sub(read.parameters.len());
    Err(ParseError::new(start, "a value of the tag", rfc))
}

fn write_address(address: &NameAddr, parameters: &Parameters, out: &mut String) {
    address.write(out);
    parameters.write(out);
}

fn name_addr_or_addr_spec<'a>(
    owner: &WireText<'_>,
    i: &'a str,
    read: &mut ReadAddress<'a>,
) -> Rest<'a> {
    match name_addr(owner, i, read) {
        Ok(rest) => Ok(rest),
        Err(error) if i.contains('<') || i.starts_with('"') => Err(error),
        Err(_) => addr_spec(owner, i, read),
    }
}

/// `name-addr`; some gateways leave the brackets out.
fn lax_name_addr<'a>(owner: &WireText<'_>, i: &'a str, read: &mut ReadAddress<'a>) -> Rest<'a> {
    match owner.is_tolerant() {
        true => name_addr_or_addr_spec(owner, i, read),
        false => name_addr(owner, i, read),
    }
}

/// `[ display-name ] LAQUOT addr-spec RAQUOT`. White space before `<` may lack (RFC 4475 §3.1.1.6).
fn name_addr<'a>(owner: &WireText<'_>, i: &'a str, read: &mut ReadAddress<'a>) -> Rest<'a> {
    let mut i = i;
    if !i.starts_with('<') {
        (i, read.display_name) = display_name(owner.is_tolerant(), i)?;
        i = take_class(i, Class::WHITE).1;
    }
    let Some(i) = i.strip_prefix('<') else {
        return Fault::stop(i, "\"<\" before the URI");
    };
    let i = read_uri(owner, i, &mut read.uri)?;
    match i.strip_prefix('>') {
        Some(rest) => Ok(rest),
        None => Fault::stop(i, "\">\" after the URI"),
    }
}

/// `quoted-string / *( token LWS )`.
///
/// Phones also send names with other characters without quotes: letters beyond ASCII, parentheses,
/// an address. In the tolerant profile they are read if they hold no separator.
fn display_name(tolerant: bool, i: &str) -> Parsed<'_, Option<&str>> {
    if i.starts_with('"') {
        let (rest, raw) = quoted_string(i)?;
        return Ok((rest, Some(raw)));
    }
    let mut length = words_length(i);
    if tolerant && i.as_bytes().get(length) != Some(&b'<') {
        length = lax_words_length(i).unwrap_or(length);
    }
    let (words, rest) = i.split_at_checked(length).unwrap_or((i, ""));
    let words = words.trim_end_matches([' ', '\t']);
    Ok((rest, Some(words).filter(|words| !words.is_empty())))
}

/// How far text without separators goes, if a `<` follows it.
fn lax_words_length(i: &str) -> Option<usize> {
    let separator = |byte| matches!(byte, b'<' | b'>' | b'"' | b',' | b';' | b'\\' | 0..32 | 127);
    let end = i.bytes().position(separator)?;
    (i.as_bytes().get(end) == Some(&b'<')).then_some(end)
}

/// `*( token LWS )`.
fn words_length(i: &str) -> usize {
    let mut rest = i;
    while let Ok((after, _)) = token(rest) {
        rest = take_class(after, Class::WHITE).1;
    }
    i.len().saturating_sub(rest.len())
}

/// A URI without brackets: parameters behind it are those of the field, and it must not hold a
/// comma or a question mark (RFC 3261 §20).
pub(super) fn addr_spec<'a>(
    owner: &WireText<'_>,
    i: &'a str,
    read: &mut ReadAddress<'a>,
) -> Rest<'a> {
    let end = i.find([';', ' ', '\t']).unwrap_or(i.len());
    let (text, rest) = i.split_at_checked(end).unwrap_or((i, ""));
    if let Some(at) = text.find(['?', ',']) {
        let rest = i.get(at..).unwrap_or_default();
        return Fault::stop(rest, "angle brackets around a URI with \"?\" or \",\"");
    }
    // An attempt to read a name may have left one.
    *read = ReadAddress::default();
    match read_uri(owner, text, &mut read.uri) {
        Ok("") => Ok(rest),
        // What is left is measured against the whole value, not against this part of it.
        Ok(left) => Fault::stop(suffix(i, end, left), "the end of the URI"),
        Err(error) => {
            Err(error
                .map(|fault| Fault { rest: suffix(i, end, fault.rest), expected: fault.expected }))
        }
    }
}

/// The part of `i` that begins where `left`, the last part of its first `end` bytes, begins.
fn suffix<'a>(i: &'a str, end: usize, left: &str) -> &'a str {
    i.get(end.saturating_sub(left.len())..).unwrap_or_default()
}
