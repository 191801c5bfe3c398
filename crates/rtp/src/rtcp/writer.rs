//! Writing a compound packet (RFC 3550 §6.1): the mirror of [`Compound`](super::Compound).

use offhook_sansio::{NoRoom, Writer};

use super::{
    Application, Item, ReportBlock, SenderInfo, description, goodbye,
    report::{self, MAX_BLOCKS},
};

/// Writes one compound packet, which begins with a report because it cannot be begun otherwise.
#[derive(Debug)]
pub struct CompoundWriter<'a> {
    writer: Writer<'a>,
}

impl<'a> CompoundWriter<'a> {
    /// Begins with a sender report, or with a receiver report if there is no `info`. Blocks beyond
    /// the 31 that one report can hold go into receiver reports after it.
    pub fn report(
        room: &'a mut [u8],
        ssrc: u32,
        info: Option<&SenderInfo>,
        blocks: &[ReportBlock],
    ) -> Result<Self, NoRoom> {
        let mut writer = Writer::new(room);
        let (first, rest) = blocks.split_at(blocks.len().min(MAX_BLOCKS));
        report::write(&mut writer, ssrc, info, first)?;
        for blocks in rest.chunks(MAX_BLOCKS) {
            report::write(&mut writer, ssrc, None, blocks)?;
        }
        Ok(Self { writer })
    }

    /// Adds an SDES packet with one item, such as the CNAME that each compound has. Its text has
    /// at most 255 octets.
    pub fn description(mut self, ssrc: u32, item: &Item<'_>) -> Result<Self, NoRoom> {
        description::write(&mut self.writer, ssrc, item)?;
        Ok(self)
    }

    /// Adds a BYE for one source. The reason has at most 255 octets; an empty one is left out.
    pub fn goodbye(mut self, ssrc: u32, reason: &str) -> Result<Self, NoRoom> {
        goodbye::write(&mut self.writer, ssrc, reason)?;
        Ok(self)
    }

    /// Adds an APP packet. Its content is whole 32-bit words.
    pub fn application(mut self, application: &Application<'_>) -> Result<Self, NoRoom> {
        application.write(&mut self.writer)?;
        Ok(self)
    }

    /// The length of the compound packet so far.
    pub const fn written(&self) -> usize {
        self.writer.written()
    }
}
