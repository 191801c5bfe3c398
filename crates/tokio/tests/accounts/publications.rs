//! Published states.

use std::time::Duration;

use offhook_sip_message::{Event, HeaderName, Method, StatusCode};
use offhook_tokio::PublicationState;

use crate::{
    peer::{Peer, field},
    support::{endpoint, within},
};

#[tokio::test]
async fn a_state_is_published_updated_and_withdrawn_with_its_handle() {
    let (server, alice) = (Peer::new().await, endpoint("alice").await);
    let account = alice
        .account("sip:alice@example.com")
        .without_registrar()
        .proxy(&format!("sip:{};lr", server.address))
        .open()
        .await
        .unwrap();
    let hour = Duration::from_secs(600);
    let event = Event::new("presence");
    let published = account.publish(event, "application/pidf+xml", "<one/>", hour).await.unwrap();
    let expect = async |tag: &str, body: &str, expires: &str| {
        let (publish, from) = server.request(&Method::PUBLISH).await;
        let text = String::from_utf8_lossy(publish.as_bytes()).into_owned();
        assert!(text.starts_with("PUBLISH sip:alice@example.com"), "{text}");
        assert_eq!(field(&text, "SIP-If-Match"), tag);
        assert_eq!(field(&text, "Expires"), expires);
        assert!(text.ends_with(body), "{text}");
        let reply = server.reply(&publish, StatusCode::OK);
        let reply = reply.raw(HeaderName::SIP_ETAG, &format!("{tag}x"));
        let reply = reply.raw(HeaderName::EXPIRES, "600");
        server.say(from, reply.build().unwrap().as_bytes()).await;
    };
    expect("", "<one/>", "600").await;
    let is_published =
        |state: &PublicationState| *state == PublicationState::Published { expires: hour };
    within(published.states().wait_for(is_published)).await.unwrap();
    published.update("application/pidf+xml", "<two/>").await.unwrap();
    expect("x", "<two/>", "600").await;
    let copy = published.clone();
    drop(published);
    let withdrawn = tokio::spawn(async move { copy.withdraw().await });
    expect("xx", "", "0").await;
    assert_eq!(within(withdrawn).await.unwrap().unwrap(), Some(StatusCode::OK));

    let again = alice.publish(Event::new("presence"), "text/plain", "here", hour).await.unwrap();
    // The identity of the endpoint leads nowhere but to this host.
    drop(again);
}
