//! Redirected calls.

use offhook_sip_message::{HeaderName, Method, StatusCode};
use offhook_tokio::Endpoint;

use crate::{
    peer::Peer,
    support::{builder, endpoint, uri, within},
};

/// The peer redirects the next call to these contacts.
async fn redirect(peer: &Peer, contacts: &str) {
    let (invite, from) = peer.request(&Method::INVITE).await;
    let moved = offhook_sip_message::Response::reply_to(&invite, StatusCode::MOVED_TEMPORARILY);
    let moved = moved.to_tag("moved").raw(HeaderName::CONTACT, contacts);
    peer.say(from, moved.build().unwrap().as_bytes()).await;
}

async fn following(most: u8) -> Endpoint {
    builder("alice").redirects(most).bind("127.0.0.1:0").await.unwrap()
}

#[tokio::test]
async fn a_redirected_call_goes_on_at_the_most_wanted_target_that_can_be_had() {
    let (alice, bob, peer) = (following(3).await, endpoint("bob").await, Peer::new().await);
    let placed = within(alice.call(&uri("bob", peer.address))).await.unwrap();
    let tcp = bob.address_of(offhook_sansio::Protocol::Tcp).unwrap();
    // The first has no address, the second another transport than the call so far.
    let contacts = format!(
        "<sip:bob@nowhere.invalid>;q=0.9, <sip:bob@{tcp};transport=tcp>;q=0.5, <sip:x@192.0.2.1>;q=0.1"
    );
    redirect(&peer, &contacts).await;
    let taken = within(bob.incoming()).await.unwrap();
    taken.answer().await.unwrap();
    within(placed.answered()).await.unwrap();
    within(placed.hang_up()).await.unwrap();
    assert_eq!(within(taken.ended()).await.unwrap().status(), None);
}

#[tokio::test]
async fn a_redirect_ends_the_call_unless_the_settings_say_otherwise() {
    let (alice, peer) = (endpoint("alice").await, Peer::new().await);
    let placed = within(alice.call(&uri("bob", peer.address))).await.unwrap();
    redirect(&peer, "<sip:bob@192.0.2.1>").await;
    let ended = within(placed.ended()).await.unwrap();
    assert_eq!(ended.status(), Some(StatusCode::MOVED_TEMPORARILY));
}

#[tokio::test]
async fn only_so_many_redirects_are_followed() {
    let (alice, peer) = (following(2).await, Peer::new().await);
    let placed = within(alice.call(&uri("bob", peer.address))).await.unwrap();
    for number in 0..3 {
        redirect(&peer, &format!("<sip:bob{number}@{}>", peer.address)).await;
        peer.request(&Method::ACK).await;
    }
    let ended = within(placed.ended()).await.unwrap();
    assert_eq!(ended.status(), Some(StatusCode::MOVED_TEMPORARILY));
}

#[tokio::test]
async fn a_redirect_that_leads_nowhere_ends_the_call() {
    let (alice, peer) = (following(2).await, Peer::new().await);
    let placed = within(alice.call(&uri("bob", peer.address))).await.unwrap();
    redirect(&peer, "<sip:bob@nowhere.invalid>").await;
    within(placed.ended()).await.unwrap();
    within(alice.shutdown()).await;
}
