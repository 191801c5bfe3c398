//! Who or what answers (RFC 5373).

use offhook_sip::{Config, Error, Event, Invite};
use offhook_sip_message::{AnswerMode, AnswerModeValue, PrivAnswerMode};

use crate::support::raw::{Raw, field, fields, first_line, plain_invite, request};

fn taking() -> Config {
    Config { answer_mode: true, ..Config::default() }
}

fn called(config: Config, fields: &str) -> Raw {
    let mut raw = Raw::with(config);
    raw.send(&request("INVITE", "z9hG4bKi", 1, "", fields));
    raw
}

#[test]
fn an_invite_asks_for_a_mode() {
    let invite = Invite {
        answer_mode: Some(AnswerMode::new(AnswerModeValue::Auto).required()),
        priv_answer_mode: Some(PrivAnswerMode::new(AnswerModeValue::Manual)),
        ..plain_invite()
    };
    let (_, invite) = Raw::with(taking()).invite_by(invite);
    assert_eq!(field(&invite, "Answer-Mode"), "Auto;require");
    assert_eq!(field(&invite, "Priv-Answer-Mode"), "Manual");
    assert!(fields(&invite, "Supported").join(", ").contains("answermode"));
}

#[test]
fn what_the_caller_asks_for_is_told_to_who_takes_it() {
    let asks = "Answer-Mode: Auto\nPriv-Answer-Mode: Auto;require\n";
    let [Event::Incoming { answer_mode: Some(mode), priv_answer_mode: Some(more), .. }] =
        &called(taking(), asks).events[..]
    else {
        panic!("not told")
    };
    assert!(mode.mode == AnswerModeValue::Auto && !mode.is_required() && more.is_required());
    let [Event::Incoming { answer_mode: None, priv_answer_mode: None, .. }] =
        &called(Config::default(), asks).events[..]
    else {
        panic!("told")
    };
    let mut raw = Raw::new();
    let refused = raw.send(&request("INVITE", "z9hG4bKi", 1, "", "Require: answermode\n"));
    assert_eq!(first_line(&refused[0]), "SIP/2.0 420 Bad Extension");
}

#[test]
fn a_2xx_says_who_has_answered_only_if_the_owner_wants_it_so() {
    for (asks, said) in
        [("Answer-Mode: Auto\n", "Answer-Mode"), ("Priv-Answer-Mode: Auto\n", "Priv-Answer-Mode")]
    {
        let mut raw = called(taking(), asks);
        let call = raw.incoming();
        raw.agent.answer_as(raw.now, call, &AnswerModeValue::Auto, None).unwrap();
        let accepted = raw.drain().remove(0);
        assert_eq!(field(&accepted, said), "Auto");
        let mut raw = called(taking(), asks);
        let call = raw.incoming();
        raw.agent.answer(raw.now, call, None).unwrap();
        assert!(!raw.drain()[0].contains("Answer-Mode"));
    }
}

#[test]
fn a_call_that_requires_another_mode_is_not_answered_so() {
    for asks in ["Answer-Mode: Auto;require\n", "Priv-Answer-Mode: Auto;require\n"] {
        let mut raw = called(taking(), asks);
        let call = raw.incoming();
        let refused = raw.agent.answer_as(raw.now, call, &AnswerModeValue::Manual, None);
        assert!(matches!(refused, Err(Error::WrongState { .. })));
        assert!(raw.drain().is_empty());
        raw.agent.answer_as(raw.now, call, &AnswerModeValue::Auto, None).unwrap();
    }
}
