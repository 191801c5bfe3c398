//! The rules, one file a family. Each looks at one message, or at the books at the end.

use std::time::Instant;

use super::{AuditConfig, breach::Finding, leg::Leg, scene::Scene};

mod acknowledge;
mod branch;
mod bye;
mod cancel;
mod cseq;
mod finals;
mod offer;
mod reliable;
mod response;
mod routing;
mod session;
mod tags;
mod timing;

type Found = Vec<Finding>;

/// Looks at a message that is about to be taken into the books of its sender.
pub(super) fn when_sent(scene: &Scene<'_>, found: &mut Found) {
    let rules = if scene.sip.is_request() { ON_REQUESTS } else { ON_RESPONSES };
    rules.iter().for_each(|rule| rule(scene, found));
}

/// Looks for what should have come and did not.
pub(super) fn at_the_end(leg: &Leg, now: Instant, config: &AuditConfig, found: &mut Found) {
    acknowledge::every_final_is_acknowledged(leg, config, found);
    offer::every_late_offer_is_answered(leg, config, found);
    reliable::every_response_is_acknowledged(leg, found);
    session::is_refreshed(leg, now, found);
    session::is_ended(leg, now, found);
    timing::nothing_is_missing(leg, now, config, found);
}

const ON_REQUESTS: &[fn(&Scene<'_>, &mut Found)] = &[
    branch::has_the_cookie,
    branch::is_new,
    branch::copies_are_equal,
    tags::from_has_a_tag,
    tags::dialog_is_named,
    cseq::method_is_that_of_the_request,
    cseq::number_rises,
    routing::max_forwards_is_there,
    routing::request_uri_is_the_target,
    routing::routes_are_the_route_set,
    cancel::copies_its_request,
    cancel::comes_in_between,
    acknowledge::ack_has_a_final,
    acknowledge::ack_to_a_failure_copies,
    acknowledge::ack_to_a_success_is_new,
    bye::is_in_a_dialog,
    bye::callee_waits,
    bye::nothing_follows,
    offer::one_invite_at_a_time,
    offer::one_at_a_time,
    offer::ack_answers,
    offer::prack_answers,
    offer::later_offers_keep_media,
    offer::version_follows_the_change,
    reliable::rack_matches,
    session::minimum_is_kept,
    session::interval_fits,
    timing::requests_keep_their_intervals,
];

const ON_RESPONSES: &[fn(&Scene<'_>, &mut Found)] = &[
    response::has_a_request,
    response::copies_the_request,
    response::goes_back,
    tags::from_has_a_tag,
    tags::to_has_a_tag,
    tags::to_tag_stays,
    finals::there_is_one,
    finals::provisional_comes_first,
    reliable::peer_supports_it,
    reliable::number_rises,
    offer::response_answers,
    offer::answer_fits,
    offer::version_follows_the_change,
    session::minimum_is_kept,
    session::interval_fits,
    session::refusal_says_what_would_do,
    session::refresher_is_named,
    timing::responses_keep_their_intervals,
];
