//! Bodies of many parts, `multipart/*` (RFC 2046 §5.1, RFC 5621).

use bytes::Bytes;

use crate::{MediaType, ParseError, ParseOptions, Profile};

mod builder;
pub use builder::MultipartBuilder;

mod delimiter;
use delimiter::Delimiters;

mod part;
pub use part::Part;

/// A `multipart` body and its parts, which share its bytes.
///
/// ```
/// use bytes::Bytes;
/// use offhook_sip_message::{ContentType, Multipart};
///
/// let body = Multipart::builder("mixed")
///     .part("application/sdp", "v=0\r\n")
///     .part("application/resource-lists+xml", "<resource-lists/>")
///     .raw("Content-Disposition", "recipient-list; handling=optional")
///     .build()?;
/// let read = Multipart::parse(body.media_type(), body.as_bytes())?;
/// assert_eq!(read.find("application/sdp").map(|part| part.body()).as_deref(), Some(&b"v=0\r\n"[..]));
/// // What must be understood and is not makes a 415 (RFC 5621 §8.4).
/// assert!(read.not_understood(|part| part.is("application/sdp")).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Multipart {
    media_type: MediaType,
    bytes: Bytes,
    preamble: Bytes,
    parts: Vec<Part>,
    epilogue: Bytes,
}

impl Multipart {
    /// Starts a new body of the type `multipart/SUBTYPE`, such as `mixed`.
    pub fn builder(subtype: &str) -> MultipartBuilder {
        MultipartBuilder::new(subtype)
    }

    /// Reads `body`, whose type is `media_type`, with the default [`ParseOptions`].
    ///
    /// # Errors
    /// When it is not `multipart` or its parts cannot be told apart; the offset counts from the
    /// start of the body.
    pub fn parse(media_type: &MediaType, body: &Bytes) -> Result<Self, ParseError> {
        Self::parse_with(media_type, body, &ParseOptions::default())
    }

    /// Reads `body`, whose type is `media_type`.
    ///
    /// The tolerant profile forgives what cannot be misread: line ends of LF alone, a boundary of
    /// characters that RFC 2046 does not have, a body without any part, and a missing close
    /// delimiter, in whose place the body ends.
    ///
    /// # Errors
    /// When it is not `multipart` or its parts cannot be told apart; when there are more than 64
    /// parts, or when they are nested more than four deep.
    pub fn parse_with(
        media_type: &MediaType,
        body: &Bytes,
        options: &ParseOptions,
    ) -> Result<Self, ParseError> {
        let mut room = MAX_PARTS;
        Self::read(media_type, body, options, MAX_DEPTH, &mut room)
    }

    /// The type of the whole, with its boundary.
    pub fn media_type(&self) -> &MediaType {
        &self.media_type
    }

    /// The whole as it came, preamble and epilogue included.
    pub fn as_bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The parts in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// What stands before the first boundary; it means nothing (RFC 2046 §5.1.1).
    pub fn preamble(&self) -> &Bytes {
        &self.preamble
    }

    /// What stands behind the last boundary; it means nothing (RFC 2046 §5.1.1).
    pub fn epilogue(&self) -> &Bytes {
        &self.epilogue
    }

    /// The part to use for the type `essence`, such as `application/sdp`, nested ones included. Of
    /// alternatives the last is the best (RFC 5621 §6.1), of other parts the first.
    pub fn find(&self, essence: &str) -> Option<&Part> {
        let of = |part: &'_ Part| part.is(essence);
        if self.is_alternative() {
            self.parts.iter().rev().find_map(|part| part.find(&of))
        } else {
            self.parts.iter().find_map(|part| part.find(&of))
        }
    }

    /// The part that the `cid:` URI `uri` points to (RFC 2392 §2), nested ones included.
    pub fn find_cid(&self, uri: &str) -> Option<&Part> {
        let scheme = uri.get(..4).filter(|scheme| scheme.eq_ignore_ascii_case("cid:"));
        let id = crate::unescape(uri.get(scheme?.len()..)?);
        let of = |part: &Part| part.content_id().is_some_and(|own| own.as_bytes() == &*id);
        self.parts.iter().find_map(|part| part.find(&of))
    }

    /// The parts that must be understood and are not: with any of them the answer is 415
    /// (RFC 5621 §8.4). Whether the multipart itself must be is told by the `Content-Disposition`
    /// of what it stands in.
    ///
    /// `understands` judges one part, by its type and disposition. Nested parts are judged one by
    /// one; of alternatives one is enough, and none of them is a failure whatever they say
    /// themselves (RFC 5621 §8.3).
    pub fn not_understood(&self, understands: impl Fn(&Part) -> bool) -> Vec<&Part> {
        let mut found = Vec::new();
        self.collect(&understands, &mut found);
        found
    }

