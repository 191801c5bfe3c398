//! The digest credentials (RFC 7616 §3.4, RFC 3261 §25.1 `dig-resp`).

use std::fmt;

use super::{
    Algorithm, DigestChallenge, Qop,
    params::{AuthParams, Taken, refuse},
    writer::ParamWriter,
};
use crate::{Parameters, Text, Uri, WireText};

/// The proof that a client knows a password. Texts are without quotes and escapes.
#[derive(Clone, PartialEq)]
pub struct DigestCredentials {
    /// Who the client is: a name, or its hash if `userhash` is set.
    pub username: Username,
    /// The realm of the challenge.
    pub realm: Text,
    /// The nonce of the challenge.
    pub nonce: Text,
    /// The Request-URI that went into the digest, as it was written there.
    pub uri: Text,
    /// The digest in hexadecimal digits; empty before the first challenge (RFC 8760 §2.7).
    pub response: Text,
    /// The algorithm; MD5 where the credentials name none.
    pub algorithm: Algorithm,
    /// What the client has made up; goes with `qop`.
    pub cnonce: Option<Text>,
    /// The opaque text of the challenge.
    pub opaque: Option<Text>,
    /// The quality of protection; absent for a server that offered none.
    pub qop: Option<Qop>,
    /// How many requests were sent with this nonce, this one included; goes with `qop`.
    pub nc: Option<u32>,
    /// Whether the user name is a hash.
    pub userhash: bool,
    /// All other parameters.
    pub parameters: Parameters,
}

impl DigestCredentials {
    /// Credentials by MD5, without a quality of protection.
    pub fn new(
        username: impl Into<Username>,
        realm: impl Into<Text>,
        nonce: impl Into<Text>,
        uri: impl Into<Text>,
        response: impl Into<Text>,
    ) -> Self {
        Self {
            username: username.into(),
            realm: realm.into(),
            nonce: nonce.into(),
            uri: uri.into(),
            response: response.into(),
            algorithm: Algorithm::Md5,
            cnonce: None,
            opaque: None,
            qop: None,
            nc: None,
            userhash: false,
            parameters: Parameters::new(),
        }
    }

    /// Credentials that answer `challenge`: with its realm, nonce, algorithm and opaque text
    /// (RFC 7616 §3.4).
    pub fn answering(
        challenge: &DigestChallenge,
        username: impl Into<Username>,
        uri: impl Into<Text>,
        response: impl Into<Text>,
    ) -> Self {
        let (realm, nonce) = (challenge.realm.clone(), challenge.nonce.clone());
        Self {
            algorithm: challenge.algorithm.clone(),
            opaque: challenge.opaque.clone(),
            ..Self::new(username, realm, nonce, uri, response)
        }
    }

    /// The same credentials by `algorithm`.
    #[must_use]
    pub fn with_algorithm(self, algorithm: impl Into<Algorithm>) -> Self {
        Self { algorithm: algorithm.into(), ..self }
    }

    /// The same credentials with the quality of protection `qop`, which goes with a nonce of the
    /// client and a count of requests (RFC 7616 §3.4).
    #[must_use]
    pub fn with_qop(self, qop: impl Into<Qop>, cnonce: impl Into<Text>, nc: u32) -> Self {
        Self { qop: Some(qop.into()), cnonce: Some(cnonce.into()), nc: Some(nc), ..self }
    }

    /// The same credentials with the opaque text of the challenge.
    #[must_use]
    pub fn with_opaque(self, opaque: impl Into<Text>) -> Self {
        Self { opaque: Some(opaque.into()), ..self }
    }

    /// The same credentials, whose user name is a hash.
    #[must_use]
    pub fn with_userhash(self) -> Self {
        Self { userhash: true, ..self }
    }

    pub(super) fn take<'a>(params: &mut AuthParams<'a>) -> Taken<'a, Self> {
        let mut credentials = Self {
            username: username(params)?,
            realm: params.required("realm", "a realm")?,
            nonce: params.required("nonce", "a nonce")?,
            uri: uri(params)?,
            response: response(params)?,
            algorithm: params.token("algorithm")?.map_or(Algorithm::Md5, Algorithm::from),
            cnonce: params.quoted("cnonce")?,
            opaque: params.quoted("opaque")?,
            qop: params.token("qop")?.map(Qop::from),
            nc: params.nonce_count()?,
            userhash: params.flag("userhash", true)?,
            parameters: Parameters::new(),
        };
        let half = credentials.cnonce.is_none() || credentials.nc.is_none();
        if credentials.qop.is_some() && half && !params.owner().is_tolerant() {
            return refuse(params.end(), "a cnonce and an nc, which go with qop");
        }
        credentials.parameters = params.rest();
        Ok(credentials)
    }

    /// Appends the parameters.
    pub(super) fn write(&self, out: &mut String) {
        let mut params = ParamWriter::new(out);
        params.username(&self.username);
        params.quoted("realm", &self.realm);
        params.quoted("nonce", &self.nonce);
        params.quoted("uri", &self.uri);
        params.quoted("response", &self.response);
        params.plain("algorithm", self.algorithm.as_str());
        params.quoted_if("cnonce", self.cnonce.as_ref());
        params.quoted_if("opaque", self.opaque.as_ref());
        params.plain_if("qop", self.qop.as_ref().map(Qop::as_str));
        params.nonce_count(self.nc);
        params.flag("userhash", self.userhash);
        params.parameters(&self.parameters);
    }
}

