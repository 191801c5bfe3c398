//! What registrars say in their 2xx (RFC 3261 §10.2.4, RFC 3581, RFC 3608, RFC 5626, RFC 5627).

use offhook_sip::{Registered, Registration, RegistrationEvent};

use crate::stage::{CONTACT, INSTANCE, Stage, outbound, plain, respond, tcp, udp};

fn read(registration: Registration, more: &str) -> Registered {
    let mut stage = Stage::new();
    let flow = registration.flow;
    let (_, register) = stage.register(registration);
    stage.receive(flow, &respond(&register, "200 OK", more));
    stage.granted()
}

fn expires(more: &str) -> u64 {
    read(plain(), more).expires.as_secs()
}

#[test]
fn the_time_is_that_of_our_own_contact() {
    let others = "Contact: <sip:bob@192.0.2.77>;expires=7\n";
    assert_eq!(expires(&format!("{others}Contact: {CONTACT};expires=120\nExpires: 9\n")), 120);
    assert_eq!(expires(&format!("{others}Contact: {CONTACT}\nExpires: 90\n")), 90);
    assert_eq!(expires(&format!("{others}Contact: {CONTACT}\n")), 3600, "what was asked for");
}

#[test]
fn our_contact_is_found_by_the_rules_of_uri_comparison() {
    for same in
        ["<sip:%62ob@192.0.2.1:5060>", "\"Bob\" <SIP:bob@192.0.2.1:5060;x=1>;q=0.1", CONTACT]
    {
        assert_eq!(expires(&format!("Contact: {same};expires=120\n")), 120, "{same}");
    }
    for other in ["<sip:BOB@192.0.2.1:5060>", "<sips:bob@192.0.2.1:5060>", "<sip:bob@192.0.2.1>"] {
        let more = format!("Contact: {other};expires=7\nExpires: 90\n");
        assert_eq!(expires(&more), 90, "{other}");
    }
}

#[test]
fn a_contact_that_was_rewritten_is_found_by_its_instance_and_flow() {
    let contact = |instance: &str, reg_id: u32, expires: u32| {
        let instance = format!("+sip.instance=\"<{instance}>\"");
        format!("Contact: <sip:203.0.113.9>;{instance};reg-id={reg_id};expires={expires}\n")
    };
    let lower = INSTANCE.to_ascii_lowercase();
    let listed = [contact("urn:uuid:other", 1, 7), contact(&lower, 2, 8), contact(&lower, 1, 120)];
    assert_eq!(read(outbound(), &listed.concat()).expires.as_secs(), 120);
}

#[test]
fn a_registrar_that_lists_nothing_grants_what_it_says_or_what_was_asked_for() {
    assert_eq!(expires("Expires: 600\n"), 600);
    assert_eq!(expires(""), 3600);
}

#[test]
fn a_2xx_that_grants_no_time_is_a_failure() {
    let mut stage = Stage::new();
    let (_, register) = stage.register(plain());
    stage.grant(&register, 0);
    let (status, retry_in) = stage.failure();
    assert_eq!(status, 200);
    assert!(retry_in.is_some_and(|wait| (30.0..=60.0).contains(&wait)));
}

#[test]
fn the_longest_time_of_all_is_kept() {
    let mut stage = Stage::new();
    let (_, register) = stage.register(plain());
    stage.grant(&register, u32::MAX);
    assert_eq!(stage.granted().expires.as_secs(), u32::MAX.into());
    assert!(stage.wait_until_sent().as_secs() > 3_000_000_000);
}

#[test]
fn the_address_that_the_registrar_has_seen_is_told() {
    let mut stage = Stage::new();
    let (_, register) = stage.register(plain());
    let response = respond(&register, "200 OK", "");
    let seen = response.replace(";rport", ";rport=40001;received=203.0.113.9");
    stage.receive(udp(), &seen);
    assert_eq!(stage.granted().seen, Some("203.0.113.9:40001".parse().unwrap()));
    assert_eq!(read(plain(), "").seen, None, "an old server says nothing");
}

#[test]
fn service_route_and_path_are_kept_in_order_and_replaced_by_the_next_2xx() {
    let mut stage = Stage::new();
    let (id, register) = stage.register(plain());
    let routes = "Service-Route: <sip:p1.example;lr>, <sip:p2.example;lr>\n";
    let path = "Path: <sip:edge.example;lr>\n";
    stage.answer(&register, "200 OK", &format!("{routes}{path}"));
    let granted = stage.granted();
    let hosts: Vec<_> = granted.service_route.iter().map(|it| it.uri().to_string()).collect();
    assert_eq!(hosts, ["sip:p1.example;lr", "sip:p2.example;lr"]);
    assert_eq!(granted.path[0].uri().to_string(), "sip:edge.example;lr");
    stage.wait_until_sent();
    let refresh = stage.sent();
    stage.answer(&refresh, "200 OK", "");
    assert!(stage.granted().service_route.is_empty(), "RFC 3608 §6.1");
    assert!(stage.agent.registered(id).unwrap().unwrap().service_route.is_empty());
}

