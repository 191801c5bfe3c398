//! Publishing, refreshing, changing and removing an event state (RFC 3903 §4, §5).

use std::time::Duration;

use bytes::Bytes;
use offhook_sip::{Body, Config, Error, Publication, PublicationEvent, PublicationId};
use offhook_sip_message::{Event as EventHeader, HeaderName};

use crate::stage::{Stage, bob, cseq, field, fields, first_line, login, tcp, udp};

fn body(text: &'static str) -> Body {
    let content = Bytes::from_static(text.as_bytes());
    Body { content_type: "application/pidf+xml".into(), content }
}

fn presence() -> Publication {
    Publication::new(bob().uri, EventHeader::new("presence"), body("open"), udp())
}

fn publish(stage: &mut Stage) -> (PublicationId, String) {
    let id = stage.agent.publish(stage.now, presence()).unwrap();
    (id, stage.sent())
}

fn grant(stage: &mut Stage, request: &str, tag: &str, expires: u32) {
    stage.answer(request, "200 OK", &format!("SIP-ETag: {tag}\nExpires: {expires}\n"));
}

/// A state that is published for an hour, as `t1`.
fn published(stage: &mut Stage) -> (PublicationId, String) {
    let (id, first) = publish(stage);
    grant(stage, &first, "t1", 3600);
    assert_eq!(tag(stage), "t1");
    (id, first)
}

fn tag(stage: &mut Stage) -> String {
    match stage.publication() {
        PublicationEvent::Published { entity_tag, .. } => entity_tag.to_string(),
        other => panic!("{other:?}"),
    }
}

fn failure(stage: &mut Stage) -> (u16, Option<f64>) {
    match stage.publication() {
        PublicationEvent::Failed { status, retry_in, .. } => {
            (status.as_u16(), retry_in.map(|it| it.as_secs_f64()))
        }
        other => panic!("{other:?}"),
    }
}

fn withdrawn(stage: &mut Stage) -> Option<u16> {
    match stage.publication() {
        PublicationEvent::Withdrawn { status } => status.map(|it| it.as_u16()),
        other => panic!("{other:?}"),
    }
}

/// The operation of a PUBLISH by table 1 of §4.1: body, tag, Expires.
fn operation(request: &str) -> (&str, Vec<&str>, &str) {
    let body = request.split("\r\n\r\n").nth(1).unwrap();
    (body, fields(request, "SIP-If-Match"), field(request, "Expires"))
}

#[test]
fn the_first_publish_brings_the_state() {
    let mut stage = Stage::new();
    let (_, first) = publish(&mut stage);
    assert_eq!(first_line(&first), "PUBLISH sip:bob@biloxi.example SIP/2.0");
    assert_eq!(field(&first, "Event"), "presence");
    assert_eq!(field(&first, "Content-Type"), "application/pidf+xml");
    assert_eq!(operation(&first), ("open", vec![], "3600"));
    assert!(fields(&first, "Contact").is_empty());
}

#[test]
fn a_refresh_names_the_last_tag_and_brings_nothing() {
    let mut stage = Stage::new();
    let (_, first) = published(&mut stage);
    let after = stage.wait_until_sent().as_secs();
    assert!((2916..=3240).contains(&after));
    let refresh = stage.sent();
    assert_eq!(operation(&refresh), ("", vec!["t1"], "3600"));
    assert_eq!(cseq(&refresh), 2);
    assert_eq!(field(&refresh, "Call-ID"), field(&first, "Call-ID"));
    grant(&mut stage, &refresh, "t2", 60);
    assert_eq!(tag(&mut stage), "t2", "each 2xx has a new one");
    assert_eq!(stage.wait_until_sent().as_secs(), 30);
    assert_eq!(operation(&stage.sent()).1, ["t2"]);
}

#[test]
fn a_change_names_the_tag_and_brings_the_new_state() {
    let mut stage = Stage::new();
    let (id, _) = published(&mut stage);
    stage.agent.republish(stage.now, id, body("closed")).unwrap();
    let change = stage.sent();
    assert_eq!(operation(&change), ("closed", vec!["t1"], "3600"));
    grant(&mut stage, &change, "t2", 3600);
    assert_eq!(tag(&mut stage), "t2");
}

