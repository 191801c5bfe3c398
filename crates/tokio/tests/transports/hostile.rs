//! Peers that send garbage, too much, too little or nothing.

use std::time::Duration;

use offhook_tokio::{Listener, StreamSettings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Peer, builder, listening, options, quiet, within};

#[tokio::test]
async fn a_stream_may_be_cut_at_any_byte() {
    let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
    let mut carol = Peer::connect(&bob).await;
    carol.stream.set_nodelay(true).unwrap();
    let length = options(1000).len();
    for cut in 1..length {
        let message = options(1000 + cut);
        let (first, second) = message.split_at(cut);
        carol.say(first.as_bytes()).await;
        tokio::task::yield_now().await;
        carol.say(second.as_bytes()).await;
        let answer = carol.hear_of("SIP/2.0 200").await;
        assert!(answer.contains(&format!("Call-ID: {}@", 1000 + cut)), "{answer}");
    }
    // And two messages and more may come at once.
    carol.say(format!("{}\r\n{}{}", options(1), options(2), &options(3)[..50]).as_bytes()).await;
    carol.hear_of("SIP/2.0 200").await;
    carol.hear_of("SIP/2.0 200").await;
    carol.say(&options(3).as_bytes()[50..]).await;
    carol.hear_of("SIP/2.0 200").await;
}

#[tokio::test]
async fn a_ping_is_answered_with_one_line_end() {
    let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
    let mut carol = Peer::connect(&bob).await;
    carol.say(b"\r\n\r\n").await;
    let mut pong = [0; 2];
    within(carol.stream.read_exact(&mut pong)).await.unwrap();
    assert_eq!(&pong, b"\r\n");
    carol.say(options(1).as_bytes()).await;
    assert!(carol.hear().await.unwrap().starts_with("SIP/2.0 200"), "nothing else came before");
}

#[tokio::test]
async fn who_connects_keeps_the_connection_alive() {
    let keep_alive = Some(Duration::from_millis(20));
    let settings = StreamSettings { keep_alive, ..StreamSettings::default() };
    let alice = builder("alice").streams(settings).start().await.unwrap();
    let door = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("sip:carol@{};transport=tcp", door.local_addr().unwrap());
    let _call = within(alice.call(&uri)).await.unwrap();
    let mut carol = Peer::of(within(door.accept()).await.unwrap().0);
    carol.hear_of("INVITE").await;
    for _ in 0..3 {
        let mut ping = [0; 4];
        within(carol.stream.read_exact(&mut ping)).await.unwrap();
        assert_eq!(&ping, b"\r\n\r\n");
        // Two pongs look like a ping, and are no reason to answer.
        carol.say(b"\r\n").await;
    }
}

#[tokio::test]
async fn garbage_ends_its_connection_and_no_other() {
    let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
    let mut carol = Peer::connect(&bob).await;
    let no_length = options(1).replace("Content-Length: 0\r\n", "");
    let endless_header = format!("OPTIONS sip:b@h SIP/2.0\r\nX: {}", "x".repeat(20_000));
    let many_headers = format!("OPTIONS sip:b@h SIP/2.0\r\n{}", "A: b\r\n".repeat(300));
    let long_body = options(2).replace("Length: 0", "Length: 99999999999999999999");
    let endless_line = "x".repeat(10_000);
    let bad = [no_length, endless_header, many_headers, long_body, endless_line];
    for (number, bad) in bad.iter().enumerate() {
        let mut mallory = Peer::connect(&bob).await;
        mallory.say(bad.as_bytes()).await;
        // What can be read so far as to be answered is (RFC 3261 §18.3).
        if matches!(number, 0 | 3) {
            let refusal = mallory.hear_of("SIP/2.0 4").await;
            assert!(refusal.contains("Content-Length") && refusal.contains(";tag="), "{refusal}");
        }
        assert_eq!(mallory.hear().await, None, "{bad}");
        assert_eq!(bob.stream_statistics().malformed, number as u64 + 1);
    }
    carol.say(options(1).as_bytes()).await;
    carol.hear_of("SIP/2.0 200").await;
}

#[tokio::test]
async fn a_peer_that_says_nothing_is_let_go() {
    let short = Duration::from_millis(50);
    let settings = StreamSettings { connect_time: short, idle_time: short, ..quiet() };
    let bob = builder("bob")
        .streams(settings)
        .listen(Listener::tcp("127.0.0.1:0"))
        .listen(Listener::ws("127.0.0.1:0"))
        .start()
        .await
        .unwrap();
    let mut silent = Peer::connect(&bob).await;
    assert_eq!(silent.hear().await, None);
    // Bytes that never become a message count as silence.
    let mut slow = Peer::connect(&bob).await;
    let dripping = async {
        while slow.stream.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    within(dripping).await;
    let mut talker = Peer::connect(&bob).await;
    talker.say(options(1).as_bytes()).await;
    talker.hear_of("SIP/2.0 200").await;
    assert_eq!(talker.hear().await, None);
    assert_eq!(bob.stream_statistics().idle, 3);
    let address = bob.address_of(offhook_sansio::Protocol::Ws).unwrap();
    let mut no_handshake = Peer::of(tokio::net::TcpStream::connect(address).await.unwrap());
    assert_eq!(no_handshake.hear().await, None);
    assert_eq!(bob.stream_statistics().failed_handshakes, 1);
}

#[tokio::test]
async fn a_peer_that_takes_nothing_is_not_written_for_without_end() {
    let settings = StreamSettings { write_queue: 20_000, ..quiet() };
    let listener = Listener::tcp("127.0.0.1:0");
    let bob = builder("bob").streams(settings).listen(listener).start().await.unwrap();
    let mut carol = Peer::connect(&bob).await;
    let flood = async {
        for number in 0.. {
            carol.say(options(number).as_bytes()).await;
            if bob.stream_statistics().unsent > 0 {
                return;
            }
        }
    };
    within(flood).await;
}
