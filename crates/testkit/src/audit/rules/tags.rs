//! Tags of From and To (RFC 3261 §8.1.1.3, §8.2.6.2, §12.2.1.1).

use super::Found;
use crate::{Rule, audit::scene::Scene};

/// A response copies From from its request, which may be that of a client of RFC 2543.
pub(super) fn from_has_a_tag(scene: &Scene<'_>, found: &mut Found) {
    if scene.sip.is_request() && scene.sip.from_tag.is_empty() {
        scene.breach(found, Rule::FromTag, "a tag in From");
    }
}

pub(super) fn to_has_a_tag(scene: &Scene<'_>, found: &mut Found) {
    if scene.own_server().is_some() && scene.sip.status != 100 && scene.sip.to_tag.is_none() {
        scene.breach(found, Rule::ToTag, "a tag in To");
    }
}

pub(super) fn to_tag_stays(scene: &Scene<'_>, found: &mut Found) {
    let Some(server) = scene.own_server() else { return };
    let (Some(before), Some(now)) = (&server.to_tag, &scene.sip.to_tag) else { return };
    if before != now && scene.sip.status != 100 {
        let expected = format!("the To tag {before:?} of the responses before");
        scene.breach(found, Rule::SameToTag, expected);
    }
}

/// Outside of a dialog To has no tag (RFC 3261 §8.1.1.2), and some methods live in dialogs only.
/// BYE has a rule of its own.
pub(super) fn dialog_is_named(scene: &Scene<'_>, found: &mut Found) {
    if !scene.is_own_request() || scene.dialog.is_some() {
        return;
    }
    let needs_dialog = ["PRACK", "UPDATE", "INFO"].iter().any(|method| scene.is(method));
    let names_one = scene.is("INVITE") && scene.sip.to_tag.is_some();
    if needs_dialog || names_one {
        scene.breach(found, Rule::DialogTags, "the tags of a dialog of this call");
    }
}
