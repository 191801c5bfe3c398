//! Writing a multipart body (RFC 2046 §5.1.1, RFC 5621 §4.3).

use std::collections::HashSet;

use bytes::Bytes;

use super::{Multipart, Part};
use crate::{
    BuildError, Header, HeaderName, MediaType, ParseError, ParseOptions,
    builder::{content_type_fault, row_fault},
};

/// Makes a multipart body; see [`Multipart::builder`].
#[derive(Clone, Debug)]
pub struct MultipartBuilder {
    subtype: String,
    parameters: Vec<(String, String)>,
    parts: Vec<Draft>,
    fault: Option<BuildError>,
}

#[derive(Clone, Debug)]
struct Draft {
    /// The header fields, each with its line end.
    head: String,
    body: Bytes,
}

impl MultipartBuilder {
    pub(super) fn new(subtype: &str) -> Self {
        let subtype = subtype.to_owned();
        Self { subtype, parameters: Vec::new(), parts: Vec::new(), fault: None }
    }

    /// Sets a parameter of the type besides the boundary, such as `type` or `start` of
    /// `multipart/related`; the value is free text.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Adds a part of the type `content_type`. The header fields that follow are its own.
    #[must_use]
    pub fn part(mut self, content_type: &str, body: impl Into<Bytes>) -> Self {
        self.parts.push(Draft { head: String::new(), body: body.into() });
        self.note(content_type_fault(content_type));
        self.raw("Content-Type", content_type)
    }

    /// Adds a part that is a multipart itself.
    #[must_use]
    pub fn multipart(self, nested: &Multipart) -> Self {
        self.part(&nested.media_type().to_string(), nested.as_bytes().clone())
    }

    /// Adds a header field to the last part.
    #[must_use]
    pub fn header<H: Header>(mut self, header: &H) -> Self {
        let mut value = String::new();
        header.write(&mut value);
        self.note(row_fault(&value, &[header]));
        self.raw(H::NAME.as_str(), &value)
    }

    /// Sets the `Content-ID` of the last part, by which `cid:ID` points to it (RFC 2392).
    #[must_use]
    pub fn content_id(mut self, id: &str) -> Self {
        let fits = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>');
        if id.is_empty() || !id.bytes().all(fits) {
            self.note(Some(fault("an identifier without brackets and spaces", "RFC 2392 §2")));
        }
        self.raw("Content-ID", &format!("<{id}>"))
    }

    /// Adds a header field with the text `value` to the last part.
    #[must_use]
    pub fn raw(mut self, name: &str, value: &str) -> Self {
        let is_line = !value.contains(['\r', '\n', '\0']);
        match self.parts.last_mut() {
            Some(part) if is_line && crate::parse::is_token(name) => {
                part.head.push_str(&[name, ": ", value, "\r\n"].concat());
            }
            _ => {
                let expected = "a part, and a header field of one line for it";
                self.note(Some(fault(expected, "RFC 2046 §5.1")));
            }
        }
        self
    }

    /// Writes the body, with a boundary that is in none of the parts.
    ///
    /// # Errors
    /// When there is no part, or a value cannot stand where it should.
    pub fn build(self) -> Result<Multipart, BuildError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if !crate::parse::is_token(&self.subtype) {
            return Err(ParseError::new(0, "a token as the subtype", "RFC 2045 §5.1").into());
        }
        let boundary = format!("{PREFIX}{:0WIDTH$}", free_number(&self.parts));
        let mut media_type: MediaType = format!("multipart/{}", self.subtype).parse()?;
        media_type.parameters.set("boundary", Some(boundary.clone()));
        for (name, value) in self.parameters {
            media_type.parameters.set_quoted(name, &value);
        }
        // What was set is read back like all that is built.
        if media_type.to_string().parse::<MediaType>()? != media_type {
            return Err(fault("parameters that are read back as they were given", super::RFC));
        }
        let mut bytes = Vec::new();
        for part in &self.parts {
            for text in ["--", &boundary, "\r\n", &part.head, "\r\n"] {
                bytes.extend_from_slice(text.as_bytes());
            }
            bytes.extend_from_slice(&part.body);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(["--", &boundary, "--\r\n"].concat().as_bytes());
        let built = Multipart::parse_with(&media_type, &bytes.into(), &ParseOptions::strict())?;
        let same = |(built, meant): (&Part, &Draft)| {
            let once = |name| built.headers().count(name) <= 1;
            let is_clear = once(HeaderName::CONTENT_TYPE) && once(HeaderName::CONTENT_DISPOSITION);
            is_clear && built.body() == meant.body
        };
        if built.parts.len() == self.parts.len() && built.parts.iter().zip(&self.parts).all(same) {
            return Ok(built);
        }
        Err(ParseError::new(0, "parts that are read back as they were given", super::RFC).into())
    }

    /// The first fault counts.
    fn note(&mut self, fault: Option<BuildError>) {
        self.fault = self.fault.take().or(fault);
    }
}

fn fault(expected: &'static str, rfc: &'static str) -> BuildError {
    BuildError::Header(ParseError::new(0, expected, rfc))
}

/// The smallest number whose boundary starts no text in any part. All numbers are written with the
/// same width, so that none is the start of another.
fn free_number(parts: &[Draft]) -> u32 {
    let mut taken = HashSet::new();
    let finder = memchr::memmem::Finder::new(PREFIX);
    for text in parts.iter().flat_map(|part| [part.head.as_bytes(), &part.body]) {
        for at in finder.find_iter(text) {
            let digits = text.get(at.saturating_add(PREFIX.len())..).unwrap_or_default();
            let number = digits.get(..WIDTH).and_then(|digits| str::from_utf8(digits).ok());
            taken.extend(number.and_then(|number| number.parse::<u32>().ok()));
        }
    }
    (0..=u32::MAX).find(|number| !taken.contains(number)).unwrap_or_default()
}

/// How the boundaries begin.
const PREFIX: &str = "offhook-part-";

/// Digits of the number in a boundary: more than texts within the limits could take up.
const WIDTH: usize = 8;
