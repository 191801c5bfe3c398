//! BYE: sources that are no longer active (RFC 3550 §6.6).

use offhook_sansio::{NoRoom, Reader, Writer};

use super::header::{self, Framed, GOODBYE, to_boundary};
use crate::Malformed;

/// A checked BYE packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goodbye<'a> {
    sources: &'a [u8],
    reason: Option<&'a [u8]>,
}

impl<'a> Goodbye<'a> {
    pub(super) fn parse(framed: &Framed<'a>) -> Result<Self, Malformed> {
        let mut reader = Reader::new(framed.body);
        let sources = reader
            .take(usize::from(framed.count).saturating_mul(4))
            .map_err(Malformed::cut("as many SSRCs as SC says", BYE))?;
        let reason = if reader.is_empty() { None } else { Some(parse_reason(&mut reader)?) };
        Ok(Self { sources, reason })
    }

    /// The sources that leave.
    pub fn sources(&self) -> impl Iterator<Item = u32> + use<'a> {
        let (words, _) = self.sources.as_chunks();
        words.iter().map(|word| u32::from_be_bytes(*word))
    }

    /// Why they leave, if they say: UTF-8, if the sender keeps to the rules.
    pub const fn reason(&self) -> Option<&'a [u8]> {
        self.reason
    }
}

fn parse_reason<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Malformed> {
    let cut = || Malformed::cut("a reason as long as it says", BYE);
    let length = reader.u8().map_err(cut())?;
    reader.take(usize::from(length)).map_err(cut())
}

/// Writes a BYE for one source, with a reason unless that is empty.
pub(super) fn write(writer: &mut Writer<'_>, ssrc: u32, reason: &str) -> Result<(), NoRoom> {
    let too_long = NoRoom { needed: reason.len(), left: usize::from(u8::MAX) };
    let length = u8::try_from(reason.len()).map_err(|_| too_long)?;
    let text = if reason.is_empty() { 0 } else { reason.len().saturating_add(1) };
    let nulls = to_boundary(text);
    header::write(writer, 1, GOODBYE, text.saturating_add(nulls).saturating_add(4))?;
    writer.u32(ssrc)?;
    if length > 0 {
        writer.u8(length)?;
        writer.put(reason.as_bytes())?;
    }
    writer.reserve(nulls)?.fill(0);
    Ok(())
}

const BYE: &str = "RFC 3550 §6.6";
