//! A whole call with sound over each transport.

use offhook_sansio::Protocol;
use offhook_tokio::Listener;

use crate::support::{Authority, builder, has_ipv6, listening, talk, uri};

#[tokio::test]
async fn a_call_goes_over_udp_of_ipv6() {
    if !has_ipv6() {
        return;
    }
    let alice = listening("alice", Listener::udp("[::1]:0")).await;
    let bob = listening("bob", Listener::udp("[::1]:0")).await;
    talk(&alice, &bob, &uri(&bob, Protocol::Udp), false).await;
}

#[tokio::test]
async fn a_call_goes_over_tcp_whoever_hangs_up() {
    for bob_hangs_up in [false, true] {
        let alice = listening("alice", Listener::tcp("127.0.0.1:0")).await;
        let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
        talk(&alice, &bob, &uri(&bob, Protocol::Tcp), bob_hangs_up).await;
        assert_eq!(alice.stream_statistics().connected, 1);
    }
}

#[tokio::test]
async fn a_client_needs_no_listener() {
    for bob_hangs_up in [false, true] {
        let alice = builder("alice").start().await.unwrap();
        let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
        talk(&alice, &bob, &uri(&bob, Protocol::Tcp), bob_hangs_up).await;
        assert_eq!(bob.stream_statistics().connected, 0, "all went over Alice's connection");
    }
}

#[tokio::test]
async fn a_call_goes_over_websocket_whoever_hangs_up() {
    for bob_hangs_up in [false, true] {
        let alice = builder("alice").start().await.unwrap();
        let bob = listening("bob", Listener::ws("127.0.0.1:0")).await;
        talk(&alice, &bob, &uri(&bob, Protocol::Ws), bob_hangs_up).await;
    }
}

#[tokio::test]
async fn a_call_goes_over_tls_and_secure_websocket() {
    let authority = Authority::new();
    for protocol in [Protocol::Tls, Protocol::Wss] {
        let alice = builder("alice").client_tls(authority.client()).start().await.unwrap();
        let tls = authority.server(&["127.0.0.1"]);
        let listener = match protocol {
            Protocol::Tls => Listener::tls("127.0.0.1:0", tls),
            _ => Listener::wss("127.0.0.1:0", tls),
        };
        let bob = listening("bob", listener).await;
        talk(&alice, &bob, &uri(&bob, protocol), protocol == Protocol::Tls).await;
    }
}

#[tokio::test]
async fn one_endpoint_listens_on_many_transports_and_both_ip_versions() {
    if !has_ipv6() {
        return;
    }
    let bob = builder("bob")
        .listen(Listener::tcp("127.0.0.1:0"))
        .listen(Listener::udp("[::1]:0"))
        .listen(Listener::ws("[::1]:0"))
        .bind("127.0.0.1:0")
        .await
        .unwrap();
    let alice = builder("alice")
        .listen(Listener::udp("127.0.0.1:0"))
        .listen(Listener::udp("[::1]:0"))
        .start()
        .await
        .unwrap();
    let spoken: Vec<_> = bob.local_addresses().collect();
    assert_eq!(spoken.len(), 4);
    assert_eq!(spoken[0], (Protocol::Udp, bob.local_address()));
    for (protocol, address) in spoken {
        let transport = protocol.as_str().to_ascii_lowercase();
        talk(&alice, &bob, &format!("sip:bob@{address};transport={transport}"), true).await;
    }
}
