//! Requests outside of calls, both ways.

use bytes::Bytes;
use offhook_sip::RequestFailure;
use offhook_sip_message::{Allow, Method, StatusCode};
use offhook_tokio::{Dns, Error, Listener};

use crate::{
    peer::{Peer, field},
    support::{builder, endpoint, uri, within},
};

#[tokio::test]
async fn messages_go_both_ways_and_each_learns_what_became_of_them() {
    let [alice, bob] =
        ["alice", "bob"].map(|name| builder(name).answer_requests([Method::MESSAGE]));
    let (alice, bob) = (alice.bind("127.0.0.1:0").await, bob.bind("127.0.0.1:0").await);
    let (alice, bob) = (alice.unwrap(), bob.unwrap());
    for (sender, receiver, name) in [(&alice, &bob, "bob"), (&bob, &alice, "alice")] {
        let to = uri(name, receiver.local_address());
        let taken = async {
            let message = within(receiver.incoming_request()).await.unwrap();
            assert_eq!(message.method(), Method::MESSAGE);
            assert_eq!(message.text().as_deref(), Some("grüß dich"));
            assert_eq!(message.from(), sender.identity());
            assert_eq!(message.to().uri.to_string(), format!("sip:{name}@127.0.0.1"));
            message.accept().await
        };
        let (sent, taken) = tokio::join!(sender.message(&to, "grüß dich"), taken);
        sent.unwrap();
        taken.unwrap();
    }
    let to = uri("bob", bob.local_address());
    let refused = async {
        let message = within(bob.incoming_request()).await.unwrap();
        assert_eq!(message.text(), None);
        assert_eq!(message.body(), Bytes::from_static(b"{}"));
        message.reject(StatusCode::DECLINE).await
    };
    let (sent, refused) = tokio::join!(alice.message_with(&to, "application/json", "{}"), refused);
    refused.unwrap();
    assert!(matches!(sent, Err(Error::Refused { status: StatusCode::DECLINE })), "{sent:?}");

    let forgotten = async { drop(within(bob.incoming_request()).await.unwrap()) };
    let (sent, ()) = tokio::join!(alice.message(&to, "hello"), forgotten);
    let unavailable = StatusCode::TEMPORARILY_UNAVAILABLE;
    assert!(matches!(sent, Err(Error::Refused { status }) if status == unavailable), "{sent:?}");
}

#[tokio::test]
async fn who_takes_no_messages_refuses_them() {
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let sent = within(alice.message(&uri("bob", bob.local_address()), "hello")).await;
    let Err(Error::Refused { status }) = sent else { panic!("{sent:?}") };
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn options_tell_whether_the_far_side_is_there_and_what_it_can_do() {
    let (alice, bob) = (endpoint("alice").await, endpoint("bob").await);
    let response = within(alice.options(&uri("bob", bob.local_address()))).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers_of::<Allow>().flatten().any(|Allow(it)| it == Method::INVITE));
    let nobody = Peer::new().await;
    let silent = within(alice.options(&uri("bob", nobody.address))).await;
    assert!(matches!(silent, Err(Error::NoResponse(RequestFailure::TimedOut))), "{silent:?}");
    assert!(matches!(alice.options("sip:b@h;transport=x").await, Err(Error::Uri { .. })));
}

#[tokio::test]
async fn a_large_message_goes_over_a_stream_if_there_is_one() {
    let bob =
        builder("bob").answer_requests([Method::MESSAGE]).listen(Listener::udp("127.0.0.1:0"));
    let bob = bob.start().await.unwrap();
    let alice = endpoint("alice").await;
    let text = "x".repeat(2_000);
    // Nobody takes TCP there: the message goes as a datagram after all.
    let to = uri("bob", bob.local_address());
    let taken = async { within(bob.incoming_request()).await.unwrap().accept().await };
    let (sent, taken) = tokio::join!(alice.message(&to, &text), taken);
    sent.unwrap();
    taken.unwrap();
    assert_eq!(alice.stream_statistics().failed_connects, 1);
}

#[tokio::test]
async fn a_message_is_sent_elsewhere_if_a_server_is_unavailable() {
    // The same port at two addresses of the one name.
    let first = Peer::new().await;
    let second = Peer::at(format!("127.0.0.2:{}", first.address.port()).parse().unwrap()).await;
    let hosts = ["127.0.0.1", "127.0.0.2"].map(|host| host.parse().unwrap());
    let dns = Dns::system().host("messages.example", hosts);
    let alice = builder("alice").dns(dns).bind("0.0.0.0:0").await.unwrap();
    let to = format!("sip:bob@messages.example:{}", first.address.port());
    for last in [StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE] {
        let answers = async {
            let (message, from) = first.request(&Method::MESSAGE).await;
            first.respond(from, &message, StatusCode::SERVICE_UNAVAILABLE, None).await;
            let (again, from) = second.request(&Method::MESSAGE).await;
            let text = String::from_utf8_lossy(again.as_bytes()).into_owned();
            assert_eq!(field(&text, "Content-Type"), "text/plain");
            assert_ne!(again.via().branch(), message.via().branch());
            second.respond(from, &again, last, None).await;
        };
        let (sent, ()) = tokio::join!(alice.message(&to, "hello"), answers);
        match (last, sent) {
            (StatusCode::OK, Ok(())) => {}
            (StatusCode::SERVICE_UNAVAILABLE, Err(Error::Refused { status })) if status == last => {
            }
            (_, other) => panic!("{other:?}"),
        }
    }
}