impl fmt::Debug for DigestCredentials {
    /// Without the digest, what it was made with, and parameters that nobody knows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestCredentials")
            .field("username", &self.username)
            .field("realm", &self.realm)
            .field("nonce", &self.nonce)
            .field("uri", &self.uri)
            .field("algorithm", &self.algorithm)
            .field("qop", &self.qop)
            .field("nc", &self.nc)
            .finish_non_exhaustive()
    }
}

/// The name of a user, in one of two forms (RFC 7616 §3.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Username {
    /// `username`: a quoted string.
    Plain(Text),
    /// `username*`: for what a quoted string cannot hold (RFC 8187 §3.2).
    Extended {
        /// The name.
        name: Text,
        /// The language of the name, such as `en`, or nothing.
        language: Text,
    },
}

impl Username {
    /// The name in the form `username*`, in no language.
    pub fn extended(name: impl Into<Text>) -> Self {
        Self::Extended { name: name.into(), language: Text::new() }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Plain(name) | Self::Extended { name, .. } => name,
        }
    }
}

impl<T: Into<Text>> From<T> for Username {
    fn from(name: T) -> Self {
        Self::Plain(name.into())
    }
}

impl ParamWriter<'_> {
    fn username(&mut self, username: &Username) {
        let (name, language) = match username {
            Username::Plain(name) => return self.quoted("username", name),
            Username::Extended { name, language } => (name, language),
        };
        self.plain("username*", "UTF-8'");
        self.text(language);
        self.text("'");
        for byte in name.bytes() {
            self.escaped(byte);
        }
    }

    /// What is both an `attr-char` and a part of a `token` stands for itself.
    fn escaped(&mut self, byte: u8) {
        let plain = byte.is_ascii_alphanumeric() || b"!+-._`~".contains(&byte);
        if plain { self.text(char::from(byte).encode_utf8(&mut [0; 4])) } else { self.hex(byte) }
    }
}

/// `username` or `username*`. Both at once would name two users (RFC 7616 §3.4).
fn username<'a>(params: &mut AuthParams<'a>) -> Taken<'a, Username> {
    let Some(extended) = params.take("username*") else {
        return params.required("username", "a username").map(Username::Plain);
    };
    if params.take("username").is_some() {
        return refuse(extended.from, "either username or username*");
    }
    let owner = params.owner();
    let mut parts = extended.unquoted().splitn(3, '\'');
    let charset = parts.next().filter(|charset| charset.eq_ignore_ascii_case("UTF-8"));
    let (Some(_), Some(language), Some(value)) = (charset, parts.next(), parts.next()) else {
        return refuse(extended.from, "UTF-8, a language and a name (RFC 8187 §3.2)");
    };
    match unescaped(value) {
        Some(name) => Ok(Username::Extended { name, language: owner.slice_ref(language) }),
        None => refuse(extended.from, "escaped UTF-8 text"),
    }
}

/// `*( pct-encoded / attr-char )`.
fn unescaped(value: &str) -> Option<Text> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            let digits = str::from_utf8(digits).ok()?;
            let sound = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| sound)?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok().map(Text::from)
}

/// `LDQUOT Request-URI RDQUOT` (RFC 8760 §2.6). What is no URI cannot be that of the request, which
/// is for the one who checks the digest to see.
fn uri<'a>(params: &mut AuthParams<'a>) -> Taken<'a, Text> {
    let from = params.place_of("uri");
    let text = params.required("uri", "a uri")?;
    let sound = || Uri::parse(&WireText::new(&text, params.owner().profile())).is_ok();
    if !params.owner().is_tolerant() && !sound() {
        return refuse(from, "a Request-URI");
    }
    Ok(text)
}

fn response<'a>(params: &mut AuthParams<'a>) -> Taken<'a, Text> {
    match params.digest("response")? {
        Some(response) => Ok(response),
        None => refuse(params.end(), "a response"),
    }
}
