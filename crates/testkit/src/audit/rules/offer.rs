//! Offer and answer (RFC 3261 §13.2.1, §14.1, RFC 3262 §5, RFC 3264, RFC 3311 §5).

use super::Found;
use crate::{
    AuditConfig, Rule,
    audit::{
        breach::Finding, client::Client, description::Description, dialog::Dialog, leg::Leg,
        scene::Scene, server::Server,
    },
};

/// RFC 3261 §14.1: in neither direction.
pub(super) fn one_invite_at_a_time(scene: &Scene<'_>, found: &mut Found) {
    let Some(dialog) = scene.dialog.filter(|_| scene.is_own_request() && scene.is("INVITE")) else {
        return;
    };
    let own = clients_of(scene, dialog)
        .any(|it| it.is_invite() && it.final_at.is_none() && !it.is_over(scene.at, scene.config));
    let other = servers_of(scene, dialog).any(|it| it.is_invite() && it.last.is_none());
    if own || other {
        scene.breach(found, Rule::OneInvite, "no INVITE while another one is in progress");
    }
}

pub(super) fn one_at_a_time(scene: &Scene<'_>, found: &mut Found) {
    let Some(dialog) = scene.dialog.filter(|_| makes_offer(scene)) else { return };
    let own = clients_of(scene, dialog)
        .any(|it| offer_is_open(it, dialog) && !it.is_over(scene.at, scene.config));
    let in_response = servers_of(scene, dialog).any(own_offer_is_open);
    let other = servers_of(scene, dialog).any(|it| it.offer().is_some() && !is_decided(it));
    let from_response = clients_of(scene, dialog).any(|it| owes_answer(it, dialog));
    if servers_of(scene, dialog).any(has_told_unheard) {
        let expected = "the PRACK to the description before another offer (RFC 3311 §5.1)";
        scene.breach(found, Rule::OneOffer, expected);
    } else if own || in_response {
        scene.breach(found, Rule::OneOffer, "an answer to the last offer before another offer");
    } else if other || from_response {
        scene.breach(found, Rule::OneOffer, "no offer before the peer's offer is answered");
    }
}

/// Whether a new request carries an offer. The description of a PRACK may be an answer.
fn makes_offer(scene: &Scene<'_>) -> bool {
    let is_prack_answer = scene.is("PRACK")
        && scene
            .dialog
            .is_some_and(|dialog| clients_of(scene, dialog).any(|it| owes_answer(it, dialog)));
    scene.is_own_request() && scene.sip.description.is_some() && !is_prack_answer
}

/// Whether the offer of a request of the party waits for its answer.
fn offer_is_open(client: &Client, dialog: &Dialog) -> bool {
    let fork = client.fork_of(&dialog.remote_tag);
    let is_answered = fork.is_some_and(|fork| fork.description.is_some());
    let has_offer = client.sip.description.is_some() && !client.is_answer;
    let is_carrier = !client.sip.is("CANCEL") && !client.sip.is_forwarded();
    is_carrier && has_offer && client.final_at.is_none() && !is_answered
}

/// Whether the response to a request without an offer has brought one.
fn owes_answer(client: &Client, dialog: &Dialog) -> bool {
    let fork = client.fork_of(&dialog.remote_tag);
    let has_offer = fork.is_some_and(|fork| fork.description.is_some() && !fork.is_answered);
    client.is_invite() && client.sip.description.is_none() && has_offer
}

/// Whether the party has made an offer in a response, and the answer is still to come.
fn own_offer_is_open(server: &Server) -> bool {
    let ended = server.last.as_ref().is_some_and(|last| !last.sip.is_success());
    let is_offer = server.sip.description.is_none() && server.description.is_some();
    // A peer that acknowledges an offer and does not answer it has let it go.
    let by_prack = server.reliable.iter().any(|it| it.is_described && it.acked_at.is_some());
    let acked = server.acked_at.is_some() || by_prack;
    server.is_invite() && is_offer && !server.is_answered && !acked && !ended
}

/// Whether the party has described the session in a response whose PRACK has not come.
fn has_told_unheard(server: &Server) -> bool {
    let unheard = server.reliable.iter().any(|it| it.is_described && it.acked_at.is_none());
    server.is_invite() && server.last.is_none() && unheard
}

/// Whether the party has answered or refused what the peer has offered.
fn is_decided(server: &Server) -> bool {
    server.last.is_some() || server.description.is_some()
}

/// RFC 3261 §13.2.2.4: the ACK carries the answer to the offer of the 2xx.
pub(super) fn ack_answers(scene: &Scene<'_>, found: &mut Found) {
    let Some(client) = scene.client.filter(|_| scene.is("ACK")) else { return };
    if client.sip.branch == scene.sip.branch || client.sip.is_forwarded() {
        return;
    }
    let Some(fork) = client.fork_of(scene.sip.to_tag.as_deref().unwrap_or_default()) else {
        return;
    };
    if fork.acks > 0 {
        return;
    }
    let offer = fork.description.as_ref().filter(|_| client.sip.description.is_none());
    match (offer.filter(|_| !fork.is_answered), &scene.sip.description) {
        (Some(offer), Some(answer)) => media_match(scene, offer, answer, found),
        // Judged when it is known whether the call goes on.
        (Some(_), None) => {}
        (None, Some(_)) => {
            scene.breach(found, Rule::OfferIsAnswered, "no description: there is no offer");
        }
        (None, None) => {}
    }
}

