//! Ordered parameters, `;name` or `;name=value`, of URIs and of header fields.

use std::{borrow::Cow, fmt, mem};

use smallvec::SmallVec;

use crate::{
    Text, WireText,
    headers::quoted_length,
    parse::{
        Class, Fault, Parsed, quoted_string, take_class, take_class1, take_escapable, unquote,
        write_quoted,
    },
};

/// Parameters in the order they came. Names have no case (RFC 3261 §7.3.1).
///
/// Values are the text as it stands on the wire: with its quotes in a header field, with its
/// escapes in a URI. What was parsed is one slice of its message, until it is changed.
#[derive(Clone)]
pub struct Parameters(Repr);

#[derive(Clone)]
enum Repr {
    /// From the first `;` on, as it came. It has been read once and holds no name twice.
    Wire(Text),
    /// One by one, since something has been changed.
    Changed(Vec<Parameter>),
}

type Parameter = (Text, Option<Text>);

impl Parameters {
    /// No parameters.
    pub const fn new() -> Self {
        Self(Repr::Wire(Text::new()))
    }

    /// The parameter `name`: `None` when absent, `Some(None)` when it has no value.
    pub fn get(&self, name: &str) -> Option<Option<&str>> {
        match &self.0 {
            Repr::Wire(text) => Split(text.get(start_of(text, name)?..)?).next(),
            Repr::Changed(list) => {
                let found = list.iter().find(|(own, _)| own.eq_ignore_ascii_case(name));
                found.map(|(own, value)| (own.as_ref(), value.as_deref()))
            }
        }
        .map(|(_, value)| value)
    }

    /// The value of the parameter `name`, as it stands on the wire.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.get(name).flatten()
    }

    /// The value of the parameter `name` without quotes and their escapes.
    pub fn text(&self, name: &str) -> Option<Cow<'_, str>> {
        self.value(name).map(unquote)
    }

    /// The value of the parameter `name` if it is `1*DIGIT` and fits `N`.
    pub(crate) fn number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        // Rust would take a sign too.
        self.value(name).filter(|value| Class::DIGIT.covers(value))?.parse().ok()
    }

    /// Whether there is a parameter `name`, with or without a value.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Sets the parameter `name` where it stands, or appends it. The value is wire text; see
    /// [`Parameters::set_quoted`] for free text.
    pub fn set(&mut self, name: impl Into<Text>, value: Option<impl Into<Text>>) {
        let (name, value) = (name.into(), value.map(Into::into));
        self.change(|list| {
            match list.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(&name)) {
                Some(parameter) => parameter.1 = value,
                None => list.push((name, value)),
            }
        });
    }

    /// Sets the parameter `name` to `text` as a quoted string (header fields only).
    pub fn set_quoted(&mut self, name: impl Into<Text>, text: &str) {
        let mut quoted = String::new();
        write_quoted(text, &mut quoted);
        self.set(name, Some(quoted));
    }

    /// Removes the parameter `name`; tells whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let was_there = self.contains(name);
        if was_there {
            self.change(|list| list.retain(|(own, _)| !own.eq_ignore_ascii_case(name)));
        }
        was_there
    }

    /// All parameters in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let (wire, list) = match &self.0 {
            Repr::Wire(text) => (text.as_ref(), &[][..]),
            Repr::Changed(list) => ("", list.as_slice()),
        };
        let list = list.iter().map(|(name, value)| (name.as_ref(), value.as_deref()));
        Split(wire).chain(list)
    }

    /// How many parameters there are.
    pub fn len(&self) -> usize {
        self.iter().count()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Appends all parameters to `out`, each behind its semicolon.
    pub(crate) fn write(&self, out: &mut String) {
        for (name, value) in self.iter() {
            out.push(';');
            out.push_str(name);
            if let Some(value) = value {
                out.push('=');
                out.push_str(value);
            }
        }
    }

    fn change(&mut self, change: impl FnOnce(&mut Vec<Parameter>)) {
        let mut list = match mem::take(&mut self.0) {
            Repr::Changed(list) => list,
            Repr::Wire(text) => {
                let slice = |part| text.slice_ref(part);
                Split(&text).map(|(name, value)| (slice(name), value.map(slice))).collect()
            }
        };
        change(&mut list);
        self.0 = Repr::Changed(list);
    }

    /// Those of a URI in which one came `again`: each is kept once.
    pub(super) fn once(owner: &WireText<'_>, wire: &str, again: bool) -> Self {
        let mut parameters = Self::of(owner, wire);
        if again {
            parameters.change(|list| {
                let all = mem::take(list);
                for (name, value) in all {
                    if !list.iter().any(|(own, _): &Parameter| own.eq_ignore_ascii_case(&name)) {
                        list.push((name, value));
                    }
                }
            });
        }
        parameters
    }

    /// Parameters that have been read once, or written by rules that keep to the grammar.
    pub(crate) fn read(wire: Text) -> Self {
        Self(Repr::Wire(wire))
    }

    /// The parameters `wire`, a part of `owner` that one of the rules below has read.
    #[inline]
    pub(crate) fn of(owner: &WireText<'_>, wire: &str) -> Self {
        let is_empty = wire.is_empty();
        Self(Repr::Wire(if is_empty { Text::new() } else { owner.slice_ref(wire) }))
    }
}

