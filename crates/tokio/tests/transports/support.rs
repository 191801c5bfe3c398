//! Endpoints, certificates and peers for the tests.

use std::{net::SocketAddr, time::Duration};

use offhook_audio::ToneSource;
use offhook_sansio::Protocol;
use offhook_sip_message::{Frame, Framer, Limits};
use offhook_tokio::{
    Builder, Call, ClientTls, Endpoint, Listener, Roots, ServerTls, StreamSettings, TlsIdentity,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    SanType,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// An endpoint on this host; timers are short, so that nothing waits for half a minute.
pub(crate) fn builder(name: &str) -> Builder {
    let sip = offhook_sip::Config { t1: T1, ..offhook_sip::Config::default() };
    Endpoint::builder(&format!("sip:{name}@127.0.0.1")).sip(sip)
}

pub(crate) async fn listening(name: &str, listener: Listener) -> Endpoint {
    builder(name).listen(listener).start().await.unwrap()
}

/// Whether this host speaks IPv6; containers often do not. The test that asks says so and ends.
pub(crate) fn has_ipv6() -> bool {
    let has = std::net::UdpSocket::bind("[::1]:0").is_ok();
    if !has {
        println!("not tested: this host has no IPv6");
    }
    has
}

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it waits for ever")
}

/// How Bob is called by `protocol`.
pub(crate) fn uri(bob: &Endpoint, protocol: Protocol) -> String {
    let address = bob.address_of(protocol).unwrap();
    let transport = protocol.as_str().to_ascii_lowercase();
    match protocol {
        Protocol::Udp => format!("sip:bob@{address}"),
        Protocol::Tls => format!("sips:bob@{address}"),
        Protocol::Wss => format!("sips:bob@{address};transport=ws"),
        _ => format!("sip:bob@{address};transport={transport}"),
    }
}

/// A call that both sides know to stand.
pub(crate) async fn standing(alice: &Endpoint, bob: &Endpoint, uri: &str) -> (Call, Call) {
    let placed = within(alice.call(uri)).await.unwrap();
    let taken = within(bob.incoming()).await.unwrap();
    taken.ring().await.unwrap();
    within(placed.progress()).await.unwrap();
    taken.answer().await.unwrap();
    within(placed.answered()).await.unwrap();
    within(taken.answered()).await.unwrap();
    (placed, taken)
}

/// A whole call in which each hears the other's tone; Alice hangs up, or Bob.
pub(crate) async fn talk(alice: &Endpoint, bob: &Endpoint, uri: &str, bob_hangs_up: bool) {
    let (placed, taken) = standing(alice, bob, uri).await;
    for (speaker, listener) in [(&placed, &taken), (&taken, &placed)] {
        let audio = listener.audio().await.unwrap();
        let tone = ToneSource::new(8000, 440.0, 0.5);
        let spoken = speaker.clone();
        let speaking = tokio::spawn(async move { spoken.play(tone).await });
        within(async {
            while audio.heard.receive().await.unwrap().samples.iter().all(|one| one.abs() < 1000) {}
        })
        .await;
        speaking.abort();
    }
    let (first, second) = if bob_hangs_up { (&taken, &placed) } else { (&placed, &taken) };
    assert_eq!(within(first.hang_up()).await.unwrap().status(), None);
    assert_eq!(within(second.ended()).await.unwrap().status(), None);
}

/// An authority of the tests, and what it signs.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn roots(&self) -> Roots {
        Roots::from_pem(self.0.pem().as_bytes()).unwrap()
    }

    /// A certificate for `names` with its key.
    pub(crate) fn identity(&self, names: &[&str]) -> TlsIdentity {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    /// A certificate for URIs, and for a DNS name beside them.
    pub(crate) fn identity_of_uris(&self, uris: &[&str], dns: &str) -> TlsIdentity {
        let mut params = CertificateParams::new(vec![dns.to_owned()]).unwrap();
        let uris = uris.iter().map(|uri| SanType::URI((*uri).try_into().unwrap()));
        params.subject_alt_names.extend(uris);
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> TlsIdentity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        TlsIdentity::from_pem(certificate.pem().as_bytes(), key.serialize_pem().as_bytes()).unwrap()
    }

    pub(crate) fn server(&self, names: &[&str]) -> ServerTls {
        ServerTls::new(self.identity(names))
    }

    pub(crate) fn client(&self) -> ClientTls {
        ClientTls::new(self.roots())
    }
}

