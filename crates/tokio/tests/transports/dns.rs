//! Domains, by a name server of the tests' own (RFC 3263).

use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex},
    time::Duration,
};

use offhook_sansio::Protocol;
use offhook_sip_message::StatusCode;
use offhook_tokio::{Builder, Dns, Endpoint, Error, EventPackage, Listener};

use crate::support::{builder, listening, talk, within};

/// A name server that knows what it is told.
struct NameServer {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<(String, u16)>>>,
}

/// The records of a name and type, as they stand on the wire.
type Zone = HashMap<(&'static str, u16), Vec<Vec<u8>>>;

impl NameServer {
    fn start(zone: Zone) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        // It ends with the test's process.
        std::thread::spawn(move || {
            let mut buffer = [0; 1500];
            while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                let (name, kind, end) = question(&buffer[..length]);
                let records = zone.get(&(name.as_str(), kind));
                let known = zone.keys().any(|(other, _)| *other == name);
                seen.lock().unwrap().push((name.clone(), kind));
                let _ = socket.send_to(&reply(&buffer[..end], kind, records, known), from);
            }
        });
        Self { address, asked }
    }

    fn client(&self) -> Builder {
        builder("alice").dns(Dns::servers([self.address]))
    }

    fn was_asked(&self, name: &str, kind: u16) -> bool {
        self.asked.lock().unwrap().contains(&(name.to_owned(), kind))
    }
}

/// Name and type of the only question, and where it ends (RFC 1035 §4.1.2).
fn question(message: &[u8]) -> (String, u16, usize) {
    let (mut labels, mut at) = (Vec::new(), 12);
    while message[at] != 0 {
        let end = at + 1 + usize::from(message[at]);
        labels.push(String::from_utf8(message[at + 1..end].to_vec()).unwrap());
        at = end;
    }
    let kind = u16::from_be_bytes([message[at + 1], message[at + 2]]);
    (labels.join(".").to_ascii_lowercase(), kind, at + 5)
}

fn reply(question: &[u8], kind: u16, records: Option<&Vec<Vec<u8>>>, known: bool) -> Vec<u8> {
    let records = records.map(Vec::as_slice).unwrap_or_default();
    let mut reply = question.to_vec();
    // An authoritative answer, or NXDOMAIN.
    reply[2..4].copy_from_slice(&[0x85, if known { 0x80 } else { 0x83 }]);
    let count = u16::try_from(records.len()).unwrap().to_be_bytes();
    reply[6..12].copy_from_slice(&[count[0], count[1], 0, 0, 0, 0]);
    for record in records {
        reply.extend([0xc0, 12]);
        reply.extend(kind.to_be_bytes());
        reply.extend([0, 1, 0, 0, 0, 60]);
        reply.extend(u16::try_from(record.len()).unwrap().to_be_bytes());
        reply.extend(record);
    }
    reply
}

