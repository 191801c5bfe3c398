//! Which services a domain offers by NAPTR, in its order (RFC 3263 §4.1, RFC 3403 §4.1, RFC 7118
//! §5.5).

use offhook_sansio::Protocol;

use super::{Naptr, selection::Service};

/// The services of `records` that go over one of the transports in `usable`, the preferred one of
/// the domain first, and how many records were passed over.
///
/// `usable` is what the scheme of the URI allows: for `sips` it holds TLS transports alone, so that
/// records without `SIPS` are discarded. Of those that are left only the lowest order counts: a
/// client must not go on to another once it has found a match (RFC 3403 §4.1).
pub(super) fn services<'a>(
    records: impl Iterator<Item = &'a Naptr>,
    usable: &[Protocol],
) -> (Vec<Service>, u64) {
    let mut passed_over = 0_u64;
    let mut offers = Vec::new();
    for record in records {
        match protocol(record).and_then(|one| usable.iter().position(|known| *known == one)) {
            Some(rank) => offers.push((record.order, record.preference, rank, record)),
            None => {
                passed_over = passed_over.saturating_add(1);
                tracing::debug!(services = record.services, "NAPTR record passed over");
            }
        }
    }
    offers.sort_by_key(|(order, preference, rank, _)| (*order, *preference, *rank));
    let lowest = offers.first().map(|(order, ..)| *order);
    offers.retain(|(order, ..)| Some(*order) == lowest);
    let mut services = Vec::new();
    for service in offers.iter().filter_map(|(.., record)| service(record)) {
        if !services.contains(&service) {
            services.push(service);
        }
    }
    (services, passed_over)
}

fn service(record: &Naptr) -> Option<Service> {
    Some(Service { protocol: protocol(record)?, name: record.replacement.clone() })
}

/// The transport that a record is about, if it leads to SRV records of one.
fn protocol(record: &Naptr) -> Option<Protocol> {
    let leads_to_srv = record.flags.eq_ignore_ascii_case("s")
        && record.regexp.is_empty()
        && !record.replacement.is_root();
    let service = SERVICES.iter().find(|(name, _)| record.services.eq_ignore_ascii_case(name));
    service.filter(|_| leads_to_srv).map(|(_, protocol)| *protocol)
}

/// The registry of RFC 3263 §9 and RFC 7118 §10.2, without SCTP. `SIPS+D2U` is no service: there
/// is no TLS over UDP.
const SERVICES: [(&str, Protocol); 5] = [
    ("SIP+D2U", Protocol::Udp),
    ("SIP+D2T", Protocol::Tcp),
    ("SIPS+D2T", Protocol::Tls),
    ("SIP+D2W", Protocol::Ws),
    ("SIPS+D2W", Protocol::Wss),
];

#[cfg(test)]
mod tests;
