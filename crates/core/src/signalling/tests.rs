use std::{net::SocketAddr, time::Instant};

use bytes::BytesMut;
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random};

use crate::{Config, Endpoint, MediaSockets, Outgoing};

const USABLE: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.2\r\ns=-\r\nc=IN IP4 192.0.2.2\r\nt=0 0\r\n\
                      m=audio 4000 RTP/AVP 0\r\n";

/// A response to `invite` with a session description.
fn response(invite: &str, status: &str, body: &str) -> String {
    let same =
        |line: &&str| ["Via", "From", "Call-ID", "CSeq"].iter().any(|name| line.starts_with(name));
    let copied: Vec<_> = invite.lines().filter(same).collect();
    format!(
        "SIP/2.0 {status}\r\n{}\r\nTo: <sip:bob@192.0.2.2>;tag=bob\r\n\
         Contact: <sip:bob@192.0.2.2>\r\nContent-Type: application/sdp\r\n\
         Content-Length: {}\r\n\r\n{body}",
        copied.join("\r\n"),
        body.len()
    )
}

#[test]
fn early_media_falls_silent_with_an_answer_that_cannot_be_used() {
    let now = Instant::now();
    let [ours, theirs]: [SocketAddr; 2] =
        ["192.0.2.1:5060", "192.0.2.2:5060"].map(|address| address.parse().unwrap());
    let config = Config::new("sip:alice@192.0.2.1".parse().unwrap());
    let mut alice = Endpoint::new(now, config, Random::from_seed(1));
    alice.listen(Protocol::Udp, ours, ours);
    let sockets = MediaSockets::pair("192.0.2.1:4000".parse().unwrap());
    let flow = Flow::udp(ours, theirs);
    let outgoing = Outgoing::new("sip:bob@192.0.2.2".parse().unwrap(), flow);
    let call = alice.call(now, outgoing, sockets).unwrap();
    let invite = alice.poll_transmit().unwrap().payload;
    let invite = std::str::from_utf8(&invite).unwrap().to_owned();

    let mut hear = |status: &str, body: &str| {
        let payload = BytesMut::from(response(&invite, status, body).as_bytes());
        alice.receive(now, Datagram { flow, payload });
        let frame = vec![0; 160];
        alice.send_audio(now, call, &frame)
    };
    hear("183 Session Progress", USABLE).expect("early media flows");
    hear("200 OK", "not a session description").expect_err("the call is being hung up");
}