impl Default for Parameters {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for Repr {
    fn default() -> Self {
        Self::Wire(Text::new())
    }
}

impl PartialEq for Parameters {
    /// The same set of parameters, in any order; token values have no case, quoted ones do
    /// (RFC 3261 §7.3.1).
    fn eq(&self, other: &Self) -> bool {
        let same = |one: Option<&str>, other: Option<&str>| match (one, other) {
            (Some(one), Some(other)) if one.starts_with('"') || other.starts_with('"') => {
                one == other
            }
            (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        self.len() == other.len()
            && self.iter().all(|(name, value)| other.get(name).is_some_and(|own| same(own, value)))
    }
}

impl fmt::Display for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        self.write(&mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The parameters of a text that has been read before.
struct Split<'a>(&'a str);

impl<'a> Iterator for Split<'a> {
    type Item = (&'a str, Option<&'a str>);

    fn next(&mut self) -> Option<Self::Item> {
        let before = |byte: u8| matches!(byte, b';' | b' ' | b'\t');
        let start = self.0.bytes().position(|byte| !before(byte)).unwrap_or(self.0.len());
        let text = self.0.get(start..)?;
        let end = text.bytes().position(|byte| matches!(byte, b';' | b'=')).unwrap_or(text.len());
        let (name, rest) = text.split_at_checked(end)?;
        let Some(rest) = rest.strip_prefix('=') else {
            self.0 = rest;
            return if name.is_empty() { None } else { Some((trim_end(name), None)) };
        };
        let rest = if rest.starts_with(WHITE) { rest.trim_start_matches(WHITE) } else { rest };
        let (value, rest) = rest.split_at_checked(value_length(rest))?;
        self.0 = rest;
        Some((trim_end(name), Some(trim_end(value))))
    }
}

/// Where the parameter `name` starts in a text that has been read before. Only what may be it is
/// split.
fn start_of(wire: &str, name: &str) -> Option<usize> {
    let (bytes, name) = (wire.as_bytes(), name.as_bytes());
    let mut at = 0_usize;
    loop {
        let rest = bytes.get(at..)?;
        at = at.checked_add(rest.iter().position(|byte| !matches!(byte, b';' | b' ' | b'\t'))?)?;
        let rest = bytes.get(at..)?;
        let (own, behind) = rest.split_at_checked(name.len())?;
        let ends = matches!(behind.first(), None | Some(b'=' | b';' | b' ' | b'\t'));
        if ends && own.eq_ignore_ascii_case(name) {
            return Some(at);
        }
        at = at.checked_add(next_semicolon(rest)?)?;
    }
}

/// How far the next semicolon is, over quoted strings.
fn next_semicolon(bytes: &[u8]) -> Option<usize> {
    let mut at = 0_usize;
    loop {
        let rest = bytes.get(at..)?;
        let found = memchr::memchr2(b';', b'"', rest)?;
        at = at.checked_add(found)?;
        match rest.get(found..)? {
            quoted @ [b'"', ..] => at = at.checked_add(quoted_length(quoted))?,
            _ => return Some(at),
        }
    }
}

/// Without white space at its end; there is none, as a rule.
fn trim_end(text: &str) -> &str {
    if text.ends_with(WHITE) { text.trim_end_matches(WHITE) } else { text }
}

/// Whether the parameter `name` stands without a value in a text that has been read before.
#[inline(never)]
pub(crate) fn has_bare(wire: &str, name: &str) -> bool {
    Split(wire).any(|(own, value)| value.is_none() && own.eq_ignore_ascii_case(name))
}

/// How far the value at the start of `text` reaches: over a quoted string and to a semicolon.
fn value_length(text: &str) -> usize {
    let quoted = match text.starts_with('"').then(|| quoted_string(text)) {
        Some(Ok((rest, _))) => text.len().saturating_sub(rest.len()),
        Some(Err(_)) | None => 0,
    };
    let rest = text.as_bytes().get(quoted..).unwrap_or_default();
    quoted.saturating_add(memchr::memchr(b';', rest).unwrap_or(rest.len()))
}

/// `*( SEMI generic-param )`.
///
/// Peers in use also end them with a semicolon, which the tolerant profile takes. Two in a row are
/// refused (RFC 4475 §3.1.2.1).
pub(crate) fn header_parameters<'a>(owner: &WireText<'_>, i: &'a str) -> Parsed<'a, Parameters> {
    let (rest, wire) = read_header_parameters(owner.is_tolerant(), i)?;
    Ok((rest, Parameters::of(owner, wire)))
}

/// The same as one text, which does not yet share the bytes it came from.
pub(crate) fn read_header_parameters(tolerant: bool, i: &str) -> Parsed<'_, &str> {
    if i.is_empty() {
        return Ok((i, i));
    }
    let mut names = Names::default();
    let mut rest = i;
    while let Some(after) = take_class(rest, Class::WHITE).1.strip_prefix(';') {
        let after = take_class(after, Class::WHITE).1;
        if tolerant && after.is_empty() {
            rest = after;
            break;
        }
        let (end, name) = generic_param(tolerant, after)?;
        if names.take(name, after)? {
            return refuse(after, REPEATED);
        }
        rest = end;
    }
    Ok((rest, until(i, rest)))
}

/// The part of `i` before its last part `rest`.
fn until<'a>(i: &'a str, rest: &str) -> &'a str {
    i.get(..i.len().saturating_sub(rest.len())).unwrap_or_default()
}

