//! One part of a multipart body: header fields and a body of its own (RFC 2046 §5.1, RFC 5621 §8).

use bytes::Bytes;

use super::Multipart;
use crate::{
    ContentDisposition, ContentType, Header, Headers, MediaType, Parameters, ParseError,
    ParseOptions, parse::Scan,
};

/// One part. Its bytes are shared with the message.
#[derive(Clone, Debug)]
pub struct Part {
    headers: Headers,
    /// Where the body starts in the bytes of the part.
    body: usize,
    in_digest: bool,
    pub(super) nested: Option<Box<Multipart>>,
}

impl Part {
    pub(super) fn read(
        bytes: Bytes,
        in_digest: bool,
        options: &ParseOptions,
    ) -> Result<Self, ParseError> {
        let scan = Scan::fragment(&bytes, false, options)?;
        let headers = Headers { bytes, lines: scan.lines, profile: options.profile };
        Ok(Self { headers, body: scan.body, in_digest, nested: None })
    }

    /// The header fields of the part.
    pub fn headers(&self) -> &Headers {
        &self.headers
    }

    /// The body of the part.
    pub fn body(&self) -> Bytes {
        let bytes = &self.headers.bytes;
        bytes.slice(self.body.min(bytes.len())..)
    }

    /// The part as it came, header fields included.
    pub fn as_bytes(&self) -> &Bytes {
        &self.headers.bytes
    }

    /// The type of the part: `Content-Type`, or else `text/plain; charset=us-ascii`, and
    /// `message/rfc822` within a digest (RFC 2046 §5.1).
    ///
    /// # Errors
    /// When `Content-Type` does not follow its grammar or comes twice.
    pub fn media_type(&self) -> Result<MediaType, ParseError> {
        match self.headers.at_most_one::<ContentType>()? {
            Some(ContentType(media_type)) => Ok(media_type),
            None if self.in_digest => "message/rfc822".parse(),
            None => "text/plain;charset=us-ascii".parse(),
        }
    }

    /// Whether the part is of the type `essence`, such as `application/sdp`. One whose type cannot
    /// be read is of none.
    pub fn is(&self, essence: &str) -> bool {
        self.media_type().is_ok_and(|media_type| media_type.is(essence))
    }

    /// What the part is for: `Content-Disposition`, or else `session` for a session description
    /// and `render` for all other types (RFC 3261 §20.11).
    ///
    /// # Errors
    /// When `Content-Disposition` does not follow its grammar or comes twice.
    pub fn disposition(&self) -> Result<ContentDisposition, ParseError> {
        let default = if self.is("application/sdp") { "session" } else { "render" };
        let parameters = Parameters::new();
        let default = ContentDisposition { disposition: default.into(), parameters };
        Ok(self.headers.at_most_one()?.unwrap_or(default))
    }

    /// Whether the message must be refused when the part is not understood: unless its disposition
    /// says `handling=optional` (RFC 5621 §8.1). One that cannot be read is on the safe side.
    pub fn is_required(&self) -> bool {
        self.disposition().map_or(true, |disposition| disposition.is_required())
    }

    /// The `Content-ID` without its angle brackets, which a `cid:` URI points to (RFC 2392 §2).
    pub fn content_id(&self) -> Option<&str> {
        let mut fields = self.headers.iter();
        let (_, value) = fields.find(|(name, _)| name.as_str().eq_ignore_ascii_case(CONTENT_ID))?;
        str::from_utf8(value).ok()?.strip_prefix('<')?.strip_suffix('>')
    }

    /// The parts of this part, if it is `multipart` itself and could be taken apart.
    pub fn multipart(&self) -> Option<&Multipart> {
        self.nested.as_deref()
    }

    /// The first value of the header field `H`.
    ///
    /// # Errors
    /// When the value does not follow the grammar of `H`.
    pub fn header<H: Header>(&self) -> Result<Option<H>, ParseError> {
        self.headers.header()
    }

    /// This part or one within it that is `wanted`.
    pub(super) fn find<'a>(&'a self, wanted: &dyn Fn(&Part) -> bool) -> Option<&'a Part> {
        if wanted(self) {
            return Some(self);
        }
        let nested = self.multipart()?;
        let mut parts = nested.parts.iter();
        if nested.is_alternative() {
            parts.rev().find_map(|part| part.find(wanted))
        } else {
            parts.find_map(|part| part.find(wanted))
        }
    }

    /// Whether the part is understood, or all that must be within it.
    pub(super) fn is_understood(&self, understands: &impl Fn(&Part) -> bool) -> bool {
        if understands(self) {
            return true;
        }
        let Some(nested) = self.multipart() else { return false };
        let mut missing = Vec::new();
        nested.collect(understands, &mut missing);
        missing.is_empty()
    }
}

const CONTENT_ID: &str = "Content-ID";
