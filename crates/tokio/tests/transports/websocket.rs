//! WebSocket peers by hand (RFC 7118).

use futures_util::{SinkExt, StreamExt};
use offhook_sansio::Protocol;
use offhook_tokio::{Endpoint, Listener};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{ClientRequestBuilder, Error, Message, http::Uri},
};

use crate::support::{listening, request, within};

type Socket = WebSocketStream<TcpStream>;

async fn connect(bob: &Endpoint, subprotocol: Option<&str>) -> Result<Socket, Error> {
    let address = bob.address_of(Protocol::Ws).unwrap();
    let uri: Uri = format!("ws://{address}/").parse().unwrap();
    let request = ClientRequestBuilder::new(uri);
    let request = match subprotocol {
        Some(name) => request.with_sub_protocol(name),
        None => request,
    };
    let stream = TcpStream::connect(address).await.unwrap();
    Ok(client_async(request, stream).await?.0)
}

fn options(number: usize) -> String {
    request("OPTIONS", number, "WS x7.invalid", "sip:carol@x7.invalid;transport=ws")
}

async fn next(socket: &mut Socket) -> Message {
    within(socket.next()).await.unwrap().unwrap()
}

#[tokio::test]
async fn text_and_binary_messages_are_answered_on_their_connection() {
    let bob = listening("bob", Listener::ws("127.0.0.1:0")).await;
    let mut carol = connect(&bob, Some("sip")).await.unwrap();
    for (number, message) in
        [Message::text(options(1)), Message::binary(options(2))].into_iter().enumerate()
    {
        carol.send(message).await.unwrap();
        let answer = next(&mut carol).await.into_text().unwrap();
        assert!(answer.starts_with("SIP/2.0 200"), "{answer}");
        assert!(answer.contains(&format!("Call-ID: {}@", number + 1)), "{answer}");
    }
}

#[tokio::test]
async fn pings_of_both_kinds_are_answered() {
    let bob = listening("bob", Listener::ws("127.0.0.1:0")).await;
    let mut carol = connect(&bob, Some("sip")).await.unwrap();
    carol.send(Message::Ping("hello".into())).await.unwrap();
    assert_eq!(next(&mut carol).await, Message::Pong("hello".into()));
    carol.send(Message::text("\r\n\r\n")).await.unwrap();
    assert_eq!(next(&mut carol).await, Message::text("\r\n"));
}

#[tokio::test]
async fn a_client_that_does_not_offer_sip_is_refused() {
    let bob = listening("bob", Listener::ws("127.0.0.1:0")).await;
    for subprotocol in [None, Some("xmpp")] {
        let Err(Error::Http(response)) = connect(&bob, subprotocol).await else { panic!("taken") };
        assert_eq!(response.status(), 400);
    }
    assert!(connect(&bob, Some("xmpp, sip")).await.is_ok());
    assert_eq!(bob.stream_statistics().failed_handshakes, 2);
}

#[tokio::test]
async fn a_message_over_the_limits_ends_the_connection_and_a_bad_one_only_itself() {
    let bob = listening("bob", Listener::ws("127.0.0.1:0")).await;
    let mut carol = connect(&bob, Some("sip")).await.unwrap();
    carol.send(Message::text("no SIP at all")).await.unwrap();
    carol.send(Message::text("")).await.unwrap();
    carol.send(Message::text(options(1))).await.unwrap();
    assert!(next(&mut carol).await.into_text().unwrap().starts_with("SIP/2.0 200"));
    // The far end may close before all of it is written.
    let _ = carol.send(Message::text("x".repeat(70_000))).await;
    let end = async { while let Some(Ok(_)) = carol.next().await {} };
    within(end).await;
    assert_eq!(bob.stream_statistics().malformed, 1);
}
