//! Calls and requests that come say which account they are for.

use offhook_sansio::Protocol;
use offhook_sip_message::Method;
use offhook_tokio::Account;

use crate::{
    peer::{Peer, field, sdp, tagged, with_body, without_body},
    registrar::{Registrar, Ways},
    support::{builder, within},
};

#[tokio::test]
async fn a_call_to_a_registered_contact_is_for_its_account() {
    let registrar = Registrar::udp(Ways::default()).await;
    let bob = builder("bob").answer_requests([Method::MESSAGE]);
    let bob = bob.bind("127.0.0.1:0").await.unwrap();
    let open = async |address: &str| -> Account {
        let account = bob.account(address).registrar(&registrar.uri()).open().await.unwrap();
        within(account.registered()).await.unwrap();
        account
    };
    let (home, work) = (open("sip:bob@example.com").await, open("sip:work@example.com").await);
    // The same user elsewhere has the same contact: the To tells.
    let other = open("sip:bob@example.org").await;
    let peer = Peer::new().await;
    let address = bob.local_address();
    let cases = [
        (format!("sip:bob@{address}"), "<sip:bob@example.com>", Some(home.id())),
        (format!("sip:bob@{address};x=y"), "<sip:bob@example.org>", Some(other.id())),
        (format!("sip:work@{address}"), "<sip:bob@example.com>", Some(work.id())),
        (format!("sip:nobody@{address}"), "<sip:bob@example.com>", None),
    ];
    for (number, (uri, to, expected)) in (1..).zip(cases) {
        let head = peer.compose("INVITE", number, &uri, to).replace("peer@", &format!("{number}@"));
        peer.say(address, &with_body(&head, &sdp(1, 4000, ""))).await;
        let call = within(bob.incoming()).await.unwrap();
        assert_eq!(call.account(), expected, "{uri}");
        drop(call);
        peer.response(480).await;
        let head =
            peer.compose("MESSAGE", number, &uri, to).replace("peer@", &format!("{number}@"));
        peer.say(address, &without_body(&head.replace("\r\nContact", "\r\nX-Contact"))).await;
        let message = within(bob.incoming_request()).await.unwrap();
        assert_eq!(message.account(), expected, "{uri}");
        message.accept().await.unwrap();
        peer.response(200).await;
    }
}

#[tokio::test]
async fn a_call_comes_over_the_connection_of_the_registration() {
    let mut registrar = Registrar::tcp(Ways::default()).await;
    // It has no other way in.
    let bob = builder("bob").start().await.unwrap();
    let builder = bob.account("sip:bob@example.com").registrar(&registrar.uri());
    let account = builder.transport(Protocol::Tcp).open().await.unwrap();
    let registered = within(account.registered()).await.unwrap();
    let peer = Peer::new().await;
    let uri = registered.contact.to_string();
    let head = peer.compose("INVITE", 1, &uri, "<sip:bob@example.com>").replace("/UDP", "/TCP");
    registrar.say(with_body(&head, &sdp(1, 4000, "")));
    let call = within(bob.incoming()).await.unwrap();
    assert_eq!(call.account(), Some(account.id()));
    call.answer().await.unwrap();
    let answer = registrar.heard_of(|text| text.starts_with("SIP/2.0 200")).await;
    let to = tagged(&answer);
    let target = field(&answer, "Contact").trim_matches(['<', '>']).to_owned();
    let ack = peer.compose("ACK", 1, &target, &to).replace("/UDP", "/TCP");
    registrar.say(without_body(&ack));
    within(call.answered()).await.unwrap();
}
