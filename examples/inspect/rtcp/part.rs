//! One RTCP packet, field by field (RFC 3550 §6.4 to §6.7).

use offhook::rtp::rtcp::{
    Application, Goodbye, Packet, ReportBlock, SenderInfo, SourceDescription,
};

use crate::{
    node::Node,
    packet::{self, Field},
    tree::Row,
};

/// What one packet holds.
pub(crate) struct Part {
    /// Its octets, with header and padding.
    pub(crate) length: usize,
    pub(crate) rows: Vec<Row>,
    pub(crate) json: Node,
}

impl Part {
    /// The packet that begins at octet `at` of `input`.
    pub(crate) fn of(packet: &Packet<'_>, input: &[u8], at: usize) -> Self {
        let mut part = Self::common(packet, input, at);
        match packet {
            Packet::SenderReport(report) => {
                part.fields(&[Field::hex(at + 4, "ssrc", report.ssrc())]);
                part.fields(&sender_info(report.info(), at + 8));
                part.list("blocks", report.blocks().zip(0..).map(|(it, n)| block(&it, n, at + 28)));
                part.extension(at, report.extension());
            }
            Packet::ReceiverReport(report) => {
                part.fields(&[Field::hex(at + 4, "ssrc", report.ssrc())]);
                part.list("blocks", report.blocks().zip(0..).map(|(it, n)| block(&it, n, at + 8)));
                part.extension(at, report.extension());
            }
            Packet::SourceDescription(description) => {
                part.list("chunks", chunks(description, at + 4).into_iter());
            }
            Packet::Goodbye(goodbye) => part.goodbye(goodbye, at + 4),
            Packet::Application(application) => part.application(application, at + 4),
            Packet::Unknown(unknown) => {
                part.fields(&[Field::octets(at + 4, "content", unknown.body)]);
            }
            _ => {}
        }
        part
    }

    /// The four octets that each packet begins with (RFC 3550 §6.4.1).
    fn common(packet: &Packet<'_>, input: &[u8], at: usize) -> Self {
        let header = input.get(at..).and_then(<[u8]>::first_chunk).copied().unwrap_or_default();
        let [first, packet_type, high, low] = header;
        let words = u16::from_be_bytes([high, low]);
        let (kind, name) = kind(packet);
        let json = Node::map([("offset", at.into()), ("type", kind.into())]);
        let rows = vec![Field::new(at, "packet", name).row(0)];
        let mut part = Self { length: 4 * (usize::from(words) + 1), rows, json };
        part.fields(&[
            Field::new(at, "version", first >> 6),
            Field::new(at, "padding", first & 0x20 != 0),
            Field::new(at, "count", first & 0x1f),
            Field::new(at + 1, "packet_type", packet_type),
            Field::new(at + 2, "length", words),
        ]);
        part
    }

    fn fields(&mut self, fields: &[Field]) {
        self.rows.extend(fields.iter().map(|field| field.row(1)));
        for (key, value) in fields.iter().map(Field::entry) {
            self.keep(&key, value);
        }
    }

    fn keep(&mut self, key: &str, value: Node) {
        self.json = std::mem::replace(&mut self.json, Node::Null).with(key, value);
    }

    /// Fields that come several times over; the first of each opens its group of rows.
    fn list(&mut self, key: &str, groups: impl Iterator<Item = Vec<Field>>) {
        let mut nodes = Vec::new();
        for group in groups {
            let rows = group.iter().enumerate();
            self.rows.extend(rows.map(|(place, field)| field.row(if place == 0 { 1 } else { 2 })));
            nodes.push(packet::node(&group));
        }
        self.keep(key, Node::List(nodes));
    }

    fn extension(&mut self, at: usize, octets: &[u8]) {
        if !octets.is_empty() {
            let place = at + self.length - octets.len();
            self.fields(&[Field::octets(place, "extension", octets)]);
        }
    }

