//! CANCEL (RFC 3261 §9.1).

use super::Found;
use crate::{Rule, audit::scene::Scene};

pub(super) fn copies_its_request(scene: &Scene<'_>, found: &mut Found) {
    if !scene.is("CANCEL") || scene.is_copy {
        return;
    }
    let mut breach = |expected: &str| scene.breach(found, Rule::CancelCopies, expected);
    let Some(client) = scene.client else {
        return breach("branch and CSeq number of an INVITE that was sent before");
    };
    let (invite, cancel) = (&client.sip, scene.sip);
    if invite.uri() != cancel.uri() {
        breach("the Request-URI of the INVITE");
    }
    if invite.from_tag != cancel.from_tag || invite.to_tag != cancel.to_tag {
        breach("From and To of the INVITE");
    }
    if invite.routes() != cancel.routes() {
        breach("the Routes of the INVITE");
    }
    if cancel.is_forwarded() {
        breach("a single Via");
    }
}

pub(super) fn comes_in_between(scene: &Scene<'_>, found: &mut Found) {
    let Some(client) = scene.client.filter(|_| scene.is("CANCEL") && !scene.is_copy) else {
        return;
    };
    if client.response_at.is_none() {
        scene.breach(found, Rule::CancelWaits, "a provisional response before it");
    }
    if client.final_at.is_some() {
        scene.breach(found, Rule::CancelInTime, "none after a final response");
    }
}