#[test]
fn changes_under_a_publish_come_next_and_the_last_one_counts() {
    let mut stage = Stage::new();
    let (id, first) = publish(&mut stage);
    stage.agent.republish(stage.now, id, body("busy")).unwrap();
    stage.agent.republish(stage.now, id, body("closed")).unwrap();
    assert!(stage.is_silent(), "one PUBLISH at a time (§4)");
    grant(&mut stage, &first, "t1", 3600);
    tag(&mut stage);
    let change = stage.sent();
    assert_eq!(operation(&change), ("closed", vec!["t1"], "3600"));
    grant(&mut stage, &change, "t2", 3600);
    assert!(stage.is_silent());
}

#[test]
fn a_removal_names_the_tag_and_ends() {
    let mut stage = Stage::new();
    let (id, _) = published(&mut stage);
    stage.agent.withdraw(stage.now, id).unwrap();
    stage.agent.withdraw(stage.now, id).unwrap();
    let removal = stage.sent();
    assert_eq!(operation(&removal), ("", vec!["t1"], "0"));
    let refused = stage.agent.republish(stage.now, id, body("late"));
    assert!(matches!(refused, Err(Error::WrongState { .. })));
    grant(&mut stage, &removal, "t2", 0);
    assert_eq!(withdrawn(&mut stage), Some(200));
    assert_eq!(stage.agent.withdraw(stage.now, id), Err(Error::NoPublication));
    stage.finish();
}

#[test]
fn a_removal_waits_for_the_publish_under_way() {
    let mut stage = Stage::new();
    let (id, first) = publish(&mut stage);
    stage.agent.withdraw(stage.now, id).unwrap();
    assert!(stage.is_silent());
    grant(&mut stage, &first, "t1", 3600);
    let removal = stage.sent();
    assert_eq!(operation(&removal), ("", vec!["t1"], "0"));
    stage.answer(&removal, "412 Conditional Request Failed", "");
    assert_eq!(withdrawn(&mut stage), Some(412));
    stage.finish();
}

#[test]
fn a_removal_brings_nothing_even_after_a_change() {
    let mut stage = Stage::new();
    let (id, first) = publish(&mut stage);
    stage.agent.republish(stage.now, id, body("closed")).unwrap();
    stage.agent.withdraw(stage.now, id).unwrap();
    grant(&mut stage, &first, "t1", 3600);
    assert_eq!(operation(&stage.sent()), ("", vec!["t1"], "0"), "§4.5");
}

#[test]
fn what_was_never_published_needs_no_removal() {
    let mut stage = Stage::new();
    let (id, first) = publish(&mut stage);
    stage.agent.withdraw(stage.now, id).unwrap();
    stage.answer(&first, "500 Oops", "");
    assert!(stage.is_silent());
    assert_eq!(withdrawn(&mut stage), None);
    stage.finish();
}

#[test]
fn a_state_that_the_server_has_forgotten_is_published_anew() {
    let mut stage = Stage::new();
    published(&mut stage);
    stage.wait_until_sent();
    let refresh = stage.sent();
    stage.answer(&refresh, "412 Conditional Request Failed", "");
    let anew = stage.sent();
    assert_eq!(operation(&anew), ("open", vec![], "3600"), "§5");
    grant(&mut stage, &anew, "t9", 3600);
    assert_eq!(tag(&mut stage), "t9");
}

#[test]
fn a_server_that_forgets_each_time_is_left_alone() {
    let mut stage = Stage::new();
    let (_, mut request) = publish(&mut stage);
    for _ in 0..2 {
        stage.answer(&request, "412 Conditional Request Failed", "");
        request = stage.sent();
    }
    stage.answer(&request, "412 Conditional Request Failed", "");
    assert!(stage.is_silent());
    assert_eq!(failure(&mut stage).0, 412);
}

#[test]
fn a_time_that_is_too_brief_is_asked_for_longer() {
    let mut stage = Stage::new();
    let publication = Publication { expires: Duration::from_secs(60), ..presence() };
    stage.agent.publish(stage.now, publication).unwrap();
    let first = stage.sent();
    stage.answer(&first, "423 Interval Too Brief", "Min-Expires: 600\n");
    let longer = stage.sent();
    assert_eq!(operation(&longer), ("open", vec![], "600"));
    stage.answer(&longer, "423 Interval Too Brief", "Min-Expires: 600\n");
    assert_eq!(failure(&mut stage).0, 423, "that is no longer time");
}

