//! Connections that are lost while they are needed (RFC 3261 §18.2.2, §18.4).

use offhook_sansio::Protocol;
use offhook_sip_message::StatusCode;
use offhook_tokio::{Dns, Error, Listener};
use tokio::net::TcpListener;

use crate::support::{
    Authority, Peer, Wire, builder, closed, listening, request, standing, within,
};

#[tokio::test]
async fn a_response_goes_to_the_sent_by_when_its_connection_is_gone() {
    let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let sent_by = door.local_addr().unwrap();
    let mut carol = Peer::connect(&bob).await;
    let contact = format!("sip:carol@{sent_by};transport=tcp");
    let invite = request("INVITE", 1, &format!("TCP {sent_by}"), &contact);
    carol.say(invite.as_bytes()).await;
    let taken = within(bob.incoming()).await.unwrap();
    carol.hear_of("SIP/2.0 100").await;
    drop(carol);
    closed(&bob, 1).await;
    taken.ring().await.unwrap();
    let mut again = Peer::of(within(door.accept()).await.unwrap().0);
    again.hear_of("SIP/2.0 180").await;
    taken.reject(StatusCode::BUSY_HERE).await.unwrap();
    again.hear_of("SIP/2.0 486").await;
    assert_eq!(bob.stream_statistics().connected, 1, "one connection for both");
}

#[tokio::test]
async fn a_call_that_rings_for_a_caller_who_is_gone_ends() {
    let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut carol = Peer::connect(&bob).await;
    let contact = format!("sip:carol@{nobody};transport=tcp");
    carol.say(request("INVITE", 1, &format!("TCP {nobody}"), &contact).as_bytes()).await;
    let taken = within(bob.incoming()).await.unwrap();
    carol.hear_of("SIP/2.0 100").await;
    drop(carol);
    closed(&bob, 1).await;
    taken.ring().await.unwrap();
    let ended = within(taken.ended()).await.unwrap();
    assert_eq!(ended.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
}

#[tokio::test]
async fn a_request_goes_over_a_new_connection_when_its_own_is_gone() {
    let alice = builder("alice").start().await.unwrap();
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = door.local_addr().unwrap();
    let call = within(alice.call(&format!("sip:carol@{address};transport=tcp"))).await.unwrap();
    let mut carol = Peer::of(within(door.accept()).await.unwrap().0);
    let invite = carol.hear_of("INVITE").await;
    assert!(!invite.contains(&format!("{address};branch")), "{invite}");
    let contact = format!("sip:carol@{address};transport=tcp");
    carol.say(answer(&invite, &contact).as_bytes()).await;
    carol.hear_of("ACK").await;
    within(call.answered()).await.unwrap();
    drop(carol);
    closed(&alice, 1).await;
    let hanging_up = tokio::spawn(async move { call.hang_up().await });
    let mut again = Peer::of(within(door.accept()).await.unwrap().0);
    let bye = again.hear_of("BYE").await;
    again.say(ok(&bye).as_bytes()).await;
    assert_eq!(within(hanging_up).await.unwrap().unwrap().status(), None);
}

#[tokio::test]
async fn a_call_whose_connection_is_lost_before_anything_came_back_fails_at_once() {
    let alice = builder("alice").start().await.unwrap();
    let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("sip:carol@{};transport=tcp", door.local_addr().unwrap());
    let call = within(alice.call(&uri)).await.unwrap();
    let mut carol = Peer::of(within(door.accept()).await.unwrap().0);
    carol.hear_of("INVITE").await;
    drop(carol);
    let Err(Error::Ended(ended)) = within(call.answered()).await else { panic!("answered") };
    assert_eq!(ended.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
}

#[tokio::test]
async fn both_sides_can_hang_up_after_the_connection_between_them_was_lost() {
    for bob_hangs_up in [false, true] {
        let alice = listening("alice", Listener::tcp("127.0.0.1:0")).await;
        let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
        let wire = Wire::to(bob.address_of(Protocol::Tcp).unwrap()).await;
        let uri = format!("sip:bob@{};transport=tcp", wire.address);
        let (placed, taken) = standing(&alice, &bob, &uri).await;
        wire.cut();
        closed(&alice, 1).await;
        closed(&bob, 1).await;
        let (first, second) = if bob_hangs_up { (taken, placed) } else { (placed, taken) };
        assert_eq!(within(first.hang_up()).await.unwrap().status(), None);
        assert_eq!(within(second.ended()).await.unwrap().status(), None);
    }
}

#[tokio::test]
async fn a_new_connection_over_tls_must_lead_to_the_same_name() {
    let authority = Authority::new();
    let listener = Listener::tls("127.0.0.1:0", authority.server(&["bob.example"]));
    let bob = listening("bob", listener).await;
    let dns = Dns::system().host("bob.example", [[127, 0, 0, 1].into()]);
    let alice = builder("alice").dns(dns).client_tls(authority.client()).start().await.unwrap();
    let wire = Wire::to(bob.address_of(Protocol::Tls).unwrap()).await;
    let uri = format!("sips:bob@bob.example:{}", wire.address.port());
    let (placed, taken) = standing(&alice, &bob, &uri).await;
    wire.cut();
    closed(&alice, 1).await;
    closed(&bob, 1).await;
    // What is now at that address has a good certificate, for another name.
    let listener = Listener::tls(&wire.address.to_string(), authority.server(&["127.0.0.1"]));
    let mallory = listening("mallory", listener).await;
    within(placed.hang_up()).await.unwrap();
    assert_eq!(mallory.stream_statistics().accepted, 0);
    assert_eq!(alice.stream_statistics().failed_connects, 1);

    drop(taken);
}

fn field<'a>(message: &'a str, name: &str) -> &'a str {
    message.lines().find(|line| line.starts_with(name)).unwrap()
}

fn ok(request: &str) -> String {
    let fields = ["Via", "From", "Call-ID", "CSeq", "To"].map(|name| field(request, name));
    let [via, from, call_id, cseq, to] = fields;
    let to = if to.contains("tag=") { to.to_owned() } else { format!("{to};tag=carol") };
    format!(
        "SIP/2.0 200 OK\r\n{via}\r\n{from}\r\n{to}\r\n{call_id}\r\n{cseq}\r\nContent-Length: 0\r\n\r\n"
    )
}

/// A 200 that takes the first codec on a port where nobody hears it.
fn answer(invite: &str, contact: &str) -> String {
    let body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
                m=audio 9 RTP/AVP 0\r\n";
    let head = format!(
        "Contact: <{contact}>\r\nContent-Type: application/sdp\r\nContent-Length: {}",
        body.len()
    );
    ok(invite).replace("Content-Length: 0", &head) + body
}