/// A peer that speaks TCP by hand.
pub(crate) struct Peer {
    pub(crate) stream: TcpStream,
    framer: Framer,
}

impl Peer {
    pub(crate) async fn connect(endpoint: &Endpoint) -> Self {
        let address = endpoint.address_of(Protocol::Tcp).unwrap();
        Self::of(TcpStream::connect(address).await.unwrap())
    }

    pub(crate) fn of(stream: TcpStream) -> Self {
        Self { stream, framer: Framer::new(Limits::default()) }
    }

    pub(crate) async fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The next message; `None` when the connection is closed.
    pub(crate) async fn hear(&mut self) -> Option<String> {
        loop {
            while let Some(frame) = self.framer.next().unwrap() {
                if let Frame::Message(bytes) = frame {
                    return Some(String::from_utf8(bytes.to_vec()).unwrap());
                }
            }
            let mut buffer = [0; 4096];
            match within(self.stream.read(&mut buffer)).await {
                Ok(0) | Err(_) => return None,
                Ok(length) => self.framer.push(&buffer[..length]),
            }
        }
    }

    /// What comes back; `None` if the connection is closed before.
    pub(crate) async fn hear_after(&mut self, bytes: &str) -> Option<String> {
        self.stream.write_all(bytes.as_bytes()).await.ok()?;
        self.hear().await
    }

    /// The first message that begins with `start`.
    pub(crate) async fn hear_of(&mut self, start: &str) -> String {
        loop {
            let message = self.hear().await.expect("the connection is closed");
            if message.starts_with(start) {
                return message;
            }
        }
    }
}

/// A relay whose connections can be cut.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    task: tokio::task::JoinHandle<()>,
}

impl Wire {
    pub(crate) async fn to(far: SocketAddr) -> Self {
        let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = door.local_addr().unwrap();
        let task = tokio::spawn(async move {
            let (mut near, _) = door.accept().await.unwrap();
            let mut far = TcpStream::connect(far).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        });
        Self { address, task }
    }

    /// Ends when the listening socket is closed as well.
    pub(crate) fn cut(&self) {
        self.task.abort();
    }
}

/// Waits until the endpoint knows that a connection is gone.
pub(crate) async fn closed(endpoint: &Endpoint, connections: u64) {
    let gone = async {
        while endpoint.stream_statistics().closed < connections {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    within(gone).await;
}

/// A request without a body.
pub(crate) fn request(method: &str, number: usize, via: &str, contact: &str) -> String {
    let lines = [
        format!("{method} sip:bob@127.0.0.1 SIP/2.0"),
        format!("Via: SIP/2.0/{via};branch=z9hG4bK{number}"),
        "Max-Forwards: 70".to_owned(),
        format!("From: <sip:carol@127.0.0.1>;tag=c{number}"),
        "To: <sip:bob@127.0.0.1>".to_owned(),
        format!("Call-ID: {number}@127.0.0.1"),
        format!("CSeq: 1 {method}"),
        format!("Contact: <{contact}>"),
        "Content-Length: 0".to_owned(),
        "\r\n".to_owned(),
    ];
    lines.join("\r\n")
}

pub(crate) fn options(number: usize) -> String {
    request("OPTIONS", number, "TCP 127.0.0.1:5060", "sip:carol@127.0.0.1;transport=tcp")
}

/// The settings of connections that nobody keeps alive.
pub(crate) fn quiet() -> StreamSettings {
    StreamSettings { keep_alive: None, ..StreamSettings::default() }
}

pub(crate) const T1: Duration = Duration::from_millis(20);
