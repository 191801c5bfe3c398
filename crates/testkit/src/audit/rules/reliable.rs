//! Reliable provisional responses (RFC 3262).

use super::Found;
use crate::{
    Rule,
    audit::{
        breach::Finding,
        client::{Client, Fork, Reliable},
        leg::Leg,
        scene::Scene,
    },
};

pub(super) fn peer_supports_it(scene: &Scene<'_>, found: &mut Found) {
    let Some(server) = scene.own_server().filter(|_| scene.sip.reliable().is_some()) else {
        return;
    };
    if !server.is_invite() || !server.sip.supports("100rel") {
        let expected = "an INVITE that supports 100rel";
        scene.breach(found, Rule::ReliableIsSupported, expected);
    }
}

pub(super) fn number_rises(scene: &Scene<'_>, found: &mut Found) {
    let (Some(server), Some(number)) = (scene.own_server(), scene.sip.reliable()) else { return };
    if server.reliable.iter().any(|it| it.fingerprint == scene.sip.fingerprint) {
        return;
    }
    let Some(last) = server.reliable.last() else {
        if number == 0 || number > MOST_FIRST {
            scene.breach(found, Rule::RSeqRises, "a first RSeq from 1 to 2^31 - 1");
        }
        return;
    };
    let next = last.number.saturating_add(1);
    if number != next {
        scene.breach(found, Rule::RSeqRises, format!("the RSeq {next}"));
    }
    if server.reliable.len() == 1 && last.acked_at.is_none() {
        let expected = "the PRACK to the first reliable response before it";
        scene.breach(found, Rule::RSeqRises, expected);
    }
}

pub(super) fn rack_matches(scene: &Scene<'_>, found: &mut Found) {
    if !scene.is("PRACK") || !scene.is_own_request() {
        return;
    }
    let matches = scene.sip.rack().is_some_and(|rack| {
        let invites = scene.leg.clients.iter().filter(|it| it.sip.cseq == rack.cseq_num);
        let invites = invites.filter(|it| it.sip.is(rack.method.as_str()));
        let tag = scene.sip.to_tag.as_deref().unwrap_or_default();
        let mut responses =
            invites.filter_map(|it| it.fork_of(tag)).flat_map(|fork| fork.reliable.iter());
        responses.any(|it| it.number == rack.response_num && !it.is_acknowledged)
    });
    if !matches {
        let expected = "a RAck that names a reliable response received and not acknowledged";
        scene.breach(found, Rule::RAckMatches, expected);
    }
}

pub(super) fn every_response_is_acknowledged(leg: &Leg, found: &mut Found) {
    for client in leg.clients.iter().filter(|client| !client.sip.is_forwarded()) {
        let received =
            client.forks.iter().flat_map(|fork| fork.reliable.iter().map(move |it| (fork, it)));
        for (fork, response) in received {
            if !response.is_acknowledged && !is_given_up(leg, client, fork, response) {
                let (at, line) = (response.at, response.line.clone());
                let expected = "a PRACK to this response";
                found.push(Finding::of(Rule::ReliableIsPracked, expected, at, client.flow, line));
            }
        }
    }
}

/// Whether the INVITE was cancelled, or its call ended, when the response came; or whether the INVITE
/// was answered, by this fork or another, before the offer of the response was: nobody is left who
/// could answer in the PRACK (RFC 3261 §9.2, §13.2.2.4, §15.1.2).
fn is_given_up(leg: &Leg, client: &Client, fork: &Fork, response: &Reliable) -> bool {
    let has_offer = response.is_described && client.sip.description.is_none();
    let is_settled = client.failure.is_some() || client.forks.iter().any(|it| it.success.is_some());
    if has_offer && is_settled {
        return true;
    }
    let mut dialogs = leg.dialogs.iter().filter(|it| it.remote_tag == fork.tag);
    let left = dialogs.find_map(|it| it.early_over_at.or(it.bye_at).or(it.over_at));
    client.cancelled_at.into_iter().chain(left).any(|given_up| given_up <= response.at)
}

/// The first RSeq leaves room to count (RFC 3262 §3).
const MOST_FIRST: u32 = 0x7FFF_FFFF;
