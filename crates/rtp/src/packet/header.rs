//! Writing an RTP header: the mirror of [`Packet::parse`](super::Packet::parse).

use offhook_sansio::{NoRoom, Writer};

use super::{Extension, Packet, VERSION};

/// An RTP header to write.
///
/// It cannot contradict itself: version, CC and X follow from what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    marker: bool,
    payload_type: u8,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    csrcs: &'a [u32],
    extension: Option<Extension<'a>>,
}

impl<'a> Header<'a> {
    /// A fixed header without marker, contributing sources and extension. Of `payload_type` the
    /// low seven bits count, the field has no more.
    pub const fn new(payload_type: u8, sequence: u16, timestamp: u32, ssrc: u32) -> Self {
        let payload_type = payload_type & 0x7f;
        Self { marker: false, payload_type, sequence, timestamp, ssrc, csrcs: &[], extension: None }
    }

    /// The header of a received packet, with other contributing sources: `csrcs`, or `None` if
    /// they are more than the 15 that the CC field can count.
    pub fn of(packet: &Packet<'a>, csrcs: &'a [u32]) -> Option<Self> {
        let (sequence, timestamp) = (packet.sequence(), packet.timestamp());
        let header = Self::new(packet.payload_type(), sequence, timestamp, packet.ssrc());
        let header = Self { extension: packet.extension(), ..header };
        header.with_marker(packet.marker()).with_csrcs(csrcs)
    }

    /// The same header with the marker bit as given.
    pub const fn with_marker(self, marker: bool) -> Self {
        Self { marker, ..self }
    }

    /// The same header with contributing sources; `None` if they are more than 15.
    pub const fn with_csrcs(self, csrcs: &'a [u32]) -> Option<Self> {
        if csrcs.len() > 15 { None } else { Some(Self { csrcs, ..self }) }
    }

    /// The same header with an extension.
    pub const fn with_extension(self, extension: Extension<'a>) -> Self {
        Self { extension: Some(extension), ..self }
    }

    /// Writes the header. The payload follows it without a gap.
    pub fn write(&self, writer: &mut Writer<'_>) -> Result<(), NoRoom> {
        let extended = if self.extension.is_some() { 0x10 } else { 0 };
        let marker = if self.marker { 0x80 } else { 0 };
        // At most 15, by construction.
        let csrcs = self.csrcs.len() as u8;
        writer.u8((VERSION << 6) | extended | csrcs)?;
        writer.u8(marker | self.payload_type)?;
        writer.u16(self.sequence)?;
        writer.u32(self.timestamp)?;
        writer.u32(self.ssrc)?;
        for csrc in self.csrcs {
            writer.u32(*csrc)?;
        }
        self.extension.map_or(Ok(()), |extension| extension.write(writer))
    }
}
