//! Parameters with commas between them: `auth-param *( COMMA auth-param )` (RFC 3261 §25.1), read
//! and sorted into their places.

use smallvec::SmallVec;

use super::super::parts::unquoted;
use crate::{
    Parameters, Text, WireText,
    parse::{Class, Fault, Parsed, Rest, equal, is_token, quoted_string, take_class1},
};

/// What a rule takes out of the parameters, or where it failed.
pub(super) type Taken<'a, T> = Result<T, nom::Err<Fault<'a>>>;

/// Refuses the input at `rest`.
pub(super) fn refuse<'a, T>(rest: &'a str, expected: &'static str) -> Taken<'a, T> {
    Err(nom::Err::Failure(Fault { rest, expected }))
}

/// Parameters that are being sorted into their places.
pub(super) struct AuthParams<'a> {
    owner: WireText<'a>,
    left: SmallVec<[AuthParam<'a>; 12]>,
    /// What follows the last parameter.
    end: &'a str,
}

#[derive(Clone, Copy)]
pub(super) struct AuthParam<'a> {
    name: &'a str,
    /// The value with its quotes.
    pub(super) raw: &'a str,
    /// The input from the value on.
    pub(super) from: &'a str,
}

impl<'a> AuthParams<'a> {
    /// No parameters so far, of the value `owner`.
    pub(super) fn new(owner: &WireText<'a>) -> Self {
        Self { owner: *owner, left: SmallVec::new(), end: "" }
    }

    /// `auth-param *( COMMA auth-param )`, to the end; `i` must be a part of `owner`.
    pub(super) fn read(&mut self, mut i: &'a str) -> Rest<'a> {
        loop {
            let (rest, param) = auth_param(&self.owner, i)?;
            self.push(i, param)?;
            let (rest, more) = comma(&self.owner, rest);
            if !more {
                self.end = rest;
                return match rest.trim_start_matches(WHITE) {
                    "" => Ok(rest),
                    rest => refuse(rest, "\",\" or the end of the value"),
                };
            }
            i = rest;
        }
    }

    /// A parameter that comes twice would be one thing to us and another to the next reader.
    fn push(&mut self, at: &'a str, param: AuthParam<'a>) -> Taken<'a, ()> {
        if self.left.len() >= MAX_PARAMETERS {
            return refuse(at, "fewer parameters");
        }
        if self.left.iter().any(|own| own.name.eq_ignore_ascii_case(param.name)) {
            return refuse(at, "a parameter that has not come before");
        }
        self.left.push(param);
        Ok(())
    }

    pub(super) fn owner(&self) -> WireText<'a> {
        self.owner
    }

    /// The end of the parameters, where a missing one is missed.
    pub(super) fn end(&self) -> &'a str {
        self.end
    }

    /// Takes the parameter `name` out.
    pub(super) fn take(&mut self, name: &str) -> Option<AuthParam<'a>> {
        let param = self.left.iter_mut().find(|own| own.name.eq_ignore_ascii_case(name))?;
        let taken = *param;
        // No parameter is named so.
        param.name = "";
        Some(taken)
    }

    /// The input from the value of the parameter `name` on.
    pub(super) fn place_of(&self, name: &str) -> &'a str {
        let param = self.left.iter().find(|own| own.name.eq_ignore_ascii_case(name));
        param.map_or(self.end, |param| param.from)
    }

    /// Takes a parameter that must be a quoted string. Some phones and gateways leave the quotes
    /// out.
    pub(super) fn quoted(&mut self, name: &str) -> Taken<'a, Option<Text>> {
        let Some(param) = self.take(name) else { return Ok(None) };
        if !param.is_quoted() && !self.owner.is_tolerant() {
            return refuse(param.from, "a quoted string");
        }
        Ok(Some(unquoted(&self.owner, param.raw)))
    }

    /// Takes a parameter that must be there as a quoted string.
    pub(super) fn required(&mut self, name: &str, missing: &'static str) -> Taken<'a, Text> {
        match self.quoted(name)? {
            Some(text) => Ok(text),
            None => refuse(self.end, missing),
        }
    }

    /// Takes a digest: `LDQUOT *LHEX RDQUOT` (RFC 8760 §2.7). How many digits there must be is for
    /// the algorithm to say. Old peers write capital letters; what is no digest proves nothing.
    pub(super) fn digest(&mut self, name: &str) -> Taken<'a, Option<Text>> {
        let from = self.place_of(name);
        let text = self.quoted(name)?;
        let digit = |byte: u8| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase();
        let sound = |text: &Text| text.bytes().all(digit);
        if !self.owner.is_tolerant() && !text.as_ref().is_none_or(sound) {
            return refuse(from, "a digest in lower-case hexadecimal digits");
        }
        Ok(text)
    }

    /// Takes a parameter that must be a token without quotes. Old user agents put quotes around
    /// `algorithm`, `qop` and `nc`.
    pub(super) fn token(&mut self, name: &str) -> Taken<'a, Option<Text>> {
        let Some(param) = self.take(name) else { return Ok(None) };
        if param.is_quoted() && !self.owner.is_tolerant() {
            return refuse(param.from, "a token without quotes");
        }
        self.token_of(param).map(Some)
    }

    /// Takes a parameter that is a token, with or without quotes.
    pub(super) fn token_or_quoted(&mut self, name: &str) -> Taken<'a, Option<Text>> {
        self.take(name).map(|param| self.token_of(param)).transpose()
    }

    fn token_of(&self, param: AuthParam<'a>) -> Taken<'a, Text> {
        let text = unquoted(&self.owner, param.raw);
        if is_token(&text) { Ok(text) } else { refuse(param.from, "a token") }
    }

    /// Takes a flag out. Anything other than `true` means no (RFC 7616 §3.3).
    pub(super) fn flag(&mut self, name: &str, quotes: bool) -> Taken<'a, bool> {
        let from = self.place_of(name);
        let text = if quotes { self.token_or_quoted(name)? } else { self.token(name)? };
        match text {
            None => Ok(false),
            Some(text) if text.eq_ignore_ascii_case("true") => Ok(true),
            Some(text) if text.eq_ignore_ascii_case("false") => Ok(false),
            Some(_) if self.owner.is_tolerant() => Ok(false),
            Some(_) => refuse(from, "\"true\" or \"false\""),
        }
    }

    /// Takes the nonce count, `8LHEX`. Some peers write capital letters, or quotes.
    pub(super) fn nonce_count(&mut self) -> Taken<'a, Option<u32>> {
        let Some(param) = self.take("nc") else { return Ok(None) };
        let tolerant = self.owner.is_tolerant();
        let text = if tolerant { param.unquoted() } else { param.raw };
        let digit = |byte: u8| byte.is_ascii_hexdigit() && (tolerant || !byte.is_ascii_uppercase());
        let sound = text.len() == 8 && text.bytes().all(digit);
        match u32::from_str_radix(text, 16) {
            Ok(count) if sound => Ok(Some(count)),
            Ok(_) | Err(_) => refuse(param.from, "eight hexadecimal digits"),
        }
    }

    /// The parameters that nobody has taken. Values that must be quoted get their quotes.
    pub(super) fn rest(&mut self) -> Parameters {
        let mut parameters = Parameters::new();
        for AuthParam { name, raw, .. } in
            self.left.drain(..).filter(|param| !param.name.is_empty())
        {
            let name = self.owner.slice_ref(name);
            if raw.starts_with('"') || is_token(raw) {
                parameters.set(name, Some(self.owner.slice_ref(raw)));
            } else {
                parameters.set_quoted(name, raw);
            }
        }
        parameters
    }
}

