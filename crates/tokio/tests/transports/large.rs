//! Requests that are too large for a datagram (RFC 3261 §18.1.1).

use offhook_sansio::Protocol;
use offhook_tokio::{Endpoint, Listener};

use crate::support::{builder, talk};

async fn talkative() -> Endpoint {
    let name = "x".repeat(1_300);
    builder("alice").display_name(&name).bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn a_large_invite_goes_by_tcp_if_the_target_has_it() {
    let alice = talkative().await;
    // One port for both, as a server has.
    let bob = loop {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let address = free.to_string();
        let both = builder("bob").listen(Listener::tcp(&address)).bind(&address).await;
        if let Ok(bob) = both {
            break bob;
        }
    };
    talk(&alice, &bob, &format!("sip:bob@{}", bob.local_address()), false).await;
    assert_eq!(bob.stream_statistics().accepted, 1);
    assert!(bob.address_of(Protocol::Tcp).is_some());
}

#[tokio::test]
async fn a_large_invite_goes_as_a_datagram_if_tcp_is_refused() {
    let alice = talkative().await;
    let bob = builder("bob").bind("127.0.0.1:0").await.unwrap();
    talk(&alice, &bob, &format!("sip:bob@{}", bob.local_address()), false).await;
    assert_eq!(alice.stream_statistics().failed_connects, 1);
}
