//! Flows that fail, and what takes their place (RFC 5626 §4.4, §4.5).

use offhook_sansio::Flow;
use offhook_sip::{Error, Registration, RegistrationEvent};

use crate::stage::{
    Stage, cseq, field, fields, outbound, parse, plain, respond, server, tcp, tls, udp,
};

const OUTBOUND: &str = "Require: outbound\nFlow-Timer: 100\n";

fn lost(stage: &mut Stage) -> f64 {
    match stage.registration() {
        RegistrationEvent::Lost { retry_in } => retry_in.unwrap().as_secs_f64(),
        other => panic!("{other:?}"),
    }
}

/// A registration with outbound that stands over TCP.
fn standing(stage: &mut Stage) -> offhook_sip::RegistrationId {
    let (id, register) = stage.register(outbound());
    stage.receive(tcp(), &respond(&register, "200 OK", OUTBOUND));
    assert!(stage.granted().outbound);
    id
}

fn elsewhere() -> Flow {
    Flow { remote: ([198, 51, 100, 8], 5060).into(), ..tcp() }
}

#[test]
fn a_flow_that_fails_while_it_rests_is_lost_once() {
    let mut stage = Stage::new();
    standing(&mut stage);
    stage.agent.transport_failed(stage.now, udp());
    assert!(stage.is_quiet(), "another flow");
    stage.agent.transport_failed(stage.now, tcp());
    stage.agent.transport_failed(stage.now, tcp());
    let retry_in = lost(&mut stage);
    assert!((30.0..=60.0).contains(&retry_in), "{retry_in}");
    assert!(stage.is_quiet() && stage.is_silent());
    let waited = stage.wait_until_sent().as_secs_f64();
    assert!((waited - retry_in).abs() < 0.001, "the same flow is tried again");
    assert_eq!(stage.sent_on().0, tcp());
}

#[test]
fn a_flow_that_fails_under_a_register_is_lost_once() {
    let mut stage = Stage::new();
    let (_, _) = stage.register(plain());
    stage.agent.transport_failed(stage.now, udp());
    lost(&mut stage);
    assert!(stage.is_quiet());
}

#[test]
fn a_flow_that_fails_after_a_refusal_for_good_is_left_to_the_owner() {
    let mut stage = Stage::new();
    let (id, _) = stage.registered(plain());
    stage.agent.refresh(stage.now, id).unwrap();
    let refresh = stage.sent();
    stage.answer(&refresh, "403 Forbidden", "");
    assert_eq!(stage.failure(), (403, None));
    stage.agent.transport_failed(stage.now, udp());
    assert!(matches!(stage.registration(), RegistrationEvent::Lost { retry_in: None }));
    stage.agent.retarget(stage.now, id, tcp()).unwrap();
    assert_eq!(stage.sent_on().0, tcp());
}

#[test]
fn a_flow_that_fails_does_not_shorten_what_a_refusal_has_asked_for() {
    let mut stage = Stage::new();
    let (id, _) = stage.registered(plain());
    stage.agent.refresh(stage.now, id).unwrap();
    let refresh = stage.sent();
    stage.answer(&refresh, "503 Busy", "Retry-After: 1000\n");
    assert_eq!(stage.failure(), (503, Some(1000.0)));
    stage.agent.transport_failed(stage.now, udp());
    assert_eq!(lost(&mut stage), 1000.0);
}

#[test]
fn another_flow_is_taken_at_once_with_the_same_instance_and_reg_id() {
    let mut stage = Stage::new();
    let id = standing(&mut stage);
    stage.agent.transport_failed(stage.now, tcp());
    lost(&mut stage);
    let new = tls();
    stage.agent.retarget(stage.now, id, new).unwrap();
    let (flow, register) = stage.sent_on();
    assert_eq!(flow, new);
    assert!(register.contains("reg-id=1"));
    assert_eq!(cseq(&register), 2);
    assert_eq!(fields(&register, "Contact").len(), 1, "outbound replaces by itself");
    stage.receive(new, &respond(&register, "200 OK", OUTBOUND));
    assert_eq!(stage.granted().flow, new);
}