/// An ACK without the answer is taken from those who hang up with it: nobody is left who could
/// answer.
pub(super) fn every_late_offer_is_answered(leg: &Leg, config: &AuditConfig, found: &mut Found) {
    for client in leg.clients.iter().filter(|it| it.is_invite() && it.sip.description.is_none()) {
        for fork in client.forks.iter().filter(|it| it.description.is_some() && !it.is_answered) {
            let Some((at, ack)) = fork.ack.as_ref().filter(|_| !client.sip.is_forwarded()) else {
                continue;
            };
            let mut dialogs = leg.dialogs.iter().filter(|it| it.remote_tag == fork.tag);
            let left_at = dialogs.find_map(|dialog| dialog.bye_at);
            if left_at.is_none_or(|left_at| left_at > *at + config.tolerance) {
                let (rule, line) = (Rule::OfferIsAnswered, ack.line.clone());
                let expected = "the answer to the offer of the 2xx, or a BYE at once";
                found.push(Finding::of(rule, expected, *at, client.flow, line));
            }
        }
    }
}

/// RFC 3262 §5: the PRACK carries the answer to the offer of the response that it acknowledges.
pub(super) fn prack_answers(scene: &Scene<'_>, found: &mut Found) {
    let (Some(dialog), true) = (scene.dialog, scene.is("PRACK") && !scene.is_copy) else { return };
    let Some(client) = clients_of(scene, dialog).find(|it| owes_answer(it, dialog)) else { return };
    let Some(fork) = client.fork_of(&dialog.remote_tag) else { return };
    let number = scene.sip.rack().map(|rack| rack.response_num);
    let is_it = fork.reliable.iter().any(|it| it.is_described && Some(it.number) == number);
    match (&fork.description, &scene.sip.description) {
        (Some(offer), Some(answer)) => media_match(scene, offer, answer, found),
        // A response that came after it has a PRACK of its own.
        _ if !is_it => {}
        _ => {
            let expected = "the answer to the offer of the reliable response";
            scene.breach(found, Rule::OfferIsAnswered, expected);
        }
    }
}

/// A 2xx answers the offer of its request unless a reliable response did; and it answers an INVITE
/// without an offer by an offer.
pub(super) fn response_answers(scene: &Scene<'_>, found: &mut Found) {
    let Some(server) = scene.own_server().filter(|server| server.last.is_none()) else { return };
    if !scene.sip.is_success() {
        return;
    }
    let said = scene.sip.description.is_some();
    let mut breach = |expected| scene.breach(found, Rule::OfferIsAnswered, expected);
    match (server.offer().is_some(), server.description.is_some()) {
        (true, false) if !said => breach("the answer to the offer of the request"),
        (false, false) if !said && server.is_invite() => breach("an offer"),
        (false, false) if said && !may_offer(server) => breach("no description"),
        (_, true) if said && server.description != scene.sip.description => {
            breach("no description: the exchange was completed in a provisional response");
        }
        _ => {}
    }
}

/// Only a response to an INVITE makes an offer; other descriptions belong to other methods.
fn may_offer(server: &Server) -> bool {
    !server.sip.is("UPDATE") && !server.sip.is("PRACK")
}

pub(super) fn answer_fits(scene: &Scene<'_>, found: &mut Found) {
    let Some(server) = scene.own_server() else { return };
    if !scene.sip.is_success() && !scene.sip.is_provisional() {
        return;
    }
    if let (Some(offer), Some(answer)) = (server.offer(), &scene.sip.description) {
        media_match(scene, offer, answer, found);
    }
}

fn media_match(scene: &Scene<'_>, offer: &Description, answer: &Description, found: &mut Found) {
    if offer.media != answer.media {
        let expected = format!("the media {:?} of the offer", offer.media);
        scene.breach(found, Rule::AnswerMedia, expected);
    }
}

pub(super) fn later_offers_keep_media(scene: &Scene<'_>, found: &mut Found) {
    if !makes_offer(scene) {
        return;
    }
    let before = scene.dialog.and_then(|dialog| dialog.description.as_ref());
    let (Some(before), Some(now)) = (before, &scene.sip.description) else { return };
    if now.media.len() < before.media.len() {
        let expected = format!("at least {} media", before.media.len());
        scene.breach(found, Rule::OfferMedia, expected);
    }
}

/// The description before it may be in another message of the dialog.
pub(super) fn version_follows_the_change(scene: &Scene<'_>, found: &mut Found) {
    let is_own = scene.own_server().is_some() || !scene.sip.is_forwarded();
    let is_judged = is_own && !scene.is_copy && !scene.server.is_some_and(|it| it.is_relayed);
    let Some(dialog) = scene.dialog.filter(|_| is_judged) else { return };
    let (Some(before), Some(now)) = (&dialog.description, &scene.sip.description) else { return };
    if let Some(expected) = now.fault_after(before) {
        scene.breach(found, Rule::OriginVersion, expected);
    }
}

/// The requests of the party in `dialog`, the one that made it included.
fn clients_of<'a>(scene: &'a Scene<'_>, dialog: &'a Dialog) -> impl Iterator<Item = &'a Client> {
    scene.leg.clients.iter().filter(|it| {
        let (from, to) = (&it.sip.from_tag, &it.sip.to_tag);
        *from == dialog.local_tag && to.as_ref().is_none_or(|to| *to == dialog.remote_tag)
    })
}

/// The requests of the peer in `dialog`, the one that made it included.
fn servers_of<'a>(scene: &'a Scene<'_>, dialog: &'a Dialog) -> impl Iterator<Item = &'a Server> {
    scene.leg.servers.iter().filter(|it| {
        let (from, to) = (&it.sip.from_tag, &it.sip.to_tag);
        *from == dialog.remote_tag && to.as_ref().is_none_or(|to| *to == dialog.local_tag)
    })
}
