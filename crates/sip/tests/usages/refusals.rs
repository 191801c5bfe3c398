//! Registrars that refuse, and when they are asked again (RFC 3261 §10.2.7 to §10.2.8, §20.33,
//! §22.1; RFC 5626 §4.5).

use std::time::Duration;

use offhook_sip::{BackOff, Config, Login, Registration};

use crate::stage::{REALM, Stage, cseq, field, login, outbound, plain, respond, tcp, udp};

#[test]
fn an_interval_that_is_too_brief_is_asked_for_longer_at_once() {
    let mut stage = Stage::new();
    let expires = Duration::from_secs(60);
    let (_, register) = stage.register(Registration { expires, ..plain() });
    assert_eq!(field(&register, "Expires"), "60");
    stage.answer(&register, "423 Interval Too Brief", "Min-Expires: 1800\n");
    let longer = stage.sent();
    assert_eq!((field(&longer, "Expires"), cseq(&longer)), ("1800", 2));
    stage.grant(&longer, 1800);
    stage.granted();
    stage.wait_until_sent();
    assert_eq!(field(&stage.sent(), "Expires"), "1800", "it stays so");
}

#[test]
fn a_423_that_makes_no_sense_is_a_refusal() {
    for more in ["", "Min-Expires: 3600\n", "Min-Expires: 5\n", "Min-Expires: soon\n"] {
        let mut stage = Stage::new();
        let (_, register) = stage.register(plain());
        stage.answer(&register, "423 Interval Too Brief", more);
        assert!(stage.is_silent(), "{more}");
        assert_eq!(stage.failure().0, 423);
    }
}

#[test]
fn a_registrar_that_asks_for_longer_each_time_is_left_alone() {
    let mut stage = Stage::new();
    let (_, mut register) = stage.register(plain());
    for least in [4000, 5000] {
        stage.answer(&register, "423 Interval Too Brief", &format!("Min-Expires: {least}\n"));
        register = stage.sent();
    }
    stage.answer(&register, "423 Interval Too Brief", "Min-Expires: 6000\n");
    assert!(stage.is_silent());
    assert_eq!(stage.failure().0, 423);
}

#[test]
fn failures_in_a_row_wait_longer_each_time() {
    let mut stage = Stage::new();
    let (_, mut register) = stage.register(plain());
    for bound in [60.0, 120.0, 240.0, 480.0, 960.0, 1800.0, 1800.0] {
        stage.answer(&register, "500 Oops", "");
        let (status, retry_in) = stage.failure();
        let wait = retry_in.unwrap();
        assert_eq!(status, 500);
        assert!(wait >= bound / 2.0 && wait <= bound, "{wait} of {bound}");
        let waited = stage.wait_until_sent().as_secs_f64();
        assert!((waited - wait).abs() < 0.001, "{waited} {wait}");
        register = stage.sent();
    }
    stage.grant(&register, 3600);
    stage.granted();
    stage.wait_until_sent();
    register = stage.sent();
    stage.answer(&register, "500 Oops", "");
    assert!(stage.failure().1.unwrap() <= 60.0, "a success begins anew");
}

#[test]
fn silence_counts_as_408_and_is_tried_again() {
    let mut stage = Stage::new();
    stage.register(plain());
    stage.wait(33.0);
    stage.out.clear();
    let (status, retry_in) = stage.failure();
    assert_eq!(status, 408);
    assert!(retry_in.is_some_and(|wait| (30.0..=60.0).contains(&wait)));
    stage.wait_until_sent();
    assert_eq!(cseq(&stage.sent()), 2);
}

#[test]
fn retry_after_says_when_and_0_means_now() {
    for (status, seconds) in [("503 Busy", 7_u32), ("503 Busy", 0), ("404 Nobody", 4000)] {
        let mut stage = Stage::new();
        let (_, register) = stage.register(plain());
        stage.answer(&register, status, &format!("Retry-After: {seconds} (later)\n"));
        assert_eq!(stage.failure().1, Some(f64::from(seconds)));
        assert_eq!(stage.wait_until_sent().as_secs(), u64::from(seconds));
    }
}

#[test]
fn a_registrar_that_always_says_now_is_asked_once_a_second() {
    let mut stage = Stage::new();
    let (_, mut register) = stage.register(plain());
    for seconds in [0, 1, 1, 1] {
        stage.answer(&register, "503 Busy", "Retry-After: 0\n");
        assert_eq!(stage.failure().1, Some(f64::from(seconds)));
        stage.wait_until_sent();
        register = stage.sent();
    }
}