#[test]
fn without_outbound_the_contact_of_before_is_removed() {
    let mut stage = Stage::new();
    let (id, _) = stage.registered(plain());
    stage.agent.retarget(stage.now, id, tcp()).unwrap();
    let (_, register) = stage.sent_on();
    let contacts = fields(&register, "Contact");
    assert_eq!(contacts[0], "<sip:bob@192.0.2.1:5060;transport=tcp>");
    assert_eq!(contacts[1], "<sip:bob@192.0.2.1:5060>;expires=0");
}

#[test]
fn where_outbound_was_not_granted_the_contact_of_before_is_removed_too() {
    let mut stage = Stage::new();
    let (id, register) = stage.register(outbound());
    stage.receive(tcp(), &respond(&register, "200 OK", ""));
    assert!(!stage.granted().outbound);
    stage.agent.retarget(stage.now, id, udp()).unwrap();
    let (_, register) = stage.sent_on();
    assert_eq!(fields(&register, "Contact").len(), 2);
}

#[test]
fn a_next_hop_that_has_failed_is_left_alone_until_the_time_that_was_told() {
    let mut stage = Stage::new();
    let (id, _) = stage.register(plain());
    stage.agent.transport_failed(stage.now, udp());
    let retry_in = lost(&mut stage);
    let same_hop = Flow { ..udp() };
    stage.agent.retarget(stage.now, id, same_hop).unwrap();
    assert!(stage.is_silent(), "RFC 5626 §4.5");
    let waited = stage.wait_until_sent().as_secs_f64();
    assert!((waited - retry_in).abs() < 0.001);
    stage.out.clear();
    stage.agent.transport_failed(stage.now, udp());
    assert!(lost(&mut stage) >= 60.0, "two failures in a row");
    let other = Flow { remote: elsewhere().remote, ..udp() };
    stage.agent.retarget(stage.now, id, other).unwrap();
    assert_eq!(stage.sent_on().0, other, "another one is tried at once");
}

#[test]
fn a_flow_that_changes_under_a_register_waits_for_its_end() {
    let mut stage = Stage::new();
    let (id, register) = stage.register(plain());
    stage.agent.retarget(stage.now, id, tcp()).unwrap();
    assert!(stage.is_silent(), "one REGISTER at a time (RFC 3261 §10.2)");
    stage.answer(&register, "503 Busy", "Retry-After: 500\n");
    assert_eq!(stage.failure(), (503, Some(0.0)));
    stage.wait(0.0);
    assert_eq!(stage.sent_on().0, tcp());
}

#[test]
fn a_flow_that_fails_after_the_owner_has_moved_on_is_not_lost() {
    let mut stage = Stage::new();
    let (id, _) = stage.register(plain());
    stage.agent.retarget(stage.now, id, tcp()).unwrap();
    stage.agent.transport_failed(stage.now, udp());
    assert!(stage.is_quiet());
    assert_eq!(stage.sent_on().0, tcp());
}

#[test]
fn a_flow_that_cannot_be_used_is_refused() {
    let mut stage = Stage::new();
    let (id, _) = stage.registered(plain());
    let nowhere = Flow::udp(([192, 0, 2, 99], 5060).into(), server());
    let refused = stage.agent.retarget(stage.now, id, nowhere);
    assert_eq!(refused, Err(Error::NotListening { flow: nowhere }));
    stage.agent.unregister(stage.now, id).unwrap();
    let refused = stage.agent.retarget(stage.now, id, tcp());
    assert!(matches!(refused, Err(Error::WrongState { .. })));
    let secure =
        Registration { registrar: "sips:biloxi.example".parse().unwrap(), flow: tls(), ..plain() };
    stage.drain();
    stage.out.clear();
    let (id, _) = stage.register(secure);
    let refused = stage.agent.retarget(stage.now, id, tcp());
    assert_eq!(refused, Err(Error::NotSecure { flow: tcp() }));
}

