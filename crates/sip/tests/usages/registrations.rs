//! Registering, refreshing and removing (RFC 3261 §10.2).

use std::time::Duration;

use offhook_sip::{Config, Error, Event, Push, Registration, RegistrationEvent};
use offhook_sip_message::{HeaderName, Parameters};

use crate::stage::{
    CONTACT, INSTANCE, Stage, bob, cseq, field, fields, first_line, login, outbound, plain, tls,
    udp,
};

#[test]
fn a_register_names_the_domain_the_user_and_the_contact() {
    let mut stage = Stage::new();
    let registrar = "sip:someone@biloxi.example".parse().unwrap();
    let (_, register) = stage.register(Registration { registrar, ..plain() });
    assert_eq!(first_line(&register), "REGISTER sip:biloxi.example SIP/2.0", "no user (§10.2)");
    assert_eq!(field(&register, "To"), "<sip:bob@biloxi.example>");
    assert!(field(&register, "From").starts_with("<sip:bob@biloxi.example>;tag="));
    assert_eq!(field(&register, "Contact"), CONTACT);
    assert_eq!(field(&register, "Expires"), "3600");
    assert_eq!(field(&register, "Supported"), "path", "RFC 3327 §5.1");
    assert_eq!(field(&register, "CSeq"), "1 REGISTER");
}

#[test]
fn a_challenge_is_answered_and_later_registers_carry_credentials_unasked() {
    let mut stage = Stage::new();
    let (_, first) = stage.register(Registration { logins: vec![login()], ..plain() });
    stage.challenge(&first);
    let second = stage.sent();
    assert!(stage.authenticates(&second));
    assert_eq!(cseq(&second), 2);
    stage.grant(&second, 100);
    assert_eq!(stage.granted().expires, Duration::from_secs(100));
    stage.wait_until_sent();
    let refresh = stage.sent();
    assert_eq!(cseq(&refresh), 3);
    assert!(stage.authenticates(&refresh), "with the next nonce count");
    stage.grant(&refresh, 1200);
    stage.granted();
    stage.wait_until_sent();
    let stale = stage.sent();
    assert_eq!(cseq(&stale), 4);
    stage.challenge(&stale);
    let again = stage.sent();
    assert!(stage.authenticates(&again), "the nonce was too old");
    assert_eq!(cseq(&again), 5);
}

#[test]
fn a_refresh_has_the_same_call_id_and_tag_the_next_cseq_and_a_new_branch() {
    let mut stage = Stage::new();
    let (_, first) = stage.registered(plain());
    stage.wait_until_sent();
    let refresh = stage.sent();
    assert_eq!(cseq(&refresh), cseq(&first) + 1);
    for name in ["Call-ID", "From", "To", "Contact", "Expires"] {
        assert_eq!(field(&refresh, name), field(&first, name));
    }
    assert_ne!(field(&refresh, "Via"), field(&first, "Via"));
}

#[test]
fn a_refresh_comes_before_the_end_with_time_for_its_own_timeout() {
    for (granted, earliest, latest) in
        [(3600, 2916.0, 3240.0), (320, 256.0, 288.0), (100, 50.0, 68.0), (60, 30.0, 30.0)]
    {
        let mut stage = Stage::new();
        let (_, register) = stage.register(plain());
        stage.grant(&register, granted);
        let after = stage.wait_until_sent().as_secs_f64();
        assert!((earliest..=latest).contains(&after), "{granted}: {after}");
    }
}

#[test]
fn two_registrations_do_not_refresh_in_step() {
    let mut stage = Stage::new();
    let mut after = Vec::new();
    for _ in 0..2 {
        let (_, register) = stage.register(plain());
        stage.grant(&register, 3600);
    }
    while after.len() < 2 {
        stage.now = offhook_sansio::Machine::poll_timeout(&stage.agent).unwrap();
        offhook_sansio::Machine::handle_timeout(&mut stage.agent, stage.now);
        stage.drain();
        for _ in stage.out.drain(..) {
            after.push(stage.now - stage.start);
        }
    }
    assert_ne!(after[0], after[1]);
}

