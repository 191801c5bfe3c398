//! `Authentication-Info` (RFC 3261 §20.6, RFC 7616 §3.5).

use std::fmt;

use super::{
    super::{Header, HeaderName},
    Qop,
    params::{AuthParams, Taken},
    writer::ParamWriter,
};
use crate::{
    Parameters, Text, WireText,
    parse::{ParseError, finish},
};

/// What a server says after credentials were accepted, RFC 3261 §20.6.
#[derive(Clone, Default, PartialEq)]
pub struct AuthenticationInfo {
    /// The nonce to use from now on.
    pub nextnonce: Option<Text>,
    /// The quality of protection of the response.
    pub qop: Option<Qop>,
    /// The proof that the server knows the password too, in hexadecimal digits.
    pub rspauth: Option<Text>,
    /// The `cnonce` of the request.
    pub cnonce: Option<Text>,
    /// The nonce count of the request.
    pub nc: Option<u32>,
    /// All other parameters.
    pub parameters: Parameters,
}

impl AuthenticationInfo {
    /// The nonce to use from now on, and nothing else.
    pub fn next_nonce(nonce: impl Into<Text>) -> Self {
        Self { nextnonce: Some(nonce.into()), ..Self::default() }
    }

    fn take<'a>(params: &mut AuthParams<'a>) -> Taken<'a, Self> {
        Ok(Self {
            nextnonce: params.quoted("nextnonce")?,
            qop: params.token("qop")?.map(Qop::from),
            rspauth: params.digest("rspauth")?,
            cnonce: params.quoted("cnonce")?,
            nc: params.nonce_count()?,
            parameters: params.rest(),
        })
    }
}

impl Header for AuthenticationInfo {
    const NAME: HeaderName = HeaderName::AUTHENTICATION_INFO;
    const IS_LIST: bool = false;

    fn parse(value: &WireText<'_>) -> Result<Self, ParseError> {
        finish(value, "RFC 3261 §20.6", |i| {
            let mut params = AuthParams::new(value);
            let rest = params.read(i)?;
            Ok((rest, Self::take(&mut params)?))
        })
    }

    fn write(&self, out: &mut String) {
        let mut params = ParamWriter::new(out);
        params.quoted_if("nextnonce", self.nextnonce.as_ref());
        params.plain_if("qop", self.qop.as_ref().map(Qop::as_str));
        params.quoted_if("rspauth", self.rspauth.as_ref());
        params.quoted_if("cnonce", self.cnonce.as_ref());
        params.nonce_count(self.nc);
        params.parameters(&self.parameters);
    }
}

impl fmt::Debug for AuthenticationInfo {
    /// Without the proof and what it was made with.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticationInfo")
            .field("nextnonce", &self.nextnonce)
            .field("qop", &self.qop)
            .field("nc", &self.nc)
            .finish_non_exhaustive()
    }
}
