//! A registrar on UDP and TCP.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Instant,
};

use offhook_sansio::Random;
use offhook_sip::{Challenger, Role, User, Verdict};
use offhook_sip_message::{
    Contact, Expires, Frame, Framer, Header, HeaderName, Limits, Response, ResponseBuilder,
    StatusCode, ValidRequest,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UdpSocket},
    sync::mpsc,
    task::JoinHandle,
};

use crate::{peer::read, support::within};

pub(crate) const REALM: &str = "registrar.example";

/// How the registrar answers.
pub(crate) struct Ways {
    /// Who may register: with this password.
    pub(crate) password: Option<&'static str>,
    pub(crate) challenger: Option<Challenger>,
    /// The seconds to grant at most.
    pub(crate) grants: u32,
    /// The seconds that are too few.
    pub(crate) least: u32,
    /// Header fields of its 200, such as a service route.
    pub(crate) more: Vec<(HeaderName, String)>,
    /// Parameters of the contact in its 200.
    pub(crate) contact: String,
    /// What it says to everything.
    pub(crate) refuses: Option<(StatusCode, Option<u32>)>,
    /// It says nothing.
    pub(crate) silent: bool,
}

impl Default for Ways {
    fn default() -> Self {
        Self {
            password: None,
            challenger: None,
            grants: 3600,
            least: 0,
            more: Vec::new(),
            contact: String::new(),
            refuses: None,
            silent: false,
        }
    }
}

pub(crate) struct Registrar {
    pub(crate) address: SocketAddr,
    heard: mpsc::UnboundedReceiver<String>,
    orders: mpsc::UnboundedSender<Order>,
    ways: Arc<Mutex<Ways>>,
    task: JoinHandle<()>,
}

enum Order {
    /// Say this on the connection that was made last.
    Say(Vec<u8>),
    /// Close the connection that was made last.
    Cut,
}

impl Registrar {
    pub(crate) async fn udp(ways: Ways) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        Self::start(address, ways, |office, _| serve_udp(socket, office))
    }

    pub(crate) async fn tcp(ways: Ways) -> Self {
        let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        Self::start(address, ways, |office, orders| serve_tcp(socket, office, orders))
    }

    /// One at an address where another one was before.
    pub(crate) async fn udp_at(address: SocketAddr, ways: Ways) -> Self {
        let socket = UdpSocket::bind(address).await.unwrap();
        Self::start(address, ways, |office, _| serve_udp(socket, office))
    }

    fn start<F: Future<Output = ()> + Send + 'static>(
        address: SocketAddr,
        ways: Ways,
        serve: impl FnOnce(Office, mpsc::UnboundedReceiver<Order>) -> F,
    ) -> Self {
        let (tell, heard) = mpsc::unbounded_channel();
        let (orders, obey) = mpsc::unbounded_channel();
        let mut ways = ways;
        if ways.password.is_some() {
            let mut random = Random::from_seed(7);
            let challenger = Challenger::new(Instant::now(), &mut random, Role::Server, REALM);
            ways.challenger = Some(challenger);
        }
        let ways = Arc::new(Mutex::new(ways));
        let office = Office { tell, ways: Arc::clone(&ways) };
        let task = tokio::spawn(serve(office, obey));
        Self { address, heard, orders, ways, task }
    }

    /// The URI to register at.
    pub(crate) fn uri(&self) -> String {
        format!("sip:{}", self.address)
    }

    /// Answers otherwise from now on.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Ways)) {
        change(&mut self.ways.lock().unwrap());
    }

    /// The next request, whatever it is.
    pub(crate) async fn heard(&mut self) -> String {
        within(self.heard.recv()).await.unwrap()
    }

    /// The next request that `seen` finds; those before are passed over.
    pub(crate) async fn heard_of(&mut self, seen: impl Fn(&str) -> bool) -> String {
        loop {
            let text = self.heard().await;
            if seen(&text) {
                return text;
            }
        }
    }

    pub(crate) fn has_heard(&mut self) -> bool {
        self.heard.try_recv().is_ok()
    }

    pub(crate) fn say(&self, bytes: Vec<u8>) {
        self.orders.send(Order::Say(bytes)).unwrap();
    }

    pub(crate) fn cut(&self) {
        self.orders.send(Order::Cut).unwrap();
    }

    /// Goes away.
    pub(crate) async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// What the task of a registrar needs.
