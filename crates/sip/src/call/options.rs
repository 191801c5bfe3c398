//! Saying what this user agent can do (RFC 3261 §11.2).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{HeaderName, StatusCode, ValidRequest};

use super::{
    inspect::{self, Asker},
    invite::{allowed, supported},
};
use crate::{subscription::events_allowed, transaction::TransactionLayer};

/// Answers OPTIONS with 200.
pub(super) fn answer(
    layer: &mut TransactionLayer,
    now: Instant,
    request: &ValidRequest,
    flow: Flow,
    asker: Asker,
) {
    let tag = layer.stateless_tag(request);
    let mut builder = layer.reply(request, StatusCode::OK, &tag).list(&allowed(layer));
    for accepted in &layer.config.accept {
        builder = builder.raw(HeaderName::ACCEPT, accepted);
    }
    let supported = supported(layer, &layer.config.session_timer);
    let builder = events_allowed(layer, builder.list(&supported));
    inspect::send(layer, now, request, flow, builder, asker);
}
