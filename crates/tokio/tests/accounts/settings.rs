//! Every setting of an endpoint is seen on the wire.

use std::time::{Duration, Instant};

use offhook_sdp::Codec;
use offhook_sip::{Config, ReliableProvisionals};
use offhook_sip_message::{Method, StatusCode};
use offhook_tokio::{Builder, Endpoint, Error};

use crate::{
    peer::{Peer, field, sdp, with_body, without_body},
    support::{T1, builder, endpoint, sip, uri, within},
};

/// The INVITE of an endpoint with these settings.
async fn invite(builder: Builder) -> String {
    let peer = Peer::new().await;
    let alice = builder.bind("127.0.0.1:0").await.unwrap();
    let _call = within(alice.call(&uri("bob", peer.address))).await.unwrap();
    peer.hear().await.0
}

#[tokio::test]
async fn the_settings_of_an_endpoint_are_seen_in_its_invite() {
    let plain = invite(builder("alice")).await;
    assert!(field(&plain, "User-Agent").starts_with("offhook/"));
    assert!(field(&plain, "From").starts_with("<sip:alice@127.0.0.1>"));
    assert_eq!(field(&plain, "Require"), "");
    assert_eq!(field(&plain, "Supported"), "100rel, timer, replaces");
    assert!(!field(&plain, "Allow").contains("MESSAGE"));
    assert!(plain.contains("RTP/AVP 0 8\r\n") && plain.contains("a=ptime:20\r\n"));

    let text = invite(builder("alice").user_agent("desk/1")).await;
    assert_eq!(field(&text, "User-Agent"), "desk/1");
    assert_eq!(field(&invite(builder("alice").user_agent("")).await, "User-Agent"), "");
    let text = invite(builder("alice").display_name("Alice")).await;
    assert!(field(&text, "From").starts_with("Alice <sip:alice@127.0.0.1>"));
    let required = builder("alice").reliable_provisionals(ReliableProvisionals::Required);
    assert_eq!(field(&invite(required).await, "Require"), "100rel");
    let off = builder("alice").reliable_provisionals(ReliableProvisionals::Off);
    assert_eq!(field(&invite(off).await, "Supported"), "timer, replaces");
    let text = invite(builder("alice").answer_requests([Method::MESSAGE, Method::INFO])).await;
    assert!(field(&text, "Allow").ends_with("MESSAGE, INFO"), "{text}");
    let text = invite(builder("alice").codecs([Codec::pcma()])).await;
    assert!(text.contains("RTP/AVP 8\r\n"));
    let text = invite(builder("alice").frame_time(Duration::from_millis(30))).await;
    assert!(text.contains("a=ptime:30\r\n"));
    let text = invite(builder("alice").media_ports(30_000..=30_001)).await;
    assert!(text.contains("m=audio 30000 "));
    let allow = vec![Method::INVITE, Method::ACK, Method::BYE, Method::CANCEL];
    let text = invite(builder("alice").sip(Config { allow, ..sip() })).await;
    assert_eq!(field(&text, "Allow"), "INVITE, ACK, BYE, CANCEL");
}

#[tokio::test]
async fn a_mapped_address_is_what_peers_are_told() {
    let free = std::net::UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let public = "192.0.2.1:5066".parse().unwrap();
    let peer = Peer::new().await;
    let builder = builder("alice").map_address(free, public);
    let alice = builder.bind(&free.to_string()).await.unwrap();
    let _call = within(alice.call(&uri("bob", peer.address))).await.unwrap();
    let text = peer.hear().await.0;
    assert_eq!(field(&text, "Contact"), "<sip:alice@192.0.2.1:5066>");
    assert!(field(&text, "Via").starts_with("SIP/2.0/UDP 192.0.2.1:5066;"));
}

#[tokio::test]
async fn the_limits_of_an_endpoint_hold() {
    let one = Config { max_calls: 1, max_requests: 1, max_registrations: 1, ..sip() };
    let alice = builder("alice").sip(one).bind("127.0.0.1:0").await.unwrap();
    let peer = Peer::new().await;
    let target = uri("bob", peer.address);
    let _call = within(alice.call(&target)).await.unwrap();
    assert!(matches!(within(alice.call(&target)).await, Err(Error::Core(_))));
    // And for those who call.
    let address = alice.local_address();
    let head = peer.compose("INVITE", 1, &uri("alice", address), "<sip:alice@127.0.0.1>");
    peer.say(address, &with_body(&head, &sdp(1, 4000, ""))).await;
    peer.response(503).await;
    let (first, second) = tokio::join!(alice.options(&target), alice.options(&target));
    let refused = [first, second].into_iter().filter(|it| matches!(it, Err(Error::Core(_))));
    assert_eq!(refused.count(), 1);
}

#[tokio::test]
async fn the_timers_and_the_parser_of_an_endpoint_are_settings() {
    let peer = Peer::new().await;
    let slow = Config { t1: 10 * T1, ..sip() };
    let alice = builder("alice").sip(slow).bind("127.0.0.1:0").await.unwrap();
    let begun = Instant::now();
    let _call = within(alice.call(&uri("bob", peer.address))).await.unwrap();
    peer.hear().await;
    peer.hear().await;
    assert!(begun.elapsed() >= 10 * T1, "{:?}", begun.elapsed());

    let mut strict = sip();
    strict.parse.limits.message = 500;
    let bob = builder("bob").sip(strict).bind("127.0.0.1:0").await.unwrap();
    let head = peer.compose("OPTIONS", 1, &uri("bob", bob.local_address()), "<sip:bob@127.0.0.1>");
    let long = format!("{head}\r\nSubject: {}", "x".repeat(500));
    peer.say(bob.local_address(), &without_body(&long)).await;
    peer.say(bob.local_address(), &without_body(&head)).await;
    let answer = peer.response(200).await;
    assert_eq!(field(&answer, "Subject"), "");
    let accept = Config { accept: vec!["application/sdp".into(), "text/html".into()], ..sip() };
    let carol = builder("carol").sip(accept).bind("127.0.0.1:0").await.unwrap();
    let alice = endpoint("alice").await;
    let response = within(alice.options(&uri("carol", carol.local_address()))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(String::from_utf8_lossy(response.as_bytes()).contains("Accept: text/html\r\n"));
}

#[tokio::test]
async fn a_100_is_sent_to_who_waits_for_more_than_200_ms() {
    let peer = Peer::new().await;
    let bob = Endpoint::builder("sip:bob@127.0.0.1").bind("127.0.0.1:0").await.unwrap();
    let (address, target) = (bob.local_address(), uri("bob", bob.local_address()));
    let mut kept = Vec::new();
    for (number, pause) in [(1, 0), (2, 300)] {
        let head = peer.compose("INVITE", number, &target, "<sip:bob@127.0.0.1>");
        let head = head.replace("Call-ID: peer", &format!("Call-ID: {number}"));
        let sent = Instant::now();
        peer.say(address, &with_body(&head, &sdp(1, 4000, ""))).await;
        let call = within(bob.incoming()).await.unwrap();
        let ringing = async {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            call.ring().await.unwrap();
        };
        let hearing = async {
            let (first, _) = peer.hear().await;
            (first, sent.elapsed())
        };
        let ((), (first, after)) = tokio::join!(ringing, hearing);
        match pause {
            0 => assert!(first.starts_with("SIP/2.0 180 "), "{first}"),
            _ => {
                assert!(first.starts_with("SIP/2.0 100 "), "{first}");
                assert!(after >= Duration::from_millis(200), "{after:?}");
                peer.response(180).await;
            }
        }
        kept.push(call);
    }
}