#[test]
fn unregistering_removes_the_contact_and_ends() {
    let mut stage = Stage::new();
    let (id, first) = stage.registered(plain());
    stage.agent.unregister(stage.now, id).unwrap();
    stage.agent.unregister(stage.now, id).unwrap();
    let removal = stage.sent();
    assert_eq!(field(&removal, "Contact"), CONTACT);
    assert_eq!(field(&removal, "Expires"), "0");
    assert_eq!(cseq(&removal), cseq(&first) + 1);
    assert_eq!(field(&removal, "Call-ID"), field(&first, "Call-ID"));
    stage.answer(&removal, "200 OK", "");
    assert_eq!(stage.unregistered(), Some(200));
    assert_eq!(stage.agent.unregister(stage.now, id), Err(Error::NoRegistration));
    assert_eq!(stage.agent.refresh(stage.now, id), Err(Error::NoRegistration));
    assert!(stage.agent.registered(id).is_err());
    stage.finish();
}

#[test]
fn all_contacts_are_removed_with_a_star_and_expires_0() {
    let mut stage = Stage::new();
    let (id, register) = stage.register(outbound());
    stage.receive(crate::stage::tcp(), &crate::stage::respond(&register, "200 OK", ""));
    stage.granted();
    stage.agent.unregister_all(stage.now, id).unwrap();
    let removal = stage.sent();
    assert_eq!(fields(&removal, "Contact"), ["*"], "without instance and reg-id (RFC 5626 §4.2.3)");
    assert_eq!(field(&removal, "Expires"), "0");
    stage.receive(crate::stage::tcp(), &crate::stage::respond(&removal, "200 OK", ""));
    assert_eq!(stage.unregistered(), Some(200));
    stage.finish();
}

#[test]
fn a_removal_waits_for_the_answer_to_the_register_under_way() {
    let mut stage = Stage::new();
    let (id, register) = stage.register(plain());
    stage.agent.unregister(stage.now, id).unwrap();
    assert!(stage.is_silent(), "one REGISTER at a time (§10.2)");
    stage.grant(&register, 3600);
    let removal = stage.sent();
    assert_eq!(field(&removal, "Expires"), "0");
    assert!(stage.is_quiet(), "it is not told to be registered any more");
    stage.answer(&removal, "200 OK", "");
    assert_eq!(stage.unregistered(), Some(200));
    stage.finish();
}

#[test]
fn a_registration_that_was_refused_needs_no_removal() {
    let mut stage = Stage::new();
    let (id, register) = stage.register(plain());
    stage.answer(&register, "404 Not Found", "");
    stage.failure();
    stage.agent.unregister(stage.now, id).unwrap();
    assert!(stage.is_silent());
    assert_eq!(stage.unregistered(), None);
    stage.finish();
}

#[test]
fn one_that_nobody_answered_may_stand_and_is_removed() {
    let mut stage = Stage::new();
    let (id, _) = stage.register(plain());
    stage.wait(33.0);
    assert_eq!(stage.failure().0, 408);
    stage.out.clear();
    stage.agent.unregister(stage.now, id).unwrap();
    assert_eq!(field(&stage.sent(), "Expires"), "0");
    stage.wait(33.0);
    assert_eq!(stage.unregistered(), Some(408));
    stage.out.clear();
    stage.finish();
}

#[test]
fn a_removal_ends_whatever_the_answer() {
    for status in ["403 Forbidden", "500 Oops", "423 Interval Too Brief"] {
        let mut stage = Stage::new();
        let (id, _) = stage.registered(plain());
        stage.agent.unregister(stage.now, id).unwrap();
        let removal = stage.sent();
        stage.answer(&removal, status, "Min-Expires: 60\n");
        assert_eq!(stage.unregistered(), Some(status[..3].parse().unwrap()));
        stage.finish();
    }
}

#[test]
fn a_removal_that_is_challenged_is_sent_again() {
    let mut stage = Stage::new();
    let (id, _) = stage.registered(Registration { logins: vec![login()], ..plain() });
    stage.agent.unregister(stage.now, id).unwrap();
    let removal = stage.sent();
    stage.challenge(&removal);
    let again = stage.sent();
    assert_eq!(field(&again, "Expires"), "0");
    assert!(stage.authenticates(&again));
    stage.answer(&again, "200 OK", "");
    assert_eq!(stage.unregistered(), Some(200));
    stage.finish();
}