struct Office {
    tell: mpsc::UnboundedSender<String>,
    ways: Arc<Mutex<Ways>>,
}

impl Office {
    /// The answer to a message, if it gets one.
    fn answer(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let _ = self.tell.send(String::from_utf8_lossy(bytes).into_owned());
        let request = read(bytes).filter(|request| request.method().as_str() == "REGISTER")?;
        let mut ways = self.ways.lock().unwrap();
        if ways.silent {
            return None;
        }
        let reply = ways.reply(&request).to_tag("registrar");
        Some(reply.build().unwrap().as_bytes().to_vec())
    }
}

impl Ways {
    fn reply(&mut self, request: &ValidRequest) -> ResponseBuilder {
        if let Some((status, retry_after)) = self.refuses {
            let reply = Response::reply_to(request, status);
            return match retry_after {
                Some(seconds) => reply.raw(HeaderName::RETRY_AFTER, &seconds.to_string()),
                None => reply,
            };
        }
        if let (Some(challenger), Some(password)) = (&mut self.challenger, self.password) {
            let alice = |_: &offhook_sip::Claim| Some(User::with_password("alice", password));
            match challenger.check(Instant::now(), request, alice) {
                Verdict::Authenticated(_) => {}
                Verdict::Challenged(challenged) => return challenged.reply_to(request),
                other => panic!("{other:?}"),
            }
        }
        self.grant(request)
    }

    fn grant(&self, request: &ValidRequest) -> ResponseBuilder {
        let asked = request.header::<Expires>().unwrap().map_or(3600, |Expires(seconds)| seconds);
        if asked > 0 && asked < self.least {
            let brief = Response::reply_to(request, StatusCode::INTERVAL_TOO_BRIEF);
            return brief.raw(HeaderName::MIN_EXPIRES, &self.least.to_string());
        }
        let granted = asked.min(self.grants);
        let mut reply = Response::reply_to(request, StatusCode::OK);
        if granted > 0 {
            let mut contact = String::new();
            request.headers_of::<Contact>().flatten().next().unwrap().write(&mut contact);
            let contact = format!("{contact};expires={granted}{}", self.contact);
            reply = reply.raw(HeaderName::CONTACT, &contact);
        }
        for (name, value) in &self.more {
            reply = reply.raw(name.clone(), value);
        }
        reply
    }
}

async fn serve_udp(socket: UdpSocket, office: Office) {
    let mut buffer = vec![0; 65_535];
    loop {
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        if let Some(answer) = office.answer(&buffer[..length]) {
            socket.send_to(&answer, from).await.unwrap();
        }
    }
}

async fn serve_tcp(
    socket: TcpListener,
    office: Office,
    mut orders: mpsc::UnboundedReceiver<Order>,
) {
    let mut connection: Option<(TcpStream, Framer)> = None;
    let mut buffer = [0; 4096];
    loop {
        let reading = async {
            match &mut connection {
                Some((stream, _)) => stream.read(&mut buffer).await.unwrap_or(0),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            accepted = socket.accept() => {
                connection = Some((accepted.unwrap().0, Framer::new(Limits::default())));
            }
            length = reading => {
                let (stream, framer) = connection.as_mut().unwrap();
                framer.push(&buffer[..length]);
                while let Some(frame) = framer.next().unwrap() {
                    match frame {
                        Frame::Message(bytes) => if let Some(answer) = office.answer(&bytes) {
                            stream.write_all(&answer).await.unwrap();
                        }
                        Frame::Ping => stream.write_all(b"\r\n").await.unwrap(),
                        _ => {}
                    }
                }
                if length == 0 {
                    connection = None;
                }
            }
            order = orders.recv() => match (order, &mut connection) {
                (Some(Order::Say(bytes)), Some((stream, _))) => {
                    stream.write_all(&bytes).await.unwrap();
                }
                (Some(Order::Cut), _) => connection = None,
                (_, _) => return,
            }
        }
    }
}
