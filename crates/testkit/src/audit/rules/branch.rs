//! Branches (RFC 3261 §8.1.1.7, §17.1.1.2).

use super::Found;
use crate::{Rule, audit::scene::Scene};

pub(super) fn has_the_cookie(scene: &Scene<'_>, found: &mut Found) {
    if !scene.sip.branch.starts_with(COOKIE) {
        scene.breach(found, Rule::BranchCookie, format!("a branch that begins with {COOKIE}"));
    }
}

/// CANCEL and the ACK to a failure share the branch of their INVITE, and have rules of their own.
pub(super) fn is_new(scene: &Scene<'_>, found: &mut Found) {
    let Some(owner) = scene.branches.owner(scene.sip).filter(|_| scene.is_new_request()) else {
        return;
    };
    let expected = format!("a branch of its own; it is that of {:?}", owner.line);
    scene.breach(found, Rule::BranchIsNew, expected);
}

pub(super) fn copies_are_equal(scene: &Scene<'_>, found: &mut Found) {
    let Some(first) = scene.client.filter(|_| scene.is_copy) else { return };
    if first.sip.fingerprint != scene.sip.fingerprint {
        scene.breach(found, Rule::SameBytes, "the same bytes as in the copy before");
    }
}

const COOKIE: &str = "z9hG4bK";