impl<'a> AuthParam<'a> {
    pub(super) fn is_quoted(&self) -> bool {
        self.raw.starts_with('"')
    }

    /// The value without its quotes, as it stands between them.
    pub(super) fn unquoted(&self) -> &'a str {
        let inside = self.raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
        inside.unwrap_or(self.raw)
    }
}

/// `auth-param-name EQUAL ( token / quoted-string )`. Values whose quotes are missing may hold what
/// no token can, such as the `:` of a URI or the `=` of Base64.
fn auth_param<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, AuthParam<'a>> {
    let (rest, name) = take_class1(i, Class::TOKEN, "a parameter name")?;
    let (from, _) = equal(rest)?;
    let (rest, raw) = if from.starts_with('"') {
        quoted_string(from)?
    } else if owner.is_tolerant() {
        bare_value(from)?
    } else {
        take_class1(from, Class::TOKEN, "a token or a quoted string")?
    };
    Ok((rest, AuthParam { name, raw, from }))
}

fn bare_value(i: &str) -> Parsed<'_, &str> {
    let ends = |byte: u8| byte.is_ascii_control() || matches!(byte, b',' | b'"' | b' ');
    let end = i.bytes().position(ends);
    match i.split_at_checked(end.unwrap_or(i.len())) {
        Some((value, rest)) if !value.is_empty() => Ok((rest, value)),
        _ => Fault::error(i, "a parameter value"),
    }
}

/// `COMMA`, and whether a parameter is to follow it. Some proxies write a comma twice, or one
/// behind the last parameter.
fn comma<'a>(owner: &WireText<'_>, i: &'a str) -> (&'a str, bool) {
    let Some(rest) = i.trim_start_matches(WHITE).strip_prefix(',') else { return (i, false) };
    if !owner.is_tolerant() {
        return (rest.trim_start_matches(WHITE), true);
    }
    let rest = rest.trim_start_matches([',', ' ', '\t']);
    (rest, !rest.is_empty())
}

/// `token68`: credentials that are no parameters (RFC 8898 §2.1.3). Nothing may follow.
pub(super) fn token68(i: &str) -> Parsed<'_, &str> {
    let in_token = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    let (text, end) = i.split_at_checked(i.trim_end_matches(WHITE).len()).unwrap_or((i, ""));
    let letters = text.trim_end_matches('=');
    if letters.is_empty() || !letters.bytes().all(in_token) {
        return Fault::error(i, "a token of letters, digits, \"-._~+/\" and \"=\" at its end");
    }
    Ok((end, text))
}

const WHITE: [char; 2] = [' ', '\t'];

/// Far above any use. Each parameter is held against all others, so their number must be bounded.
const MAX_PARAMETERS: usize = 64;