    fn goodbye(&mut self, goodbye: &Goodbye<'_>, at: usize) {
        let sources: Vec<_> = goodbye.sources().collect();
        for (number, source) in sources.iter().enumerate() {
            self.rows.push(Field::hex(at + 4 * number, "source", *source).row(1));
        }
        self.keep("sources", sources.iter().copied().collect());
        let reason = goodbye.reason().map(String::from_utf8_lossy);
        let reason_at = at + 4 * sources.len();
        match reason {
            Some(reason) => self.fields(&[Field::new(reason_at, "reason", reason.as_ref())]),
            None => self.keep("reason", Node::Null),
        }
    }

    fn application(&mut self, application: &Application<'_>, at: usize) {
        let name = String::from_utf8_lossy(&application.name);
        self.fields(&[
            Field::hex(at, "ssrc", application.ssrc),
            Field::new(at + 4, "name", name.as_ref()),
            Field::octets(at + 8, "content", application.content),
        ]);
    }
}

fn kind(packet: &Packet<'_>) -> (&'static str, &'static str) {
    match packet {
        Packet::SenderReport(_) => ("sender_report", "sender report"),
        Packet::ReceiverReport(_) => ("receiver_report", "receiver report"),
        Packet::SourceDescription(_) => ("source_description", "source description"),
        Packet::Goodbye(_) => ("goodbye", "goodbye"),
        Packet::Application(_) => ("application", "application"),
        _ => ("unknown", "of a type that is not read here"),
    }
}

fn sender_info(info: &SenderInfo, at: usize) -> [Field; 5] {
    [
        Field::new(at, "ntp_seconds", info.ntp.seconds()),
        Field::new(at + 4, "ntp_fraction", info.ntp.fraction()),
        Field::new(at + 8, "rtp_timestamp", info.rtp_timestamp),
        Field::new(at + 12, "packet_count", info.packets),
        Field::new(at + 16, "octet_count", info.octets),
    ]
}

fn block(block: &ReportBlock, number: usize, first: usize) -> Vec<Field> {
    let at = first + 24 * number;
    vec![
        Field::hex(at, "ssrc", block.ssrc).shown(format!("0x{:08x}  (report block)", block.ssrc)),
        Field::new(at + 4, "fraction_lost", block.fraction_lost)
            .shown(format!("{}/256", block.fraction_lost)),
        Field::new(at + 5, "cumulative_lost", block.cumulative_lost),
        Field::new(at + 8, "highest_sequence", block.highest_sequence),
        Field::new(at + 12, "jitter", block.jitter),
        Field::hex(at + 16, "last_sr", block.last_sr),
        Field::new(at + 20, "delay_since_last_sr", block.delay_since_last_sr)
            .shown(format!("{:.3} s", f64::from(block.delay_since_last_sr) / 65_536.0)),
    ]
}

/// Each chunk as its source and its items (RFC 3550 §6.5).
fn chunks(description: &SourceDescription<'_>, first: usize) -> Vec<Vec<Field>> {
    let mut at = first;
    let mut chunks = Vec::new();
    for chunk in description.chunks() {
        let mut fields = vec![Field::hex(at, "ssrc", chunk.ssrc())];
        at += 4;
        for item in chunk.items() {
            let text = String::from_utf8_lossy(item.text);
            fields.push(Field::new(at, item_name(item.item_type), text.as_ref()));
            at += 2 + item.text.len();
        }
        // At least one null octet ends the chunk at a word boundary.
        at = (at + 1).next_multiple_of(4);
        chunks.push(fields);
    }
    chunks
}

fn item_name(item_type: u8) -> &'static str {
    const NAMES: [&str; 8] = ["cname", "name", "email", "phone", "loc", "tool", "note", "priv"];
    let place = usize::from(item_type).checked_sub(1);
    place.and_then(|place| NAMES.get(place)).copied().unwrap_or("item")
}