#[test]
fn a_430_is_a_flow_that_has_failed() {
    let mut stage = Stage::new();
    let (_, register) = stage.register(outbound());
    stage.receive(tcp(), &respond(&register, "430 Flow Failed", ""));
    lost(&mut stage);
}

#[test]
fn an_outbound_flow_over_a_stream_is_pinged_and_lives_on_pongs() {
    let mut stage = Stage::new();
    standing(&mut stage);
    for _ in 0..5 {
        let after = stage.wait_until_sent().as_secs_f64();
        assert!((75.0..=100.0).contains(&after), "{after} of 80 to 100 %, less the pong");
        assert_eq!(stage.sent_on(), (tcp(), "\r\n\r\n".into()));
        stage.wait(5.0);
        stage.receive(tcp(), "\r\n");
    }
    assert!(stage.is_quiet());
}

#[test]
fn a_pong_that_does_not_come_within_10_seconds_loses_the_flow() {
    let mut stage = Stage::new();
    standing(&mut stage);
    stage.wait_until_sent();
    stage.out.clear();
    stage.receive(tls(), "\r\n");
    stage.wait(9.9);
    assert!(stage.is_quiet());
    stage.wait(0.2);
    lost(&mut stage);
    stage.wait(20.0);
    assert!(stage.is_silent(), "no more pings");
}

#[test]
fn without_outbound_or_keep_no_ping_is_sent() {
    for (registration, more) in [
        (outbound(), ""),
        (Registration { flow: udp(), ..outbound() }, ""),
        (Registration { flow: tcp(), ..plain() }, OUTBOUND),
    ] {
        let mut stage = Stage::new();
        let flow = registration.flow;
        let (_, register) = stage.register(registration);
        stage.receive(flow, &respond(&register, "200 OK", more));
        stage.granted();
        stage.wait_until_sent();
        assert_eq!(parse(&stage.sent()).method().as_str(), "REGISTER");
    }
}

#[test]
fn a_flow_whose_keep_has_a_value_is_pinged_without_outbound() {
    let mut stage = Stage::new();
    let (_, register) = stage.register(Registration { flow: tcp(), ..plain() });
    let via = field(&register, "Via");
    assert!(via.ends_with(";keep"), "{via}");
    let response = respond(&register, "200 OK", "").replace(";keep", ";keep=30");
    stage.receive(tcp(), &response);
    assert!(stage.granted().keep);
    let after = stage.wait_until_sent().as_secs_f64();
    assert!((24.0..=30.0).contains(&after), "{after}");
    assert_eq!(stage.sent_on(), (tcp(), "\r\n\r\n".into()));
    stage.receive(tcp(), "\r\n");
    assert!(stage.is_quiet());
}

/// A registration with outbound that stands over UDP, and its first Binding request.
fn probed() -> (Stage, Vec<u8>) {
    let mut stage = Stage::new();
    let (_, register) = stage.register(Registration { flow: udp(), ..outbound() });
    stage.receive(udp(), &respond(&register, "200 OK", "Require: outbound\n"));
    stage.granted();
    let probe = next_probe(&mut stage, 24.0..=29.0);
    (stage, probe)
}

fn next_probe(stage: &mut Stage, expected: std::ops::RangeInclusive<f64>) -> Vec<u8> {
    let after = stage.wait_until_sent().as_secs_f64();
    assert!(expected.contains(&after), "{after}");
    let (flow, probe) = stage.sent_bytes_on();
    assert_eq!(flow, udp());
    assert_eq!((probe.len(), &probe[..8]), (20, &b"\0\x01\0\0\x21\x12\xA4\x42"[..]));
    probe
}

