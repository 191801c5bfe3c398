//! How many connections there are, and who uses which.

use offhook_sansio::Protocol;
use offhook_tokio::{Error, Listener, StreamSettings};

use crate::support::{
    Peer, builder, closed, listening, options, quiet, request, standing, uri, within,
};

#[tokio::test]
async fn a_connection_is_used_again_for_the_same_target() {
    let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
    let alice = builder("alice").start().await.unwrap();
    for _ in 0..3 {
        let (placed, _taken) = standing(&alice, &bob, &uri(&bob, Protocol::Tcp)).await;
        within(placed.hang_up()).await.unwrap();
    }
    assert_eq!(alice.stream_statistics().connected, 1);
    assert_eq!(bob.stream_statistics().accepted, 1);
}

#[tokio::test]
async fn two_calls_at_once_share_one_connection() {
    let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
    let alice = builder("alice").start().await.unwrap();
    let uri = uri(&bob, Protocol::Tcp);
    let (one, other) = within(async { tokio::join!(alice.call(&uri), alice.call(&uri)) }).await;
    let (_one, _other) = (one.unwrap(), other.unwrap());
    within(bob.incoming()).await.unwrap();
    within(bob.incoming()).await.unwrap();
    assert_eq!(alice.stream_statistics().connected, 1);
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_there_is_room_again_later() {
    let settings = StreamSettings { max_accepted: 2, ..quiet() };
    let listener = Listener::tcp("127.0.0.1:0");
    let bob = builder("bob").streams(settings).listen(listener).start().await.unwrap();
    let mut first = Peer::connect(&bob).await;
    let mut second = Peer::connect(&bob).await;
    for (number, peer) in [&mut first, &mut second].into_iter().enumerate() {
        peer.say(options(number).as_bytes()).await;
        peer.hear_of("SIP/2.0 200").await;
    }
    let mut third = Peer::connect(&bob).await;
    assert_eq!(third.hear().await, None);
    assert_eq!(bob.stream_statistics().refused, 1);

    drop(first);
    let again = async {
        loop {
            let mut fourth = Peer::connect(&bob).await;
            if fourth.hear_after(&options(7)).await.is_some() {
                return;
            }
        }
    };
    within(again).await;
    second.say(options(8).as_bytes()).await;
    second.hear_of("SIP/2.0 200").await;
}

#[tokio::test]
async fn calls_find_no_more_connections_than_allowed() {
    let settings = StreamSettings { max_connected: 1, ..quiet() };
    let alice = builder("alice").streams(settings).start().await.unwrap();
    let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
    let carol = listening("carol", Listener::tcp("127.0.0.1:0")).await;
    let _call = within(alice.call(&uri(&bob, Protocol::Tcp))).await.unwrap();
    let refused = within(alice.call(&uri(&carol, Protocol::Tcp))).await;
    let Err(Error::Unreachable { reason, .. }) = refused else { panic!("{refused:?}") };
    assert!(reason.contains("too many"), "{reason}");
}

#[tokio::test]
async fn responses_to_strangers_leave_connections_for_calls() {
    let settings = StreamSettings { max_connected: 2, ..quiet() };
    let listener = Listener::tcp("127.0.0.1:0");
    let bob = builder("bob").streams(settings).listen(listener).start().await.unwrap();
    let mut doors = Vec::new();
    for number in 1..=2 {
        let door = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let sent_by = door.local_addr().unwrap();
        let mut stranger = Peer::connect(&bob).await;
        let contact = format!("sip:carol@{sent_by};transport=tcp");
        let invite = request("INVITE", number, &format!("TCP {sent_by}"), &contact);
        stranger.say(invite.as_bytes()).await;
        let taken = within(bob.incoming()).await.unwrap();
        stranger.hear_of("SIP/2.0 100").await;
        drop(stranger);
        closed(&bob, number as u64).await;
        taken.ring().await.unwrap();
        doors.push((door, taken));
    }
    within(doors[1].1.ended()).await.unwrap();
    let alice = listening("alice", Listener::tcp("127.0.0.1:0")).await;
    let _call = within(bob.call(&uri(&alice, Protocol::Tcp))).await.unwrap();
    assert_eq!(bob.stream_statistics().unsent, 2, "the ringing of the second, and its refusal");
    assert_eq!(bob.stream_statistics().connected, 2);
}