#[test]
fn a_failure_waits_and_then_brings_what_has_not_arrived() {
    let mut stage = Stage::new();
    let (id, _) = published(&mut stage);
    stage.agent.republish(stage.now, id, body("closed")).unwrap();
    let change = stage.sent();
    stage.answer(&change, "503 Busy", "Retry-After: 9\n");
    assert_eq!(failure(&mut stage), (503, Some(9.0)));
    assert_eq!(stage.wait_until_sent().as_secs(), 9);
    let again = stage.sent();
    assert_eq!(operation(&again), ("closed", vec!["t1"], "3600"));
    stage.agent.transport_failed(stage.now, udp());
    let (status, retry_in) = failure(&mut stage);
    assert_eq!(status, 503);
    assert!(retry_in.is_some_and(|wait| wait >= 30.0));
    stage.agent.retarget_publication(id, tcp()).unwrap();
    stage.wait_until_sent();
    assert_eq!(stage.sent_on().0, tcp());
}

#[test]
fn what_cannot_help_is_not_tried_again_until_there_is_something_new() {
    let mut stage = Stage::new();
    let (id, first) = publish(&mut stage);
    stage.answer(&first, "489 Bad Event", "");
    assert_eq!(failure(&mut stage), (489, None));
    stage.wait(10_000.0);
    assert!(stage.is_silent());
    stage.agent.republish(stage.now, id, body("closed")).unwrap();
    assert_eq!(operation(&stage.sent()).0, "closed");
}

#[test]
fn a_2xx_without_a_tag_is_a_failure() {
    let mut stage = Stage::new();
    let (_, first) = publish(&mut stage);
    stage.answer(&first, "200 OK", "Expires: 60\n");
    assert_eq!(failure(&mut stage).0, 200);
    stage.wait_until_sent();
    let again = stage.sent();
    assert_eq!(operation(&again), ("open", vec![], "3600"));
    grant(&mut stage, &again, "t1", 0);
    assert_eq!(failure(&mut stage).0, 200, "granted for no time");
    stage.wait_until_sent();
    assert_eq!(operation(&stage.sent()), ("open", vec![], "3600"));
}

#[test]
fn a_state_that_cannot_be_refreshed_expires_and_is_published_anew() {
    let mut stage = Stage::new();
    let (_, first) = publish(&mut stage);
    grant(&mut stage, &first, "t1", 60);
    tag(&mut stage);
    stage.wait(62.1);
    assert!(matches!(stage.publication(), PublicationEvent::Expired));
    assert_eq!(failure(&mut stage).0, 408);
    stage.out.clear();
    stage.wait_until_sent();
    assert_eq!(operation(&stage.sent()), ("open", vec![], "3600"));
}

#[test]
fn a_challenge_is_answered() {
    let mut stage = Stage::new();
    let publication = Publication { logins: vec![login()], ..presence() };
    stage.agent.publish(stage.now, publication).unwrap();
    let first = stage.sent();
    stage.challenge(&first);
    let again = stage.sent();
    assert!(stage.authenticates(&again));
    assert_eq!((operation(&again).0, cseq(&again)), ("open", 2));
    grant(&mut stage, &again, "t1", 60);
    tag(&mut stage);
    stage.wait_until_sent();
    let refresh = stage.sent();
    assert!(stage.authenticates(&refresh));
    assert_eq!(cseq(&refresh), 3);
}

#[test]
fn what_contradicts_itself_is_refused_and_only_so_many_live() {
    let mut stage = Stage::with(Config { max_publications: 1, ..Config::default() });
    for header in [HeaderName::EVENT, HeaderName::EXPIRES, HeaderName::SIP_IF_MATCH] {
        let headers = vec![(header.clone(), "x".into())];
        let refused = stage.agent.publish(stage.now, Publication { headers, ..presence() });
        assert_eq!(refused.unwrap_err(), Error::ReservedHeader { header });
    }
    publish(&mut stage);
    let refused = stage.agent.publish(stage.now, presence());
    assert_eq!(refused.unwrap_err(), Error::TooManyPublications);
}