/// The answer to a Binding request: the address 192.0.2.1 and a port, mixed with the cookie.
fn bound(probe: &[u8], port: u16) -> Vec<u8> {
    let mut answer = b"\x01\x01\0\x0C".to_vec();
    answer.extend(&probe[4..20]);
    answer.extend(b"\0\x20\0\x08\0\x01");
    answer.extend((port ^ 0x2112).to_be_bytes());
    answer.extend([192 ^ 0x21, 0x12, 2 ^ 0xA4, 1 ^ 0x42]);
    answer
}

#[test]
fn an_outbound_flow_over_udp_lives_on_answers_to_binding_requests() {
    let (mut stage, mut probe) = probed();
    for _ in 0..5 {
        stage.receive_bytes(udp(), &bound(&probe, 4_000));
        assert!(stage.is_quiet());
        probe = next_probe(&mut stage, 24.0..=29.0);
    }
    let strange: Vec<u8> = probe.iter().map(|byte| byte ^ 1).collect();
    stage.receive_bytes(udp(), &bound(&strange, 4_001));
    assert!(stage.is_quiet(), "an answer to something else");
}

#[test]
fn a_binding_request_that_is_not_answered_is_sent_seven_times_and_the_flow_is_lost() {
    let (mut stage, probe) = probed();
    for wait in [0.5, 1.0, 2.0, 4.0, 8.0, 16.0] {
        assert_eq!(next_probe(&mut stage, wait - 0.01..=wait + 0.01), probe);
    }
    stage.wait(7.9);
    assert!(stage.is_quiet());
    stage.wait(0.2);
    lost(&mut stage);
    stage.wait(20.0);
    assert!(stage.is_silent(), "no more of them");
}

#[test]
fn an_error_or_another_address_in_the_answer_loses_the_flow() {
    let (mut stage, probe) = probed();
    stage.receive_bytes(udp(), &bound(&probe, 4_000));
    let probe = next_probe(&mut stage, 24.0..=29.0);
    stage.receive_bytes(udp(), &bound(&probe, 4_001));
    lost(&mut stage);

    let (mut stage, probe) = probed();
    let refusal = [b"\x01\x11\0\0", &probe[4..]].concat();
    stage.receive_bytes(udp(), &refusal);
    lost(&mut stage);
    stage.receive_bytes(udp(), &refusal);
    assert!(stage.is_quiet(), "once");
}

#[test]
fn a_binding_request_is_answered_with_the_address_it_came_from() {
    let mut stage = Stage::new();
    let request = [&b"\0\x01\0\0\x21\x12\xA4\x42"[..], b"twelve bytes"].concat();
    stage.receive_bytes(udp(), &request);
    let (flow, answer) = stage.sent_bytes_on();
    assert_eq!(flow, udp());
    assert_eq!(answer[..2], [1, 1]);
    assert_eq!(answer[4..20], request[4..20]);
    let port = u16::from_be_bytes([answer[26], answer[27]]) ^ 0x2112;
    assert_eq!(port, udp().remote.port());

    let unknown = [b"\0\x01\0\x04\x21\x12\xA4\x42", &request[8..], b"\x7F\0\0\0"].concat();
    stage.receive_bytes(udp(), &unknown);
    let (_, refusal) = stage.sent_bytes_on();
    assert_eq!(refusal[..2], [1, 0x11]);
    assert!(refusal.ends_with(b"\0\x0A\0\x02\x7F\0\0\0"), "{refusal:x?}");
}

#[test]
fn a_removal_over_a_flow_that_fails_ends_with_503() {
    let mut stage = Stage::new();
    let (id, _) = stage.registered(plain());
    stage.agent.unregister(stage.now, id).unwrap();
    assert_eq!(field(&stage.sent(), "Expires"), "0");
    stage.agent.transport_failed(stage.now, udp());
    assert_eq!(stage.unregistered(), Some(503));
    stage.finish();
}