    fn collect<'a>(&'a self, understands: &impl Fn(&Part) -> bool, found: &mut Vec<&'a Part>) {
        if self.is_alternative() {
            if !self.parts.iter().any(|part| part.is_understood(understands)) {
                found.extend(&self.parts);
            }
            return;
        }
        for part in self.parts.iter().filter(|part| part.is_required()) {
            match part.multipart() {
                _ if understands(part) => {}
                Some(nested) => nested.collect(understands, found),
                None => found.push(part),
            }
        }
    }

    fn is_alternative(&self) -> bool {
        self.media_type.subtype.eq_ignore_ascii_case("alternative")
    }

    fn read(
        media_type: &MediaType,
        body: &Bytes,
        options: &ParseOptions,
        depth: u8,
        room: &mut usize,
    ) -> Result<Self, ParseError> {
        let boundary = boundary(media_type, options.profile)?;
        let mut delimiters = Delimiters::new(body, boundary.as_bytes(), options.profile);
        let Some(first) = delimiters.next()? else {
            return Err(ParseError::new(body.len(), "the boundary before the first part", RFC));
        };
        if first.closes && options.profile == Profile::Strict {
            return Err(ParseError::new(first.end, "at least one part", RFC));
        }
        let preamble = body.slice(..first.start);
        let in_digest = media_type.subtype.eq_ignore_ascii_case("digest");
        let mut reader = Reader { body, options, in_digest, depth, room };
        let mut parts = Vec::new();
        let mut last = first;
        while !last.closes {
            let next = delimiters.next()?;
            let end = match &next {
                Some(next) if next.start >= last.end => next.start,
                // The line end of the boundary line before is not there twice.
                Some(next) if options.profile == Profile::Strict => {
                    return Err(ParseError::new(next.start, "CRLF before the boundary", RFC));
                }
                Some(_) => last.end,
                None if options.profile == Profile::Strict => {
                    return Err(ParseError::new(body.len(), "the closing boundary", RFC));
                }
                None => body.len(),
            };
            parts.push(reader.part(last.end, end)?);
            let Some(next) = next else { break };
            last = next;
        }
        let epilogue = if last.closes { body.slice(last.end..) } else { Bytes::new() };
        Ok(Self { media_type: media_type.clone(), bytes: body.clone(), preamble, parts, epilogue })
    }
}

/// Reads parts within the limits.
struct Reader<'a> {
    body: &'a Bytes,
    options: &'a ParseOptions,
    in_digest: bool,
    depth: u8,
    room: &'a mut usize,
}

impl Reader<'_> {
    fn part(&mut self, start: usize, end: usize) -> Result<Part, ParseError> {
        let too_many = |expected| Err(ParseError::new(start, expected, RFC));
        let Some(room) = self.room.checked_sub(1) else { return too_many("fewer parts") };
        *self.room = room;
        let bytes = self.body.slice(start..end);
        let part = Part::read(bytes, self.in_digest, self.options);
        let mut part = part.map_err(|error| error.moved_by(start))?;
        let Ok(media_type) = part.media_type() else { return Ok(part) };
        if !media_type.kind.eq_ignore_ascii_case("multipart") {
            return Ok(part);
        }
        let Some(depth) = self.depth.checked_sub(1) else { return too_many("less nesting") };
        let body = part.body();
        let base = end.saturating_sub(body.len());
        match Multipart::read(&media_type, &body, self.options, depth, self.room) {
            Ok(nested) => part.nested = Some(Box::new(nested)),
            // One that cannot be taken apart is a part that nobody understands.
            Err(_) if self.options.profile == Profile::Tolerant => {}
            Err(error) => return Err(error.moved_by(base)),
        }
        Ok(part)
    }
}

/// The `boundary` parameter: 1 to 70 characters, no space at the end (RFC 2046 §5.1.1).
fn boundary(media_type: &MediaType, profile: Profile) -> Result<String, ParseError> {
    let refuse = |expected| Err(ParseError::new(0, expected, RFC));
    if !media_type.kind.eq_ignore_ascii_case("multipart") {
        return refuse("a multipart type");
    }
    let Some(boundary) = media_type.parameters.text("boundary") else {
        return refuse("a boundary parameter");
    };
    let is_fit = |byte: u8| match profile {
        Profile::Strict => byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte),
        Profile::Tolerant => byte.is_ascii_graphic() || byte == b' ',
    };
    let is_long = !(1..=MAX_BOUNDARY).contains(&boundary.len());
    if is_long || boundary.ends_with(' ') || !boundary.bytes().all(is_fit) {
        return refuse("a boundary of 1 to 70 characters");
    }
    Ok(boundary.into_owned())
}

/// The clause that nearly all refusals come from.
const RFC: &str = "RFC 2046 §5.1.1";

/// RFC 2046 §5.1.1.
const MAX_BOUNDARY: usize = 70;

/// Parts in all, nested ones included: a few are in use.
const MAX_PARTS: usize = 64;

/// How deep parts may be nested: RFC 5621 §4.3 has use for two.
const MAX_DEPTH: u8 = 4;

#[cfg(test)]
mod tests;
