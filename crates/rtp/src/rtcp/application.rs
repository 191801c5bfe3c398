//! APP: packets whose meaning an application defines (RFC 3550 §6.7).

use offhook_sansio::{NoRoom, Reader, Writer};

use super::header::{self, APPLICATION, Framed};
use crate::Malformed;

/// A checked APP packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Application<'a> {
    /// The subtype, 0 to 31.
    pub subtype: u8,
    /// The source it comes from.
    pub ssrc: u32,
    /// The name of the application, four ASCII characters.
    pub name: [u8; 4],
    /// What the application defines: whole 32-bit words.
    pub content: &'a [u8],
}

impl<'a> Application<'a> {
    pub(super) fn parse(framed: &Framed<'a>) -> Result<Self, Malformed> {
        let mut reader = Reader::new(framed.body);
        let ssrc = reader.u32().map_err(Malformed::cut("the SSRC of an APP packet", APP))?;
        let name = reader.array().map_err(Malformed::cut("a name of 4 octets", APP))?;
        Ok(Self { subtype: framed.count, ssrc, name, content: reader.rest() })
    }

    /// Refuses a content that is not whole words: there is no room for the rest of its last word.
    pub(super) fn write(&self, writer: &mut Writer<'_>) -> Result<(), NoRoom> {
        let odd = self.content.len() % 4;
        if odd > 0 {
            return Err(NoRoom { needed: 4, left: odd });
        }
        let body = self.content.len().saturating_add(8);
        header::write(writer, self.subtype, APPLICATION, body)?;
        writer.u32(self.ssrc)?;
        writer.put(&self.name)?;
        writer.put(self.content)
    }
}

const APP: &str = "RFC 3550 §6.7";
