//! A peer on UDP that writes its messages by hand.

use std::net::SocketAddr;

use bytes::Bytes;
use offhook_sip_message::{
    HeaderName, Message, Method, ParseOptions, Response, ResponseBuilder, StatusCode, ValidRequest,
};
use tokio::net::UdpSocket;

use crate::support::within;

pub(crate) struct Peer {
    socket: UdpSocket,
    pub(crate) address: SocketAddr,
}

impl Peer {
    pub(crate) async fn new() -> Self {
        Self::at(([127, 0, 0, 1], 0).into()).await
    }

    pub(crate) async fn at(address: SocketAddr) -> Self {
        let socket = UdpSocket::bind(address).await.unwrap();
        let address = socket.local_addr().unwrap();
        Self { socket, address }
    }

    pub(crate) async fn say(&self, to: SocketAddr, text: &[u8]) {
        self.socket.send_to(text, to).await.unwrap();
    }

    /// The next message as text, and who sent it.
    pub(crate) async fn hear(&self) -> (String, SocketAddr) {
        let mut buffer = vec![0; 65_535];
        let (length, from) = within(self.socket.recv_from(&mut buffer)).await.unwrap();
        (String::from_utf8_lossy(&buffer[..length]).into_owned(), from)
    }

    /// The next request of this method; what else comes is passed over.
    pub(crate) async fn request(&self, method: &Method) -> (ValidRequest, SocketAddr) {
        loop {
            let (text, from) = self.hear().await;
            if let Some(request) = read(text.as_bytes()).filter(|it| it.method() == *method) {
                return (request, from);
            }
        }
    }

    /// The next response of this status; what else comes is passed over.
    pub(crate) async fn response(&self, status: u16) -> String {
        loop {
            let (text, _) = self.hear().await;
            if text.starts_with(&format!("SIP/2.0 {status} ")) {
                return text;
            }
        }
    }

    pub(crate) async fn respond(
        &self,
        to: SocketAddr,
        request: &ValidRequest,
        status: StatusCode,
        sdp: Option<&str>,
    ) {
        let mut reply = self.reply(request, status);
        if let Some(sdp) = sdp {
            reply = reply.body("application/sdp", sdp.to_owned());
        }
        self.say(to, reply.build().unwrap().as_bytes()).await;
    }

    pub(crate) fn reply(&self, request: &ValidRequest, status: StatusCode) -> ResponseBuilder {
        let contact = format!("<sip:bob@{}>", self.address);
        let reply = Response::reply_to(request, status);
        let reply = if request.to().tag().is_none() { reply.to_tag("peer") } else { reply };
        reply.raw(HeaderName::CONTACT, &contact)
    }

    /// A request of this peer, in or outside of a dialog.
    pub(crate) fn compose(&self, method: &str, number: u32, uri: &str, to: &str) -> String {
        let address = self.address;
        let lines = [
            format!("{method} {uri} SIP/2.0"),
            format!("Via: SIP/2.0/UDP {address};branch=z9hG4bK{method}{number};rport"),
            "Max-Forwards: 70".to_owned(),
            "From: <sip:carol@127.0.0.1>;tag=carol".to_owned(),
            format!("To: {to}"),
            format!("Call-ID: peer@{address}"),
            format!("CSeq: {number} {method}"),
            format!("Contact: <sip:carol@{address}>"),
        ];
        lines.join("\r\n")
    }
}

/// The request in a message.
pub(crate) fn read(bytes: &[u8]) -> Option<ValidRequest> {
    match Message::parse(Bytes::copy_from_slice(bytes)).ok()? {
        Message::Request(request) => ValidRequest::new(request, &ParseOptions::default()).ok(),
        Message::Response(_) => None,
    }
}

/// A whole message: `head`, and a session description.
pub(crate) fn with_body(head: &str, sdp: &str) -> Vec<u8> {
    let length = sdp.len();
    let text =
        format!("{head}\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\r\n{sdp}");
    text.into_bytes()
}

pub(crate) fn without_body(head: &str) -> Vec<u8> {
    format!("{head}\r\nContent-Length: 0\r\n\r\n").into_bytes()
}

/// A session description with G.711 at `port` of this host, and more lines.
pub(crate) fn sdp(version: u32, port: u16, more: &str) -> String {
    format!(
        "v=0\r\no=bob 1 {version} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
         m=audio {port} RTP/AVP 0\r\na=rtcp-mux\r\n{more}"
    )
}

/// The value of a header field; empty if it is not there.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> &'a str {
    let start = format!("{name}: ");
    let line = text.lines().find(|line| line.starts_with(&start));
    line.map_or("", |line| &line[start.len()..])
}

/// The tag of a `To`.
pub(crate) fn tagged(text: &str) -> String {
    field(text, "To").to_owned()
}