#[test]
fn a_refused_refresh_takes_the_service_route_but_not_the_gruu() {
    let mut stage = Stage::new();
    let (id, register) =
        stage.register(Registration { instance: Some(INSTANCE.into()), ..plain() });
    let contact = format!("Contact: {CONTACT};pub-gruu=\"sip:bob@biloxi.example;gr=x\"\n");
    let route = "Service-Route: <sip:p1.example;lr>\n";
    stage.answer(&register, "200 OK", &format!("{contact}{route}"));
    stage.granted();
    stage.wait_until_sent();
    let refresh = stage.sent();
    stage.answer(&refresh, "500 Oops", "");
    assert_eq!(stage.failure().0, 500);
    let registered = stage.agent.registered(id).unwrap().unwrap();
    assert!(registered.service_route.is_empty(), "RFC 3608 §6.1");
    assert!(registered.pub_gruu.is_some(), "RFC 5627 §4.2");
}

#[test]
fn a_service_route_through_a_strict_router_is_not_taken() {
    let granted = read(plain(), "Service-Route: <sip:p1.example;lr>, <sip:p2.example>\n");
    assert!(granted.service_route.is_empty());
}

#[test]
fn gruus_are_asked_for_with_an_instance_and_given_out() {
    let mut stage = Stage::new();
    let registration = Registration { instance: Some(INSTANCE.into()), ..plain() };
    let (_, register) = stage.register(registration);
    assert!(register.contains("Supported: path, gruu\r\n"), "{register}");
    assert!(register.contains(&format!("+sip.instance=\"<{INSTANCE}>\"")));
    assert!(!register.contains("reg-id"));
    let gruus =
        "pub-gruu=\"sip:bob@biloxi.example;gr=urn:x\";temp-gruu=\"sip:t1@biloxi.example;gr\"";
    stage.answer(&register, "200 OK", &format!("Contact: {CONTACT};{gruus};expires=60\n"));
    let granted = stage.granted();
    assert_eq!(granted.pub_gruu.unwrap().to_string(), "sip:bob@biloxi.example;gr=urn:x");
    assert_eq!(granted.temp_gruu.unwrap().to_string(), "sip:t1@biloxi.example;gr");
}

#[test]
fn outbound_is_asked_for_and_holds_when_the_registrar_requires_it() {
    let mut stage = Stage::new();
    let (_, register) = stage.register(outbound());
    assert!(register.contains("Supported: path, gruu, outbound\r\n"));
    assert!(register.contains(";reg-id=1;"), "{register}");
    stage.receive(tcp(), &respond(&register, "200 OK", "Require: outbound\nFlow-Timer: 90\n"));
    let granted = stage.granted();
    assert!(granted.outbound);
    assert_eq!(granted.flow_timer.map(|it| it.as_secs()), Some(90));
    assert_eq!(granted.flow, tcp());
    assert!(!read(outbound(), "").outbound, "the registrar does not know it");
    assert!(!read(plain(), "Require: outbound\n").outbound, "nobody has asked for it");
}

#[test]
fn a_malformed_2xx_is_read_as_far_as_it_goes() {
    let more = "Service-Route: <<\nFlow-Timer: soon\nContact: <sip:;>;expires=x\nExpires: 300\n";
    let granted = read(plain(), more);
    assert_eq!(granted.expires.as_secs(), 300);
    assert!(granted.service_route.is_empty() && granted.flow_timer.is_none());
    assert!(granted.pub_gruu.is_none());
    let mut stage = Stage::new();
    let (_, register) = stage.register(plain());
    stage.answer(&register, "200 OK", "Contact: *\n");
    assert!(matches!(stage.registration(), RegistrationEvent::Registered(_)));
}

#[test]
fn every_prefix_of_a_2xx_is_survived_and_grants_at_most_once() {
    let mut stage = Stage::new();
    let (_, register) = stage.register(outbound());
    let gruu = "pub-gruu=\"sip:bob@biloxi.example;gr=urn:x\"";
    let more = format!(
        "Contact: {CONTACT};+sip.instance=\"<{INSTANCE}>\";reg-id=1;{gruu};expires=60\n\
         Service-Route: <sip:p1.example;lr>\nPath: <sip:edge.example;lr;ob>\n\
         Require: outbound\nFlow-Timer: 90\nFeature-Caps: *;+sip.pns=\"apns\"\n"
    );
    let whole = respond(&register, "200 OK", &more);
    for end in 0..=whole.len() {
        stage.receive(tcp(), &whole[..end]);
    }
    assert!(stage.granted().outbound, "no part of it is taken for the whole");
    assert!(stage.is_quiet(), "told once");
}
