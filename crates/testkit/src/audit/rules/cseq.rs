//! CSeq (RFC 3261 §8.1.1.5, §12.2.1.1).

use super::Found;
use crate::{Rule, audit::scene::Scene};

pub(super) fn method_is_that_of_the_request(scene: &Scene<'_>, found: &mut Found) {
    let method = scene.sip.method.as_deref().unwrap_or_default();
    if scene.sip.cseq_method != method {
        scene.breach(found, Rule::CSeqMethod, format!("the method {method} in CSeq"));
    }
}

/// A dialog goes on from the request that made it. Outside of dialogs, requests with the same
/// Call-ID and From tag follow one another, as after a challenge (RFC 3261 §22.2).
pub(super) fn number_rises(scene: &Scene<'_>, found: &mut Found) {
    if !scene.is_own_request() {
        return;
    }
    let sip = scene.sip;
    let outside = scene.leg.outside.iter().find(|(tag, _)| *tag == sip.from_tag);
    let before = match scene.dialog {
        Some(dialog) => dialog.local_cseq,
        None => outside.map(|(_, cseq)| *cseq),
    };
    if before.is_some_and(|before| sip.cseq <= before) {
        let expected = format!("a CSeq number above {}", before.unwrap_or_default());
        scene.breach(found, Rule::CSeqRises, expected);
    }
}