#[test]
fn the_owner_may_refresh_at_any_time() {
    let mut stage = Stage::new();
    let (id, _) = stage.registered(plain());
    stage.agent.refresh(stage.now, id).unwrap();
    let refresh = stage.sent();
    stage.agent.refresh(stage.now, id).unwrap();
    assert!(stage.is_silent(), "one REGISTER at a time");
    stage.grant(&refresh, 3600);
    stage.granted();
    assert!(stage.is_silent());
}

#[test]
fn another_contact_replaces_the_one_of_before_in_one_register() {
    let mut stage = Stage::new();
    let (id, _) = stage.registered(plain());
    let mapped = "sip:bob@203.0.113.9:40001".parse().unwrap();
    stage.agent.recontact(stage.now, id, Some(mapped)).unwrap();
    let register = stage.sent();
    let contacts = fields(&register, "Contact").join(", ");
    assert_eq!(contacts, format!("<sip:bob@203.0.113.9:40001>, {CONTACT};expires=0"));
    stage.grant(&register, 3600);
    assert_eq!(stage.granted().contact.to_string(), "sip:bob@203.0.113.9:40001");
    stage.wait_until_sent();
    assert_eq!(fields(&stage.sent(), "Contact"), ["<sip:bob@203.0.113.9:40001>"]);
}

#[test]
fn what_changes_while_a_register_is_under_way_comes_next() {
    let mut stage = Stage::new();
    let (id, register) = stage.register(plain());
    let mapped = "sip:bob@203.0.113.9:40001".parse().unwrap();
    stage.agent.recontact(stage.now, id, Some(mapped)).unwrap();
    assert!(stage.is_silent());
    stage.grant(&register, 3600);
    assert_eq!(stage.granted().contact.to_string(), "sip:bob@192.0.2.1:5060");
    let next = stage.sent();
    assert_eq!(cseq(&next), 2);
    assert!(field(&next, "Contact").contains("203.0.113.9"));
}

#[test]
fn a_binding_that_cannot_be_refreshed_expires_and_takes_its_routes_and_gruus_along() {
    let mut stage = Stage::new();
    let (id, register) = stage.register(plain());
    let route = "Service-Route: <sip:p1.example;lr>\n";
    stage.answer(&register, "200 OK", &format!("{route}Contact: {CONTACT};expires=100\n"));
    stage.granted();
    assert!(stage.agent.registered(id).unwrap().is_some());
    stage.wait(100.1);
    assert_eq!(stage.failure().0, 408);
    assert!(matches!(stage.registration(), RegistrationEvent::Expired));
    assert!(stage.agent.registered(id).unwrap().is_none());
    stage.out.clear();
    stage.wait_until_sent();
    let again = stage.sent();
    stage.grant(&again, 100);
    stage.granted();
}

#[test]
fn a_push_service_is_named_in_the_contact_but_not_when_it_is_removed() {
    let mut stage = Stage::new();
    let param = Some("DEF123GHIJ.com.example.app".into());
    let push = Push { provider: "apns".into(), prid: "00fc13adff".into(), param };
    let (id, register) = stage.register(Registration { push: Some(push), ..plain() });
    let parameters = "pn-provider=apns;pn-prid=00fc13adff;pn-param=DEF123GHIJ.com.example.app";
    assert_eq!(field(&register, "Contact"), format!("<sip:bob@192.0.2.1:5060;{parameters}>"));
    let contact = format!("Contact: {};expires=60\n", field(&register, "Contact"));
    let caps = "Feature-Caps: *;+sip.pns=\"apns\"\n";
    stage.answer(&register, "200 OK", &format!("{contact}{caps}"));
    let granted = stage.granted();
    assert!(granted.push);
    assert_eq!(granted.expires.as_secs(), 60);
    stage.agent.unregister(stage.now, id).unwrap();
    let removal = stage.sent();
    assert!(!removal.contains("pn-prid"), "RFC 8599 §4.1.2");
    assert!(removal.contains("pn-provider=apns"));
}