fn name(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in text.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

fn srv(priority: u16, port: u16, host: &str) -> Vec<u8> {
    let numbers = [priority, 0, port].map(u16::to_be_bytes).concat();
    [numbers, name(host)].concat()
}

fn naptr(order: u16, service: &str, replacement: &str) -> Vec<u8> {
    let text = |text: &str| [vec![u8::try_from(text.len()).unwrap()], text.into()].concat();
    let numbers = [order, 50].map(u16::to_be_bytes).concat();
    [numbers, text("s"), text(service), text(""), name(replacement)].concat()
}

fn a(last: u8) -> Vec<u8> {
    Ipv4Addr::new(127, 0, 0, last).octets().to_vec()
}

fn port(endpoint: &Endpoint) -> u16 {
    endpoint.local_address().port()
}

const A: u16 = 1;
const SRV: u16 = 33;
const NAPTR: u16 = 35;

/// A port where nobody listens.
fn nobody() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_domain_is_called_as_its_naptr_and_srv_records_say() {
    let bob = builder("bob").listen(Listener::ws("127.0.0.1:0")).start().await.unwrap();
    let server = NameServer::start(HashMap::from([
        (
            ("example.com", NAPTR),
            vec![
                naptr(20, "SIP+D2U", "_sip._udp.example.com"),
                naptr(10, "SIP+D2W", "_sip._ws.example.com"),
            ],
        ),
        (("_sip._ws.example.com", SRV), vec![srv(1, port(&bob), "web.example.com")]),
        (("web.example.com", A), vec![a(1)]),
    ]));
    let alice = server.client().bind("127.0.0.1:0").await.unwrap();
    talk(&alice, &bob, "sip:bob@example.com", true).await;
    assert_eq!(bob.stream_statistics().accepted, 1);
    assert!(server.was_asked("example.com", NAPTR));
}

#[tokio::test]
async fn a_server_that_refuses_gives_way_to_the_next() {
    let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
    let server = NameServer::start(HashMap::from([
        (
            ("_sip._tcp.example.com", SRV),
            vec![srv(1, nobody(), "sip.example.com"), srv(2, port(&bob), "sip.example.com")],
        ),
        (("sip.example.com", A), vec![a(1)]),
    ]));
    let alice = server.client().start().await.unwrap();
    talk(&alice, &bob, "sip:bob@example.com;transport=tcp", false).await;
    assert_eq!(alice.stream_statistics().failed_connects, 1);
}

#[tokio::test]
async fn a_server_that_is_unavailable_or_silent_gives_way_to_the_next() {
    for unavailable in [true, false] {
        let first = UdpSocket::bind("127.0.0.1:0").unwrap();
        let bob = listening("bob", Listener::udp("127.0.0.1:0")).await;
        let port_of_first = first.local_addr().unwrap().port();
        let server = NameServer::start(HashMap::from([
            (
                ("_sip._udp.example.com", SRV),
                vec![srv(1, port_of_first, "a.example.com"), srv(2, port(&bob), "a.example.com")],
            ),
            (("a.example.com", A), vec![a(1)]),
        ]));
        if unavailable {
            std::thread::spawn(move || refuse_with_503(&first, false));
        } else {
            drop(first);
        }
        let alice = server.client().bind("127.0.0.1:0").await.unwrap();
        talk(&alice, &bob, "sip:bob@example.com", unavailable).await;
    }
}

#[tokio::test]
async fn a_notifier_that_is_unavailable_or_silent_gives_way_to_the_next() {
    for (unavailable, is_fetch) in [(true, true), (true, false), (false, true), (false, false)] {
        let first = UdpSocket::bind("127.0.0.1:0").unwrap();
        let packages = [EventPackage::REG];
        let bob = builder("bob").event_packages(packages).bind("127.0.0.1:0").await.unwrap();
        let port_of_first = first.local_addr().unwrap().port();
        let server = NameServer::start(HashMap::from([
            (
                ("_sip._udp.example.com", SRV),
                vec![srv(1, port_of_first, "a.example.com"), srv(2, port(&bob), "a.example.com")],
            ),
            (("a.example.com", A), vec![a(1)]),
        ]));
        // A silent server is there and says nothing: a closed port might be told of.
        let _silent = match unavailable {
            true => {
                std::thread::spawn(move || refuse_with_503(&first, false));
                None
            }
            false => Some(first),
        };
        let alice = server.client().bind("127.0.0.1:0").await.unwrap();
        let asking = alice.subscribe("sip:bob@example.com", &EventPackage::REG);
        let heard = tokio::spawn(async move {
            match is_fetch {
                true => asking.fetch().await.unwrap(),
                false => asking.open().await.unwrap().next().await.unwrap(),
            }
        });
        let subscriber = within(bob.subscriber()).await.unwrap();
        subscriber.accept("text/plain", "here").await.unwrap();
        assert_eq!(within(heard).await.unwrap().text().unwrap(), "here");
    }
}

#[tokio::test]
async fn a_server_that_rings_first_is_the_last() {
    let first = UdpSocket::bind("127.0.0.1:0").unwrap();
    let bob = listening("bob", Listener::udp("127.0.0.1:0")).await;
    let port_of_first = first.local_addr().unwrap().port();
    let server = NameServer::start(HashMap::from([
        (
            ("_sip._udp.example.com", SRV),
            vec![srv(1, port_of_first, "a.example.com"), srv(2, port(&bob), "a.example.com")],
        ),
        (("a.example.com", A), vec![a(1)]),
    ]));
    std::thread::spawn(move || refuse_with_503(&first, true));
    let alice = server.client().bind("127.0.0.1:0").await.unwrap();
    let call = within(alice.call("sip:bob@example.com")).await.unwrap();
    assert_eq!(within(call.progress()).await.unwrap(), StatusCode::RINGING);
    let ended = within(call.ended()).await.unwrap();
    assert_eq!(ended.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
}

#[tokio::test]
async fn a_call_between_two_servers_can_be_hung_up() {
    let first = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port_of_first = first.local_addr().unwrap().port();
    // It takes connections, and never says a word of TLS.
    let second = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = NameServer::start(HashMap::from([
        (
            ("example.com", NAPTR),
            vec![
                naptr(10, "SIP+D2U", "_sip._udp.example.com"),
                naptr(10, "SIPS+D2T", "_sips._tcp.example.com"),
            ],
        ),
        (("_sip._udp.example.com", SRV), vec![srv(1, port_of_first, "a.example.com")]),
        (
            ("_sips._tcp.example.com", SRV),
            vec![srv(1, second.local_addr().unwrap().port(), "a.example.com")],
        ),
        (("a.example.com", A), vec![a(1)]),
    ]));
    std::thread::spawn(move || refuse_with_503(&first, false));
    let alice = server.client().bind("127.0.0.1:0").await.unwrap();
    let call = within(alice.call("sip:bob@example.com")).await.unwrap();
    within(async {
        while second.set_nonblocking(true).is_ok() && second.accept().is_err() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
    let ended = within(call.hang_up()).await.unwrap();
    assert_eq!(ended.status(), Some(StatusCode::SERVICE_UNAVAILABLE));
    assert!(alice.stream_statistics().failed_connects == 0, "it was not waited for");
}

/// Answers each INVITE with 503, and with 180 before if it `rings`.
fn refuse_with_503(socket: &UdpSocket, rings: bool) {
    let mut buffer = [0; 65_535];
    while let Ok((length, from)) = socket.recv_from(&mut buffer) {
        let invite = String::from_utf8(buffer[..length].to_vec()).unwrap();
        let fields: Vec<_> = ["Via", "From", "To", "Call-ID", "CSeq"]
            .iter()
            .filter_map(|name| invite.lines().find(|line| line.starts_with(name)))
            .collect();
        let fields = fields.join("\r\n").replace("\r\nCall-ID", ";tag=x\r\nCall-ID");
        let refusal = format!("SIP/2.0 503 Unavailable\r\n{fields}\r\nContent-Length: 0\r\n\r\n");
        if invite.starts_with("INVITE") {
            if rings {
                let ringing = refusal.replace("503 Unavailable", "180 Ringing");
                socket.send_to(ringing.as_bytes(), from).unwrap();
            }
            socket.send_to(refusal.as_bytes(), from).unwrap();
        }
    }
}

#[tokio::test]
async fn a_call_that_finds_no_server_says_why() {
    let server = NameServer::start(HashMap::from([
        (("lone.example.com", A), vec![a(1)]),
        (("_sip._udp.refused.example.com", SRV), vec![srv(1, 1, "lone.example.com")]),
    ]));
    let alice = server.client().bind("127.0.0.1:0").await.unwrap();
    let nowhere = within(alice.call("sip:bob@nowhere.example.com")).await;
    assert!(matches!(nowhere, Err(Error::Unresolved { .. })), "{nowhere:?}");
    let port = nobody();
    let refused = within(alice.call(&format!("sip:b@lone.example.com:{port};transport=tcp"))).await;
    assert!(matches!(refused, Err(Error::Unreachable { .. })), "{refused:?}");
    let call = within(alice.call("sip:bob@refused.example.com")).await.unwrap();
    let Err(Error::Ended(ended)) = within(call.answered()).await else { panic!("answered") };
    assert!(
        [Some(StatusCode::SERVICE_UNAVAILABLE), Some(StatusCode::REQUEST_TIMEOUT)]
            .contains(&ended.status()),
        "{ended}"
    );
}

#[tokio::test]
async fn a_name_of_the_settings_needs_no_name_server() {
    let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
    let dns = Dns::servers([]).host("Bob.Example", [Ipv4Addr::LOCALHOST.into()]);
    let alice = builder("alice").dns(dns).start().await.unwrap();
    let port = bob.address_of(Protocol::Tcp).unwrap().port();
    for host in ["bob.example", "localhost"] {
        talk(&alice, &bob, &format!("sip:bob@{host}:{port};transport=tcp"), false).await;
    }
}
