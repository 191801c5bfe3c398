//! The digest challenge (RFC 7616 §3.3, RFC 3261 §25.1 `digest-cln`).

use super::{
    super::parts::unquoted,
    Algorithm, Charset, Qop,
    params::{AuthParams, Taken, refuse},
    writer::ParamWriter,
};
use crate::{Parameters, Text, Uri, WireText, parse::is_token};

/// What a server wants to see a digest of. Texts are without quotes and escapes.
#[derive(Clone, Debug, PartialEq)]
pub struct DigestChallenge {
    /// The protection domain, which tells the user which password to use.
    pub realm: Text,
    /// URIs that share the protection domain, separated by spaces; see
    /// [`DigestChallenge::domains`].
    pub domain: Option<Text>,
    /// What the server has made up for this challenge.
    pub nonce: Text,
    /// What the client has to send back as it is.
    pub opaque: Option<Text>,
    /// Whether the credentials were right but for the age of their nonce.
    pub stale: bool,
    /// The algorithm; MD5 where the challenge names none.
    pub algorithm: Algorithm,
    /// The qualities of protection to choose from; empty for a server of RFC 2069, which knows
    /// none.
    pub qop: Vec<Qop>,
    /// The encoding of user name and password.
    pub charset: Option<Charset>,
    /// Whether the server knows users by the hash of their names.
    pub userhash: bool,
    /// All other parameters.
    pub parameters: Parameters,
}

impl DigestChallenge {
    /// A challenge of `realm` with `nonce`, by MD5 and without a quality of protection.
    pub fn new(realm: impl Into<Text>, nonce: impl Into<Text>) -> Self {
        Self {
            realm: realm.into(),
            domain: None,
            nonce: nonce.into(),
            opaque: None,
            stale: false,
            algorithm: Algorithm::Md5,
            qop: Vec::new(),
            charset: None,
            userhash: false,
            parameters: Parameters::new(),
        }
    }

    /// The same challenge by `algorithm`.
    #[must_use]
    pub fn with_algorithm(self, algorithm: impl Into<Algorithm>) -> Self {
        Self { algorithm: algorithm.into(), ..self }
    }

    /// The same challenge with these qualities of protection.
    #[must_use]
    pub fn with_qop(self, qop: impl IntoIterator<Item = Qop>) -> Self {
        Self { qop: qop.into_iter().collect(), ..self }
    }

    /// The same challenge with a text that the client sends back.
    #[must_use]
    pub fn with_opaque(self, opaque: impl Into<Text>) -> Self {
        Self { opaque: Some(opaque.into()), ..self }
    }

    /// The same challenge, which says that the nonce of the credentials was too old.
    #[must_use]
    pub fn with_stale(self) -> Self {
        Self { stale: true, ..self }
    }

    /// Whether `qop` is one of the qualities of protection to choose from.
    pub fn offers(&self, qop: &Qop) -> bool {
        self.qop.contains(qop)
    }

    /// The URIs that share the protection domain.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        let domain = self.domain.as_deref().unwrap_or_default();
        domain.split(' ').filter(|uri| !uri.is_empty())
    }

    pub(super) fn take<'a>(params: &mut AuthParams<'a>) -> Taken<'a, Self> {
        Ok(Self {
            realm: params.required("realm", "a realm")?,
            domain: domain(params)?,
            nonce: params.required("nonce", "a nonce")?,
            opaque: params.quoted("opaque")?,
            stale: params.flag("stale", false)?,
            algorithm: params.token("algorithm")?.map_or(Algorithm::Md5, Algorithm::from),
            qop: qop_options(params)?,
            charset: params.token_or_quoted("charset")?.map(Charset::from),
            userhash: params.flag("userhash", true)?,
            parameters: params.rest(),
        })
    }

    /// Appends the parameters.
    pub(super) fn write(&self, out: &mut String) {
        let mut params = ParamWriter::new(out);
        params.quoted("realm", &self.realm);
        params.quoted_if("domain", self.domain.as_ref());
        params.qop_options(&self.qop);
        params.plain("algorithm", self.algorithm.as_str());
        params.quoted("nonce", &self.nonce);
        params.quoted_if("opaque", self.opaque.as_ref());
        params.flag("stale", self.stale);
        params.plain_if("charset", self.charset.as_ref().map(Charset::as_str));
        params.flag("userhash", self.userhash);
        params.parameters(&self.parameters);
    }
}

impl ParamWriter<'_> {
    fn qop_options(&mut self, options: &[Qop]) {
        let Some((first, others)) = options.split_first() else { return };
        self.plain("qop", "\"");
        self.text(first.as_str());
        for option in others {
            self.text(",");
            self.text(option.as_str());
        }
        self.text("\"");
    }
}

/// `LDQUOT URI *( 1*SP URI ) RDQUOT`.
fn domain<'a>(params: &mut AuthParams<'a>) -> Taken<'a, Option<Text>> {
    let from = params.place_of("domain");
    let text = params.quoted("domain")?;
    if let Some(text) = &text
        && !params.owner().is_tolerant()
    {
        let uri = |uri: &str| uri.starts_with('/') || Uri::parse(&WireText::from(uri)).is_ok();
        if !text.split(' ').filter(|part| !part.is_empty()).all(uri) {
            return refuse(from, "URIs with spaces between them as the domain");
        }
    }
    Ok(text)
}

/// `LDQUOT qop-value *( "," qop-value ) RDQUOT`. RFC 7616 §3.9.1 has a space behind the comma; some
/// servers leave the quotes out, or write spaces for commas, or an empty list.
fn qop_options<'a>(params: &mut AuthParams<'a>) -> Taken<'a, Vec<Qop>> {
    let owner = params.owner();
    let Some(param) = params.take("qop") else { return Ok(Vec::new()) };
    let tolerant = owner.is_tolerant();
    if !tolerant && !param.is_quoted() {
        return refuse(param.from, "a quoted string");
    }
    let text = unquoted(&owner, param.raw);
    let mut options = Vec::new();
    for option in text.split(|c| c == ',' || tolerant && matches!(c, ' ' | '\t')) {
        let option = option.trim_matches([' ', '\t']);
        match option {
            "" if tolerant => {}
            _ if options.len() >= MAX_OPTIONS => return refuse(param.from, "fewer qop options"),
            _ if is_token(option) => options.push(Qop::from(text.slice_ref(option))),
            _ => return refuse(param.from, "qop options with commas between them"),
        }
    }
    Ok(options)
}

/// Far above any use: there are two.
const MAX_OPTIONS: usize = 16;
