//! The end of a dialog (RFC 3261 §15).

use super::Found;
use crate::{
    Rule,
    audit::{dialog::Dialog, scene::Scene, sip::Sip},
};

pub(super) fn is_in_a_dialog(scene: &Scene<'_>, found: &mut Found) {
    if scene.is_own_request() && scene.is("BYE") && scene.dialog.is_none() {
        scene.breach(found, Rule::ByeInDialog, "the tags of a dialog of this call");
    }
}

pub(super) fn callee_waits(scene: &Scene<'_>, found: &mut Found) {
    let Some(dialog) = scene.dialog.filter(|_| scene.is_own_request() && scene.is("BYE")) else {
        return;
    };
    if !dialog.is_caller && !may_end(dialog, scene) {
        scene.breach(found, Rule::CalleeWaitsForAck, "the ACK, or 64*T1 without it, before it");
    }
}

/// Whether the INVITE that made the dialog was answered by 2xx, and that was acknowledged or will
/// never be.
fn may_end(dialog: &Dialog, scene: &Scene<'_>) -> bool {
    let is_it =
        |sip: &Sip| sip.to_tag.is_none() && sip.from_tag == dialog.remote_tag && !sip.is("BYE");
    let Some(server) = scene.leg.servers.iter().rev().find(|it| it.is_invite() && is_it(&it.sip))
    else {
        return true;
    };
    let Some(last) = &server.last else { return false };
    let waited = scene.at + scene.config.tolerance >= last.at + scene.config.t1 * 64;
    server.acked_at.is_some() || waited
}

/// A BYE ends the call, not the subscriptions that share its dialog, such as that of a REFER
/// (RFC 6665 §4.5.2): they are told of, refreshed and ended in it.
fn goes_on(dialog: &Dialog, scene: &Scene<'_>) -> bool {
    let begins = |sip: &Sip| sip.is("REFER") || sip.is("SUBSCRIBE");
    let asked = scene.leg.clients.iter().map(|client| &*client.sip).any(|sip| {
        begins(sip)
            && sip.from_tag == dialog.local_tag
            && sip.to_tag.as_deref() == Some(&*dialog.remote_tag)
    });
    let was_asked = scene.leg.servers.iter().map(|server| &*server.sip).any(|sip| {
        begins(sip)
            && sip.from_tag == dialog.remote_tag
            && sip.to_tag.as_deref() == Some(&*dialog.local_tag)
    });
    (scene.is("SUBSCRIBE") && asked) || (scene.is("NOTIFY") && was_asked)
}

/// A BYE may be sent again with credentials (RFC 3261 §22.2).
pub(super) fn nothing_follows(scene: &Scene<'_>, found: &mut Found) {
    let Some(dialog) = scene.dialog.filter(|_| scene.is_own_request()) else { return };
    if goes_on(dialog, scene) {
        return;
    }
    if dialog.over_at.is_some() || (dialog.bye_at.is_some() && !scene.is("BYE")) {
        scene.breach(found, Rule::NothingAfterBye, "no request after the end of its dialog");
    }
}
