//! The header extension (RFC 3550 §5.3.1) and the elements within it (RFC 8285 §4.2, §4.3).

use offhook_sansio::{NoRoom, Reader, Writer};

/// A header extension: a word defined by a profile and a multiple of four octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    profile: u16,
    content: &'a [u8],
}

impl<'a> Extension<'a> {
    /// An extension to write; `None` unless `content` is whole 32-bit words, at most 65 535.
    pub fn new(profile: u16, content: &'a [u8]) -> Option<Self> {
        let fits = content.len().is_multiple_of(4) && content.len() / 4 <= usize::from(u16::MAX);
        fits.then_some(Self { profile, content })
    }

    /// An extension whose length came from its own length field.
    pub(super) const fn from_words(profile: u16, content: &'a [u8]) -> Self {
        Self { profile, content }
    }

    /// The 16 bits that the profile defines: which kind of extension this is.
    pub const fn profile(&self) -> u16 {
        self.profile
    }

    /// The octets after the length field.
    pub const fn content(&self) -> &'a [u8] {
        self.content
    }

    /// The elements, if the extension has the one-byte form (RFC 8285 §4.2) or the two-byte form
    /// (§4.3); none otherwise.
    ///
    /// An element that claims more octets than are left ends the list, as does ID 15 in the
    /// one-byte form.
    pub fn elements(&self) -> impl Iterator<Item = Element<'a>> + use<'a> {
        let mut reader = Reader::new(self.content);
        let profile = self.profile;
        std::iter::from_fn(move || match profile {
            ONE_BYTE => one_byte_element(&mut reader),
            _ if profile & 0xfff0 == TWO_BYTE => two_byte_element(&mut reader),
            _ => None,
        })
    }

    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), NoRoom> {
        writer.u16(self.profile)?;
        // Within range, by construction.
        writer.u16((self.content.len() / 4) as u16)?;
        writer.put(self.content)
    }
}

/// One element of a header extension (RFC 8285).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// The local identifier, 1 to 14 in the one-byte form and 1 to 255 in the two-byte form.
    pub id: u8,
    /// The octets of the element.
    pub value: &'a [u8],
}

fn one_byte_element<'a>(reader: &mut Reader<'a>) -> Option<Element<'a>> {
    let head = after_padding(reader)?;
    let (id, length) = (head >> 4, usize::from(head & 0x0f).saturating_add(1));
    // ID 0 with a length and ID 15 end the extension, whatever follows (RFC 8285 §4.2).
    if matches!(id, 0 | 15) {
        return None;
    }
    Some(Element { id, value: reader.take(length).ok()? })
}

fn two_byte_element<'a>(reader: &mut Reader<'a>) -> Option<Element<'a>> {
    let id = after_padding(reader)?;
    let length = reader.u8().ok()?;
    Some(Element { id, value: reader.take(usize::from(length)).ok()? })
}

/// The first octet that is no padding. A zero octet is padding (RFC 8285 §4.1.1).
fn after_padding(reader: &mut Reader<'_>) -> Option<u8> {
    std::iter::from_fn(|| reader.u8().ok()).find(|octet| *octet != 0)
}

/// The profile word of the one-byte form.
const ONE_BYTE: u16 = 0xbede;
/// The profile word of the two-byte form; its low four bits are "appbits".
const TWO_BYTE: u16 = 0x1000;