#[test]
fn another_name_at_the_push_service_refreshes_the_same_binding() {
    let mut stage = Stage::new();
    let push = |prid: &str| Push { provider: "apns".into(), prid: prid.into(), param: None };
    let (id, _) = stage.registered(Registration { push: Some(push("old")), ..plain() });
    stage.agent.set_push(stage.now, id, Some(push("new"))).unwrap();
    let refresh = stage.sent();
    let contact = "<sip:bob@192.0.2.1:5060;pn-provider=apns;pn-prid=new>";
    assert_eq!(fields(&refresh, "Contact"), [contact], "the other one is the same but for that");
    stage.grant(&refresh, 3600);
    stage.granted();
    stage.agent.set_push(stage.now, id, None).unwrap();
    assert_eq!(fields(&stage.sent(), "Contact"), [CONTACT]);
}

#[test]
fn without_a_proxy_that_says_so_no_push_is_promised() {
    let push = || Push { provider: "apns".into(), prid: "00fc13adff".into(), param: None };
    for caps in ["", "Feature-Caps: *;+sip.pns=\"fcm\"\n", "Feature-Caps: *;+sip.608\n"] {
        let mut stage = Stage::new();
        let (_, register) = stage.register(Registration { push: Some(push()), ..plain() });
        stage.answer(&register, "200 OK", caps);
        assert!(!stage.granted().push, "{caps}");
    }
}

#[test]
fn header_fields_and_contact_parameters_of_the_owner_are_sent() {
    let mut stage = Stage::new();
    let mut parameters = Parameters::new();
    parameters.set("q", Some("0.7"));
    let headers = vec![(HeaderName::ROUTE, "<sip:edge.example;lr>".into())];
    let (_, register) = stage.register(Registration { parameters, headers, ..plain() });
    assert_eq!(field(&register, "Route"), "<sip:edge.example;lr>");
    assert_eq!(field(&register, "Contact"), format!("{CONTACT};q=0.7"));
}

#[test]
fn what_contradicts_itself_is_refused_and_nothing_is_sent() {
    let mut stage = Stage::new();
    let mut parameters = Parameters::new();
    parameters.set("expires", Some("60"));
    let wrong = [
        Registration { reg_id: Some(1), ..plain() },
        Registration { reg_id: Some(0), instance: Some(INSTANCE.into()), ..plain() },
        Registration { parameters, ..plain() },
        Registration { registrar: "sips:biloxi.example".parse().unwrap(), ..plain() },
        Registration { headers: vec![(HeaderName::CONTACT, "<sip:x@y>".into())], ..plain() },
        Registration { headers: vec![(HeaderName::EXPIRES, "60".into())], ..plain() },
    ];
    for registration in wrong {
        assert!(stage.agent.register(stage.now, registration).is_err());
    }
    assert!(stage.is_silent());
    stage.finish();
}

#[test]
fn as_many_registrations_live_as_the_settings_allow() {
    let mut stage = Stage::with(Config { max_registrations: 1, ..Config::default() });
    stage.registered(plain());
    let refused = stage.agent.register(stage.now, plain());
    assert_eq!(refused, Err(Error::TooManyRegistrations));
}

#[test]
fn a_sips_registrar_gets_a_sips_contact_over_tls() {
    let mut stage = Stage::new();
    let registrar = "sips:biloxi.example".parse().unwrap();
    let (_, register) = stage.register(Registration { registrar, flow: tls(), ..plain() });
    assert_eq!(field(&register, "Contact"), "<sips:bob@192.0.2.1:5060>");
}

#[test]
fn each_event_names_its_registration() {
    let mut stage = Stage::new();
    let (first, one) = stage.register(plain());
    let (second, two) =
        stage.register(Registration::new("sip:atlanta.example".parse().unwrap(), bob(), udp()));
    stage.grant(&two, 60);
    stage.answer(&one, "403 Forbidden", "");
    let mut told = Vec::new();
    while !stage.is_quiet() {
        let Event::Registration { registration, .. } = stage.event() else { panic!("another") };
        told.push(registration);
    }
    assert_eq!(told, [second, first]);
}
