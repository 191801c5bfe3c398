//! Sender and receiver reports (RFC 3550 §6.4.1, §6.4.2).

use offhook_sansio::{NoRoom, Reader, Writer};

use super::header::{self, Framed, RECEIVER_REPORT, SENDER_REPORT};
use crate::{Malformed, NtpTime};

/// A checked sender report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderReport<'a> {
    ssrc: u32,
    info: SenderInfo,
    blocks: &'a [u8],
    extension: &'a [u8],
}

impl<'a> SenderReport<'a> {
    pub(super) fn parse(framed: &Framed<'a>) -> Result<Self, Malformed> {
        let mut reader = Reader::new(framed.body);
        let ssrc = reader.u32().map_err(Malformed::cut("the SSRC of the sender", SR))?;
        let info = SenderInfo::parse(&mut reader)?;
        let blocks = take_blocks(&mut reader, framed.count, SR)?;
        Ok(Self { ssrc, info, blocks, extension: reader.rest() })
    }

    /// The source that reports.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// What it has sent.
    pub const fn info(&self) -> &SenderInfo {
        &self.info
    }

    /// What it has received.
    pub fn blocks(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        blocks(self.blocks)
    }

    /// What follows the blocks: a profile-specific extension (RFC 3550 §6.4.3).
    pub const fn extension(&self) -> &'a [u8] {
        self.extension
    }
}

/// A checked receiver report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiverReport<'a> {
    ssrc: u32,
    blocks: &'a [u8],
    extension: &'a [u8],
}

impl<'a> ReceiverReport<'a> {
    pub(super) fn parse(framed: &Framed<'a>) -> Result<Self, Malformed> {
        let mut reader = Reader::new(framed.body);
        let ssrc = reader.u32().map_err(Malformed::cut("the SSRC of the packet sender", RR))?;
        let blocks = take_blocks(&mut reader, framed.count, RR)?;
        Ok(Self { ssrc, blocks, extension: reader.rest() })
    }

    /// The source that reports.
    pub const fn ssrc(&self) -> u32 {
        self.ssrc
    }

    /// What it has received.
    pub fn blocks(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        blocks(self.blocks)
    }

    /// What follows the blocks: a profile-specific extension (RFC 3550 §6.4.3).
    pub const fn extension(&self) -> &'a [u8] {
        self.extension
    }
}

/// The sender information of a sender report (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SenderInfo {
    /// When the report was sent.
    pub ntp: NtpTime,
    /// The same moment on the media clock.
    pub rtp_timestamp: u32,
    /// How many packets were sent, modulo 2³².
    pub packets: u32,
    /// How many octets of payload were sent, modulo 2³².
    pub octets: u32,
}

impl SenderInfo {
    fn parse(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let cut = || Malformed::cut("20 octets of sender information", SR);
        Ok(Self {
            ntp: NtpTime(reader.u64().map_err(cut())?),
            rtp_timestamp: reader.u32().map_err(cut())?,
            packets: reader.u32().map_err(cut())?,
            octets: reader.u32().map_err(cut())?,
        })
    }

    fn write(&self, writer: &mut Writer<'_>) -> Result<(), NoRoom> {
        writer.u64(self.ntp.0)?;
        writer.u32(self.rtp_timestamp)?;
        writer.u32(self.packets)?;
        writer.u32(self.octets)
    }
}

/// One reception report block (RFC 3550 §6.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReportBlock {
    /// The source it is about.
    pub ssrc: u32,
    /// Packets lost since the last report, in 256ths of those expected.
    pub fraction_lost: u8,
    /// Packets lost since the beginning, 24 bits with a sign.
    pub cumulative_lost: i32,
    /// The highest sequence number received, extended by the count of its cycles.
    pub highest_sequence: u32,
    /// Interarrival jitter in ticks of the media clock.
    pub jitter: u32,
    /// LSR: the middle 32 bits of the time in the last sender report; zero if there was none.
    pub last_sr: u32,
    /// DLSR: the time since that report came, in units of 1/65536 seconds.
    pub delay_since_last_sr: u32,
}

impl ReportBlock {
    fn parse(block: &[u8; BLOCK_LENGTH]) -> Option<Self> {
        let mut reader = Reader::new(block);
        let ssrc = reader.u32().ok()?;
        let fraction_lost = reader.u8().ok()?;
        let [high, middle, low] = reader.array().ok()?;
        // The sign is carried down from the top of a 32-bit word.
        let cumulative_lost = i32::from_be_bytes([high, middle, low, 0]) >> 8;
        Some(Self {
            ssrc,
            fraction_lost,
            cumulative_lost,
            highest_sequence: reader.u32().ok()?,
            jitter: reader.u32().ok()?,
            last_sr: reader.u32().ok()?,
            delay_since_last_sr: reader.u32().ok()?,
        })
    }

    /// A loss beyond the 24 bits of its field is written as the field's limit (RFC 3550 §A.3).
    fn write(&self, writer: &mut Writer<'_>) -> Result<(), NoRoom> {
        writer.u32(self.ssrc)?;
        writer.u8(self.fraction_lost)?;
        let lost = self.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff);
        let [_, lost @ ..] = lost.to_be_bytes();
        writer.put(&lost)?;
        writer.u32(self.highest_sequence)?;
        writer.u32(self.jitter)?;
        writer.u32(self.last_sr)?;
        writer.u32(self.delay_since_last_sr)
    }
}

/// Writes a sender report, or a receiver report if there is no `info`. At most 31 blocks fit.
pub(super) fn write(
    writer: &mut Writer<'_>,
    ssrc: u32,
    info: Option<&SenderInfo>,
    blocks: &[ReportBlock],
) -> Result<(), NoRoom> {
    let packet_type = if info.is_some() { SENDER_REPORT } else { RECEIVER_REPORT };
    let sender = if info.is_some() { 20 } else { 0 };
    let body = blocks.len().saturating_mul(BLOCK_LENGTH).saturating_add(4).saturating_add(sender);
    header::write(writer, blocks.len() as u8, packet_type, body)?;
    writer.u32(ssrc)?;
    if let Some(info) = info {
        info.write(writer)?;
    }
    blocks.iter().try_for_each(|block| block.write(writer))
}

fn take_blocks<'a>(
    reader: &mut Reader<'a>,
    count: u8,
    rfc: &'static str,
) -> Result<&'a [u8], Malformed> {
    let length = usize::from(count).saturating_mul(BLOCK_LENGTH);
    reader.take(length).map_err(Malformed::cut("as many report blocks as RC says", rfc))
}

fn blocks(bytes: &[u8]) -> impl Iterator<Item = ReportBlock> {
    let (blocks, _) = bytes.as_chunks();
    blocks.iter().filter_map(ReportBlock::parse)
}

/// How many blocks one report can hold: RC has five bits.
pub(super) const MAX_BLOCKS: usize = 31;
const BLOCK_LENGTH: usize = 24;
const SR: &str = "RFC 3550 §6.4.1";
const RR: &str = "RFC 3550 §6.4.2";
