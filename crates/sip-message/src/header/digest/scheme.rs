//! Authentication schemes other than Digest (RFC 3261 §25.1 `other-challenge`, `other-response`;
//! RFC 8898 for `Bearer`).

use std::fmt;

use super::{
    params::{AuthParams, token68},
    writer::ParamWriter,
};
use crate::{
    Parameters, Text, WireText,
    parse::{Parsed, lws1},
};

/// A challenge or credentials of a scheme other than Digest.
#[derive(Clone)]
pub struct AuthScheme {
    /// The name of the scheme, such as `Bearer`.
    pub scheme: Text,
    /// What stands behind it.
    pub value: AuthValue,
}

/// What a scheme other than Digest has to say.
#[derive(Clone, PartialEq)]
pub enum AuthValue {
    /// One text without a name, such as the access token of `Bearer` (RFC 8898 §2.1.3).
    Token(Text),
    /// Parameters; the values are wire text.
    Parameters(Parameters),
}

impl AuthScheme {
    /// The scheme `scheme` with `parameters`.
    pub fn new(scheme: impl Into<Text>, parameters: Parameters) -> Self {
        Self { scheme: scheme.into(), value: AuthValue::Parameters(parameters) }
    }

    /// The scheme `scheme` with one text, such as `Bearer` with an access token.
    pub fn with_token(scheme: impl Into<Text>, token: impl Into<Text>) -> Self {
        Self { scheme: scheme.into(), value: AuthValue::Token(token.into()) }
    }

    /// Whether this is the scheme `name`. Names of schemes have no case.
    pub fn is(&self, name: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(name)
    }

    /// The text without a name, if it is one.
    pub fn token(&self) -> Option<&str> {
        match &self.value {
            AuthValue::Token(token) => Some(token),
            AuthValue::Parameters(_) => None,
        }
    }

    /// The parameters, if there are any.
    pub fn parameters(&self) -> Option<&Parameters> {
        match &self.value {
            AuthValue::Token(_) => None,
            AuthValue::Parameters(parameters) => Some(parameters),
        }
    }

    /// What follows the name `scheme`; `i` must be a part of `owner`.
    pub(super) fn parse<'a>(owner: &'a WireText<'_>, scheme: &str, i: &'a str) -> Parsed<'a, Self> {
        let name = owner.slice_ref(scheme);
        // `Negotiate` and its like come without anything in a first challenge.
        if owner.is_tolerant() && i.trim_matches([' ', '\t', ',']).is_empty() {
            return Ok(("", Self::new(name, Parameters::new())));
        }
        let (i, _) = lws1(i)?;
        if (owner.is_tolerant() || scheme.eq_ignore_ascii_case("Bearer"))
            && let Ok((rest, token)) = token68(i)
        {
            return Ok((rest, Self::with_token(name, owner.slice_ref(token))));
        }
        let mut params = AuthParams::new(owner);
        let rest = params.read(i)?;
        Ok((rest, Self::new(name, params.rest())))
    }

    pub(super) fn write(&self, out: &mut String) {
        out.push_str(&self.scheme);
        match &self.value {
            AuthValue::Token(token) => {
                out.push(' ');
                out.push_str(token);
            }
            AuthValue::Parameters(parameters) if parameters.is_empty() => {}
            AuthValue::Parameters(parameters) => {
                out.push(' ');
                ParamWriter::new(out).parameters(parameters);
            }
        }
    }
}

impl PartialEq for AuthScheme {
    fn eq(&self, other: &Self) -> bool {
        self.is(&other.scheme) && self.value == other.value
    }
}

impl fmt::Debug for AuthScheme {
    /// The name only: the rest may be a password or a key to everything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthScheme").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

impl fmt::Debug for AuthValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(…)",
            Self::Parameters(_) => "Parameters(…)",
        })
    }
}