/// `token [ EQUAL gen-value ]`; gives the name.
#[inline]
fn generic_param(tolerant: bool, i: &str) -> Parsed<'_, &str> {
    let (rest, name) = take_class1(i, Class::TOKEN, "a parameter name")?;
    let Some(value) = take_class(rest, Class::WHITE).1.strip_prefix('=') else {
        return Ok((rest, name));
    };
    let value = take_class(value, Class::WHITE).1;
    let (rest, _) = match value.as_bytes() {
        [b'"', ..] => quoted_string(value)?,
        // Phones leave out the quotes around `+sip.instance=<urn:uuid:...>`.
        [b'<', ..] if tolerant => bracketed(value)?,
        // They put in slashes and the like, which end nothing.
        _ if tolerant => take_class1(value, Class::LAX_VALUE, "a parameter value")?,
        _ => take_class1(value, Class::GEN_VALUE, "a parameter value")?,
    };
    Ok((rest, name))
}

fn bracketed(i: &str) -> Parsed<'_, &str> {
    let end = i.bytes().position(|byte| matches!(byte, b'>' | b';' | b',' | b'"' | b' '));
    match end.and_then(|end| i.split_at_checked(end.saturating_add(1))) {
        Some((text, rest)) if text.ends_with('>') => Ok((rest, text)),
        _ => Fault::error(i, "a parameter value"),
    }
}

/// `*( ";" uri-parameter )`, as one text, and whether one of them came again.
///
/// Peers in use also end them with a semicolon, which the tolerant profile takes. Two in a row are
/// refused (RFC 4475 §3.1.2.1). Phones that append `;transport=tcp` do not look whether it is there:
/// the tolerant profile takes what says the same again.
pub(super) fn uri_parameters(tolerant: bool, i: &str) -> Parsed<'_, (&str, bool)> {
    let mut names = Names::default();
    let (mut rest, mut again) = (i, false);
    while let Some(after) = rest.strip_prefix(';') {
        let (name, end) = take_escapable(after, Class::PARAM);
        if name.is_empty() {
            if !tolerant || end.starts_with([';', '=']) {
                return Fault::error(after, "a URI parameter name");
            }
            rest = after;
            break;
        }
        let repeated = names.take(name, after)?;
        rest = match end.strip_prefix('=') {
            None => end,
            Some(value) => match take_escapable(value, Class::PARAM) {
                // Some phones leave the value of a parameter that is not set empty.
                ("", _) if !tolerant => {
                    return Fault::error(value, "a URI parameter value");
                }
                (_, end) => end,
            },
        };
        if repeated {
            let parameter = until(after, rest);
            let mut before = until(i, after).split(';');
            if !tolerant || !before.any(|own| own.eq_ignore_ascii_case(parameter)) {
                return refuse(after, REPEATED);
            }
            again = true;
        }
    }
    Ok((rest, (until(i, rest), again)))
}

/// The names that have come so far.
#[derive(Default)]
struct Names<'a>(SmallVec<[&'a str; 8]>);

impl<'a> Names<'a> {
    /// Whether a name comes again: it must not (RFC 3261 §7.3.1 and §19.1.1).
    fn take(&mut self, name: &'a str, at: &'a str) -> Result<bool, nom::Err<Fault<'a>>> {
        if self.0.len() >= MAX_PARAMETERS {
            return refuse(at, "fewer parameters");
        }
        let repeated = self.0.iter().any(|own| own.eq_ignore_ascii_case(name));
        self.0.push(name);
        Ok(repeated)
    }
}

/// No other reading is tried.
fn refuse<'a, T>(at: &'a str, expected: &'static str) -> Result<T, nom::Err<Fault<'a>>> {
    Err(nom::Err::Failure(Fault { rest: at, expected }))
}

const REPEATED: &str = "a parameter that has not come before";

/// Far above any use. Each parameter is held against all others, so their number must be bounded.
pub(crate) const MAX_PARAMETERS: usize = 128;

const WHITE: [char; 2] = [' ', '\t'];