#[test]
fn nobody_silences_a_registration_for_more_than_a_day() {
    let mut stage = Stage::new();
    let (_, register) = stage.register(plain());
    stage.answer(&register, "503 Busy", "Retry-After: 4294967295\n");
    assert_eq!(stage.failure().1, Some(86_400.0));
}

#[test]
fn what_cannot_help_is_not_tried_again_until_the_owner_says_so() {
    let mut stage = Stage::new();
    let logins = vec![Login::new(REALM, "bob", "wrong")];
    let (id, first) = stage.register(Registration { logins, ..plain() });
    stage.challenge(&first);
    let second = stage.sent();
    stage.challenge(&second);
    assert_eq!(stage.failure(), (401, None), "RFC 3261 §22.1");
    stage.wait(10_000.0);
    assert!(stage.is_silent() && stage.is_quiet());
    stage.agent.refresh(stage.now, id).unwrap();
    let third = stage.sent();
    assert_eq!(cseq(&third), 3);
    stage.answer(&third, "403 Forbidden", "");
    assert_eq!(stage.failure(), (403, None), "§21.4.4");
    stage.wait(10_000.0);
    assert!(stage.is_silent());
}

#[test]
fn a_redirection_is_told_with_its_response() {
    let mut stage = Stage::new();
    let (_, register) = stage.register(plain());
    stage.answer(&register, "302 Moved", "Contact: <sip:other.example>\n");
    match stage.registration() {
        offhook_sip::RegistrationEvent::Failed { status, response: Some(response), .. } => {
            assert_eq!(status.as_u16(), 302);
            let contact = response.header::<offhook_sip_message::Contact>().unwrap().unwrap();
            assert_eq!(contact.uri().unwrap().to_string(), "sip:other.example");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_first_hop_without_outbound_is_registered_with_as_before_it() {
    let mut stage = Stage::new();
    let (_, register) = stage.register(outbound());
    stage.receive(tcp(), &respond(&register, "439 First Hop Lacks Outbound Support", ""));
    let again = stage.sent();
    assert!(!again.contains("reg-id") && !field(&again, "Supported").contains("outbound"));
    assert!(again.contains("+sip.instance"), "it may still get a GRUU");
    stage.receive(tcp(), &respond(&again, "200 OK", ""));
    assert!(!stage.granted().outbound);
    let mut stage = Stage::new();
    let (_, register) = stage.register(plain());
    stage.answer(&register, "439 First Hop Lacks Outbound Support", "");
    assert_eq!(stage.failure().0, 439, "who has not asked for it is refused");
}

#[test]
fn while_another_flow_stands_a_failed_one_has_more_time() {
    let mut stage = Stage::new();
    let (_, first) = stage.register(outbound());
    stage.receive(tcp(), &respond(&first, "200 OK", "Require: outbound\n"));
    stage.granted();
    let (_, second) = stage.register(Registration { reg_id: Some(2), flow: udp(), ..outbound() });
    stage.answer(&second, "500 Oops", "");
    let wait = stage.failure().1.unwrap();
    assert!((90.0..=180.0).contains(&wait), "{wait}");
    let (_, alone) = stage.register(plain());
    stage.answer(&alone, "500 Oops", "");
    assert!(stage.failure().1.unwrap() <= 60.0, "another user is no other flow");
}

#[test]
fn the_waiting_times_can_be_set() {
    let second = Duration::from_secs(1);
    let back_off = BackOff { max: second * 4, base: second, base_with_others: second };
    let mut stage = Stage::with(Config { back_off, ..Config::default() });
    let (_, mut register) = stage.register(plain());
    for bound in [2.0, 4.0, 4.0] {
        stage.answer(&register, "500 Oops", "");
        let wait = stage.failure().1.unwrap();
        assert!(wait >= bound / 2.0 && wait <= bound, "{wait}");
        stage.wait_until_sent();
        register = stage.sent();
    }
}

#[test]
fn a_refused_refresh_leaves_the_binding_until_it_expires() {
    let mut stage = Stage::new();
    let (id, _) = stage.registered(Registration { logins: vec![login()], ..plain() });
    stage.wait_until_sent();
    let refresh = stage.sent();
    stage.answer(&refresh, "403 Forbidden", "");
    assert_eq!(stage.failure(), (403, None));
    assert!(stage.agent.registered(id).unwrap().is_some());
    stage.wait(3600.0);
    assert!(matches!(stage.registration(), offhook_sip::RegistrationEvent::Expired));
    assert!(stage.agent.registered(id).unwrap().is_none());
    assert!(stage.is_silent());
    stage.agent.unregister(stage.now, id).unwrap();
    assert_eq!(stage.unregistered(), None, "nothing stands any more");
    stage.finish();
}
