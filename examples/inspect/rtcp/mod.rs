//! RTCP packets (RFC 3550 §6, RFC 5506).

use bytes::Bytes;
use offhook::rtp::rtcp::{Compound, Packet};

mod part;
use part::Part;

use crate::{
    fault::Fault,
    finding::{self, Finding},
    node::Node,
    tree::Row,
};

/// Looks at one datagram. But for the strict, packets may come without a report before them
/// (RFC 5506 §3.4.2).
pub(crate) fn inspect(input: &Bytes, strict: bool) -> Finding {
    let starts_with_report = matches!(**input, [_, 200 | 201, ..]);
    let packets = if strict || starts_with_report {
        let compound = Compound::parse(input).map_err(|error| Fault::of_rtp(&error, 0));
        compound.map(|compound| compound.packets().collect())
    } else {
        reduced_size(input)
    };
    match packets {
        Ok(packets) => finding(&packets, input),
        Err(fault) => {
            let row = Row::octet_fault(&fault, input);
            Finding::refused("RTCP packet", input.len(), &fault, vec![row])
        }
    }
}

/// The packets of a reduced-size datagram, each checked on its own.
fn reduced_size(input: &[u8]) -> Result<Vec<Packet<'_>>, Fault> {
    let (mut packets, mut rest) = (Vec::new(), input);
    while packets.is_empty() || !rest.is_empty() {
        let length = match rest {
            [_, _, high, low, ..] => 4 * (usize::from(u16::from_be_bytes([*high, *low])) + 1),
            _ => rest.len(),
        };
        let (packet, others) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        let at = input.len() - rest.len();
        packets.push(Packet::parse(packet).map_err(|error| Fault::of_rtp(&error, at))?);
        rest = others;
    }
    Ok(packets)
}

fn finding(packets: &[Packet<'_>], input: &[u8]) -> Finding {
    let (mut at, mut rows, mut nodes) = (0, Vec::new(), Vec::new());
    for packet in packets {
        let part = Part::of(packet, input, at);
        at += part.length;
        rows.extend(part.rows);
        nodes.push(part.json);
    }
    let packets = finding::count(nodes.len(), "packet");
    let title = format!("rtcp  {packets}  ({} bytes)", input.len());
    let json = Node::map([("kind", "rtcp".into()), ("packets", Node::List(nodes))]);
    Finding::new(title, rows, json, true)
}
