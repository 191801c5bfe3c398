//! Source descriptions (RFC 3550 §6.5).

use offhook_sansio::{NoRoom, Reader, Writer};

use super::header::{self, Framed, SOURCE_DESCRIPTION, to_boundary};
use crate::Malformed;

/// A checked SDES packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDescription<'a> {
    count: u8,
    body: &'a [u8],
}

impl<'a> SourceDescription<'a> {
    pub(super) fn parse(framed: &Framed<'a>) -> Result<Self, Malformed> {
        let mut reader = Reader::new(framed.body);
        for _ in 0..framed.count {
            Chunk::parse(&mut reader)?;
        }
        if reader.rest().iter().any(|octet| *octet != 0) {
            return Err(Malformed::new(reader.offset(), "no more chunks than SC says", SDES));
        }
        Ok(Self { count: framed.count, body: framed.body })
    }

    /// The chunks, one for each source described.
    pub fn chunks(&self) -> impl Iterator<Item = Chunk<'a>> + use<'a> {
        let mut reader = Reader::new(self.body);
        (0..self.count).map_while(move |_| Chunk::parse(&mut reader).ok())
    }

    /// The canonical name of a source, if it stands here (RFC 3550 §6.5.1).
    pub fn cname(&self, ssrc: u32) -> Option<&'a [u8]> {
        let chunk = self.chunks().find(|chunk| chunk.ssrc == ssrc)?;
        chunk.items().find(|item| item.item_type == Item::CNAME).map(|item| item.text)
    }
}

/// What an SDES packet says about one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    ssrc: u32,
    items: &'a [u8],
}

impl<'a> Chunk<'a> {
    fn parse(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let ssrc = reader.u32().map_err(Malformed::cut("the SSRC of a chunk", SDES))?;
        let start = reader.rest();
        let mut length = 0usize;
        while let Some(item) = Item::parse(reader)? {
            length = length.saturating_add(item.text.len()).saturating_add(2);
        }
        reader
            .take(to_boundary(reader.offset()))
            .map_err(Malformed::cut("null octets to the word boundary", SDES))?;
        Ok(Self { ssrc, items: start.get(..length).unwrap_or_default() })
    }

    /// The source described.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// The items.
    pub fn items(&self) -> impl Iterator<Item = Item<'a>> + use<'a> {
        let mut reader = Reader::new(self.items);
        std::iter::from_fn(move || Item::parse(&mut reader).ok().flatten())
    }
}

/// One item of a source description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'a> {
    /// What it says: [`CNAME`](Self::CNAME), [`NAME`](Self::NAME) or another registered type.
    pub item_type: u8,
    /// The text, UTF-8 if the sender keeps to the rules.
    pub text: &'a [u8],
}

impl<'a> Item<'a> {
    /// The canonical name, RFC 3550 §6.5.1.
    pub const CNAME: u8 = 1;
    /// The user's name, §6.5.2.
    pub const NAME: u8 = 2;
    /// The user's mail address, §6.5.3.
    pub const EMAIL: u8 = 3;
    /// The user's telephone number, §6.5.4.
    pub const PHONE: u8 = 4;
    /// Where the user is, §6.5.5.
    pub const LOC: u8 = 5;
    /// The program, §6.5.6.
    pub const TOOL: u8 = 6;
    /// A passing remark, §6.5.7.
    pub const NOTE: u8 = 7;
    /// A private extension, §6.5.8.
    pub const PRIV: u8 = 8;

    /// The next item; `None` at the null octet that ends the list.
    fn parse(reader: &mut Reader<'a>) -> Result<Option<Self>, Malformed> {
        let item_type =
            reader.u8().map_err(Malformed::cut("a null octet after the items", SDES))?;
        if item_type == 0 {
            return Ok(None);
        }
        let cut = || Malformed::cut("an item as long as it says", SDES);
        let length = reader.u8().map_err(cut())?;
        let text = reader.take(usize::from(length)).map_err(cut())?;
        Ok(Some(Self { item_type, text }))
    }
}

/// Writes an SDES packet with one chunk that holds one item.
pub(super) fn write(writer: &mut Writer<'_>, ssrc: u32, item: &Item<'_>) -> Result<(), NoRoom> {
    let too_long = NoRoom { needed: item.text.len(), left: usize::from(u8::MAX) };
    let length = u8::try_from(item.text.len()).map_err(|_| too_long)?;
    let used = item.text.len().saturating_add(6);
    // At least one null octet ends the list.
    let nulls = to_boundary(used.saturating_add(1)).saturating_add(1);
    header::write(writer, 1, SOURCE_DESCRIPTION, used.saturating_add(nulls))?;
    writer.u32(ssrc)?;
    writer.u8(item.item_type)?;
    writer.u8(length)?;
    writer.put(item.text)?;
    writer.reserve(nulls)?.fill(0);
    Ok(())
}

const SDES: &str = "RFC 3550 §6.5";
