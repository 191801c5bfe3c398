//! RTCP compound packets: every part is a view within the datagram, and what can be written is
//! written back the same.

use offhook_rtp::rtcp::{
    Application, Compound, CompoundWriter, Goodbye, Item, Packet, ReportBlock, SenderInfo,
    SourceDescription,
};
use offhook_sansio::NoRoom;

use crate::{Promised, is_within};

/// Parses one datagram as a compound, and as a packet alone.
pub fn rtcp(data: &[u8]) {
    if let Ok(packet) = Packet::parse(data) {
        check(&packet, data);
    }
    match Compound::parse(data) {
        Ok(compound) => walk(&compound, data),
        Err(malformed) => {
            assert!(malformed.offset() <= data.len(), "a fault lies within its datagram");
            assert!(!malformed.to_string().contains('\n'));
        }
    }
}

fn walk(compound: &Compound<'_>, data: &[u8]) {
    assert_eq!(compound.as_bytes(), data);
    let packets: Vec<_> = compound.packets().collect();
    assert_eq!(packets.len(), headers(data), "every packet is shown");
    let first = packets.first();
    assert!(matches!(first, Some(Packet::SenderReport(_) | Packet::ReceiverReport(_))));
    for packet in &packets {
        check(packet, data);
    }
}

/// How many packets the length fields tell of.
fn headers(mut data: &[u8]) -> usize {
    let mut count = 0usize;
    while let [_, _, high, low, rest @ ..] = data {
        let length = usize::from(u16::from_be_bytes([*high, *low])).saturating_mul(4);
        data = rest.get(length..).unwrap_or_default();
        count = count.saturating_add(1);
    }
    count
}

fn check(packet: &Packet<'_>, data: &[u8]) {
    match packet {
        Packet::SenderReport(report) => {
            assert!(is_within(report.extension(), data));
            let blocks: Vec<_> = report.blocks().collect();
            check_report(report.ssrc(), Some(report.info()), &blocks);
        }
        Packet::ReceiverReport(report) => {
            assert!(is_within(report.extension(), data));
            check_report(report.ssrc(), None, &report.blocks().collect::<Vec<_>>());
        }
        Packet::SourceDescription(description) => check_description(description, data),
        Packet::Goodbye(goodbye) => check_goodbye(goodbye, data),
        Packet::Application(application) => check_application(application, data),
        Packet::Unknown(unknown) => {
            assert!(is_within(unknown.bytes, data) && is_within(unknown.body, unknown.bytes));
            assert!(unknown.count < 32);
        }
        _ => {}
    }
}

fn check_report(ssrc: u32, info: Option<&SenderInfo>, blocks: &[ReportBlock]) {
    assert!(blocks.len() < 32, "RC has five bits");
    let mut room = vec![0; ROOM];
    let writer = CompoundWriter::report(&mut room, ssrc, info, blocks);
    let length = writer.promised("a report that was read has room").written();
    let written = Packet::parse(room.get(..length).unwrap_or_default());
    match written.promised("a report that was written is read") {
        Packet::SenderReport(again) => {
            assert_eq!((again.ssrc(), Some(again.info())), (ssrc, info));
            assert!(again.blocks().eq(blocks.iter().copied()) && again.extension().is_empty());
        }
        Packet::ReceiverReport(again) => {
            assert_eq!((again.ssrc(), None), (ssrc, info));
            assert!(again.blocks().eq(blocks.iter().copied()) && again.extension().is_empty());
        }
        other => unreachable!("broken promise: a report is read as a report, not {other:?}"),
    }
}

fn check_description(description: &SourceDescription<'_>, data: &[u8]) {
    let mut chunks = 0;
    for chunk in description.chunks() {
        chunks += 1;
        assert!(chunks < 32, "SC has five bits");
        assert!(description.cname(chunk.ssrc()).is_none_or(|name| is_within(name, data)));
        for item in chunk.items() {
            assert!(item.item_type != 0 && is_within(item.text, data));
            check_item(chunk.ssrc(), &item);
        }
    }
}

fn check_item(ssrc: u32, item: &Item<'_>) {
    after_report(
        |writer| writer.description(ssrc, item),
        |again| {
            let Packet::SourceDescription(again) = again else {
                unreachable!("broken promise: an SDES packet is read as one")
            };
            let items = again.chunks().flat_map(|chunk| chunk.items().collect::<Vec<_>>());
            assert!(items.eq([*item]), "an item is read back as it was");
        },
    );
}

fn check_goodbye(goodbye: &Goodbye<'_>, data: &[u8]) {
    assert!(goodbye.sources().count() < 32, "SC has five bits");
    let Some(reason) = goodbye.reason() else { return };
    assert!(is_within(reason, data));
    let (Ok(text), Some(ssrc)) = (str::from_utf8(reason), goodbye.sources().next()) else { return };
    after_report(
        |writer| writer.goodbye(ssrc, text),
        |again| {
            let Packet::Goodbye(again) = again else {
                unreachable!("broken promise: a BYE is read as a BYE")
            };
            assert_eq!(again.reason().unwrap_or_default(), reason);
            assert!(again.sources().eq([ssrc]));
        },
    );
}

fn check_application(application: &Application<'_>, data: &[u8]) {
    assert!(is_within(application.content, data) && application.subtype < 32);
    if application.content.len().is_multiple_of(4) && application.content.len() <= ROOM / 2 {
        after_report(
            |writer| writer.application(application),
            |again| assert_eq!(again, &Packet::Application(*application)),
        );
    }
}

/// Writes a packet behind an empty report, reads the compound, and shows the second packet.
fn after_report(
    write: impl FnOnce(CompoundWriter<'_>) -> Result<CompoundWriter<'_>, NoRoom>,
    check: impl FnOnce(&Packet<'_>),
) {
    let mut room = vec![0; ROOM];
    let report = CompoundWriter::report(&mut room, 1, None, &[]);
    let report = report.promised("an empty report has room");
    let length = write(report).promised("what was read has room").written();
    let bytes = room.get(..length).unwrap_or_default();
    let compound = Compound::parse(bytes).promised("a compound that was written is read");
    let packets: Vec<_> = compound.packets().collect();
    assert_eq!(packets.len(), 2);
    if let Some(packet) = packets.last() {
        check(packet);
    }
}

/// Twice as much as any input of the fuzzer has.
const ROOM: usize = 16_384;
