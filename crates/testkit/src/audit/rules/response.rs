//! What a response owes to its request (RFC 3261 §8.2.6.2, §18.2.2, RFC 3581 §4).

use std::net::{IpAddr, SocketAddr};

use offhook_sip_message::{HeaderName, Via};

use super::Found;
use crate::{
    Rule,
    audit::{scene::Scene, server::Server},
};

pub(super) fn has_a_request(scene: &Scene<'_>, found: &mut Found) {
    if scene.server.is_none() {
        scene.breach(found, Rule::ResponseHasRequest, "a request that was received before");
    }
}

pub(super) fn copies_the_request(scene: &Scene<'_>, found: &mut Found) {
    let Some(server) = scene.server else { return };
    let request = &server.sip;
    let is_same = |name: HeaderName| request.raw(name.clone()) == scene.sip.raw(name);
    let mut differ = |what: &str| {
        scene.breach(found, Rule::ResponseCopies, format!("the {what} of the request"));
    };
    if !is_same(HeaderName::FROM) && request.from_tag != scene.sip.from_tag {
        differ("From");
    }
    if request.cseq != scene.sip.cseq {
        differ("CSeq");
    }
    if request.to_tag.is_some() && request.to_tag != scene.sip.to_tag {
        differ("To");
    }
    if !are_copied(request.vias(), scene.sip.vias()) {
        differ("Vias");
    }
    let makes_dialog = (101..300).contains(&scene.sip.status) && scene.sip.to_tag.is_some();
    let is_judged = !server.is_relayed && request.to_tag.is_none() && server.is_invite();
    if makes_dialog && is_judged && request.record_routes() != scene.sip.record_routes() {
        // RFC 3261 §12.1.1.
        differ("Record-Routes");
    }
}

/// The topmost Via gains `received` and the value of `rport` on its way (RFC 3261 §18.2.1).
fn are_copied(asked: &[Via], said: &[Via]) -> bool {
    let ([asked_top, asked_rest @ ..], [said_top, said_rest @ ..]) = (asked, said) else {
        return asked == said;
    };
    let mut top = asked_top.clone();
    let mut gained = said_top.clone();
    for name in ["received", "rport"] {
        top.parameters.remove(name);
        gained.parameters.remove(name);
    }
    let keeps_rport = said_top.has_rport() || !asked_top.has_rport();
    top == gained && keeps_rport && asked_rest == said_rest
}

pub(super) fn goes_back(scene: &Scene<'_>, found: &mut Found) {
    let Some(server) = scene.server else { return };
    let is_reliable = server.flow.protocol.is_reliable();
    if is_reliable && scene.flow == server.flow {
        return;
    }
    let Some(expected) = destination(server) else { return };
    if scene.flow.remote != expected {
        scene.breach(found, Rule::ResponseDestination, format!("{expected} as its destination"));
    }
}

/// `maddr`, else the source address; with `rport` the source port, else that of `sent-by`. `None`
/// if `maddr` is a name.
fn destination(server: &Server) -> Option<SocketAddr> {
    let via = server.sip.vias().first()?;
    let source = server.flow.remote;
    let sent_by = via.port.unwrap_or(DEFAULT_PORT);
    match via.maddr() {
        Some(maddr) => maddr.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, sent_by)),
        None if via.has_rport() => Some(source),
        None => Some(SocketAddr::new(source.ip(), sent_by)),
    }
}

/// The port of SIP (RFC 3261 §19.1.2).
const DEFAULT_PORT: u16 = 5060;
