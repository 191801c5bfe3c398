//! ACK (RFC 3261 §13.2.2.4, §17.1.1.3).

use offhook_sip_message::HeaderName;

use super::Found;
use crate::{
    AuditConfig, Rule,
    audit::{breach::Finding, client::Client, leg::Leg, scene::Scene},
};

/// Each ACK answers one arrival of a final response to an INVITE.
pub(super) fn ack_has_a_final(scene: &Scene<'_>, found: &mut Found) {
    if !scene.is("ACK") || scene.sip.is_forwarded() {
        return;
    }
    let fault = match scene.client {
        None => Some("an INVITE with this CSeq number that was sent before"),
        Some(client) if is_to_failure(client, scene) => {
            let is_new = client.acks_to_failure < client.failures;
            (!is_new).then_some("a failure of the INVITE that was received and not acknowledged")
        }
        Some(client) => {
            let fork = client.fork_of(scene.sip.to_tag.as_deref().unwrap_or_default());
            let is_new = fork.is_some_and(|fork| fork.acks < fork.successes);
            (!is_new).then_some("a 2xx with this To tag that was received and not acknowledged")
        }
    };
    if let Some(expected) = fault {
        scene.breach(found, Rule::AckHasFinal, expected);
    }
}

pub(super) fn ack_to_a_failure_copies(scene: &Scene<'_>, found: &mut Found) {
    let Some(client) = scene.client.filter(|client| is_to_failure(client, scene)) else { return };
    let (invite, ack) = (&client.sip, scene.sip);
    if !scene.is("ACK") || client.failure.is_none() {
        return;
    }
    let to_tag = client.failure.as_ref().and_then(|failure| failure.to_tag.as_ref());
    let raw_is_same = |name: HeaderName| invite.raw(name.clone()) == ack.raw(name);
    let fault = if invite.uri() != ack.uri() {
        "the Request-URI of the INVITE"
    } else if !raw_is_same(HeaderName::FROM) && invite.from_tag != ack.from_tag {
        "the From of the INVITE"
    } else if to_tag != ack.to_tag.as_ref() {
        "the To of the response"
    } else if invite.routes() != ack.routes() {
        "the Routes of the INVITE"
    } else if ack.is_forwarded() {
        "a single Via"
    } else {
        return;
    };
    scene.breach(found, Rule::AckToFailure, fault);
}

/// A copy of an ACK has the branch of the ACK before.
pub(super) fn ack_to_a_success_is_new(scene: &Scene<'_>, found: &mut Found) {
    let Some(client) = scene.client.filter(|_| scene.is("ACK")) else { return };
    let fork = client.fork_of(scene.sip.to_tag.as_deref().unwrap_or_default());
    if let Some((_, ack)) = fork.and_then(|fork| fork.ack.as_ref()) {
        if ack.fingerprint != scene.sip.fingerprint {
            scene.breach(found, Rule::SameBytes, "the same bytes as in the ACK before");
        }
        return;
    }
    let is_success = fork.is_some_and(|fork| fork.success.is_some());
    if is_success && scene.branches.owner(scene.sip).is_some() {
        scene.breach(found, Rule::AckToSuccess, "a branch of its own");
    }
}

pub(super) fn every_final_is_acknowledged(leg: &Leg, config: &AuditConfig, found: &mut Found) {
    for client in leg.clients.iter().filter(|client| client.is_invite()) {
        let mut missing = |at, line: &std::sync::Arc<str>| {
            if client.may_be_over(at, config) {
                return;
            }
            let (rule, flow) = (Rule::FinalIsAcked, client.flow);
            found.push(Finding::of(rule, "an ACK to this response", at, flow, line.clone()));
        };
        if let (Some(failure), 0, Some(at)) =
            (&client.failure, client.acks_to_failure, client.final_at)
        {
            missing(at, &failure.line);
        }
        let owes_ack = !client.sip.is_forwarded();
        for fork in client.forks.iter().filter(|fork| owes_ack && fork.acks == 0) {
            if let Some((at, success)) = &fork.success {
                missing(*at, &success.line);
            }
        }
    }
}

fn is_to_failure(client: &Client, scene: &Scene<'_>) -> bool {
    client.sip.branch == scene.sip.branch
}
