//! An RTP packet, field by field (RFC 3550 §5.1, §5.3.1, RFC 8285).

use bytes::Bytes;
use offhook::rtp::{Extension, Packet};

use crate::{
    escape,
    fault::Fault,
    finding::Finding,
    node::Node,
    packet::{self, Field},
    tree::Row,
};

/// Looks at one datagram.
pub(crate) fn inspect(input: &Bytes) -> Finding {
    let length = input.len();
    match Packet::parse(input) {
        Ok(packet) => {
            let (number, ssrc) = (packet.payload_type(), packet.ssrc());
            let title = format!("rtp  payload type {number}, SSRC 0x{ssrc:08x}  ({length} bytes)");
            let (rows, json) = read(&packet, length);
            Finding::new(title, rows, json, true)
        }
        Err(error) => {
            let fault = Fault::of_rtp(&error, 0);
            let row = Row::octet_fault(&fault, input);
            Finding::refused("RTP packet", length, &fault, vec![row])
        }
    }
}

fn read(packet: &Packet<'_>, length: usize) -> (Vec<Row>, Node) {
    let csrcs: Vec<_> = packet.csrcs().collect();
    let extension = packet.extension();
    let extension_at = FIXED_HEADER + 4 * csrcs.len();
    let payload_at = length - usize::from(packet.padding()) - packet.payload().len();
    let mut head = fixed_header(packet, csrcs.len());
    let mut rows: Vec<_> = head.iter().map(|field| field.row(0)).collect();
    for (number, csrc) in csrcs.iter().enumerate() {
        rows.push(Field::hex(FIXED_HEADER + 4 * number, "csrc", *csrc).row(0));
    }
    head.push(Field::new(FIXED_HEADER, "csrcs", csrcs.iter().copied().collect::<Node>()));
    let extension_json = extension.map(|it| {
        let (extension_rows, json) = read_extension(&it, extension_at);
        rows.extend(extension_rows);
        json
    });
    head.push(Field::new(extension_at, "header_extension", extension_json));
    rows.push(Field::octets(payload_at, "payload", packet.payload()).row(0));
    head.push(Field::new(payload_at, "payload_length", packet.payload().len()));
    let padding =
        Field::new(payload_at + packet.payload().len(), "padding_length", packet.padding());
    rows.extend((packet.padding() > 0).then(|| padding.row(0)));
    head.push(padding);
    let Node::Map(entries) = packet::node(&head) else { return (rows, Node::Null) };
    let kind = Node::map([("kind", "rtp".into())]);
    (rows, entries.into_iter().fold(kind, |json, (key, value)| json.with(&key, value)))
}

fn fixed_header(packet: &Packet<'_>, csrcs: usize) -> Vec<Field> {
    vec![
        Field::new(0, "version", 2_u8),
        Field::new(0, "padding", packet.padding() > 0),
        Field::new(0, "extension", packet.extension().is_some()),
        Field::new(0, "csrc_count", csrcs),
        Field::new(1, "marker", packet.marker()),
        Field::new(1, "payload_type", packet.payload_type()),
        Field::new(2, "sequence_number", packet.sequence()),
        Field::new(4, "timestamp", packet.timestamp()),
        Field::hex(8, "ssrc", packet.ssrc()),
    ]
}

/// The elements are shown without offsets: padding may stand between them.
fn read_extension(extension: &Extension<'_>, at: usize) -> (Vec<Row>, Node) {
    let (profile, content) = (extension.profile(), extension.content());
    let element = |id: u8, value: &[u8]| {
        let hex: String = value.iter().map(|octet| format!("{octet:02x}")).collect();
        Node::map([("id", id.into()), ("value", hex.into())])
    };
    let json = Node::map([
        ("profile", profile.into()),
        ("length", (content.len() / 4).into()),
        ("elements", extension.elements().map(|it| element(it.id, it.value)).collect()),
        ("content", content.iter().map(|octet| format!("{octet:02x}")).collect::<String>().into()),
    ]);
    let shown = format!("profile 0x{profile:04x}");
    let mut rows = vec![Field::new(at, "header_extension", Node::Null).shown(shown).row(0)];
    rows.push(Field::new(at + 2, "length", content.len() / 4).row(1));
    rows.push(Field::octets(at + 4, "content", content).row(1));
    for element in extension.elements() {
        let shown = format!("id {}  {}", element.id, escape::hex(element.value, 16));
        rows.extend(Row::parts(2, &Node::map([("element", shown.into())])));
    }
    (rows, json)
}

const FIXED_HEADER: usize = 12;
