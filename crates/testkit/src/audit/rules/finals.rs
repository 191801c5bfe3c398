//! The order of responses (RFC 3261 §13.3.1, §17.2).

use super::Found;
use crate::{Rule, audit::scene::Scene};

/// A proxy forwards every 2xx (RFC 3261 §16.7). Who keeps no state judges each copy of a request
/// anew (§8.2.7), and what it asks for may have come into being in between.
pub(super) fn there_is_one(scene: &Scene<'_>, found: &mut Found) {
    let Some(server) = scene.own_server() else { return };
    let Some(last) = server.last.as_ref().filter(|_| server.is_stateful || server.prompts == 0)
    else {
        return;
    };
    if scene.sip.is_final() && scene.sip.fingerprint != last.sip.fingerprint {
        scene.breach(found, Rule::OneFinal, format!("no other final than {:?}", last.sip.line));
    }
}

pub(super) fn provisional_comes_first(scene: &Scene<'_>, found: &mut Found) {
    let Some(last) = scene.server.and_then(|server| server.last.as_ref()) else { return };
    if scene.sip.is_provisional() {
        let expected = format!("nothing provisional after {:?}", last.sip.line);
        scene.breach(found, Rule::ProvisionalFirst, expected);
    }
}
