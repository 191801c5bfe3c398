//! Messages and times for the tests of the machines.

use std::time::{Duration, Instant};

use bytes::Bytes;
use offhook_sansio::{Flow, Protocol};
use offhook_sip_message::{Message, ParseOptions, ValidRequest, ValidResponse};

use super::Timing;
use crate::transport::Outbox;

pub(crate) const T1: u64 = 500;
pub(crate) const T2: u64 = 4_000;
pub(crate) const T4: u64 = 5_000;

pub(crate) fn timing() -> Timing {
    Timing {
        t1: Duration::from_millis(T1),
        t2: Duration::from_millis(T2),
        t4: Duration::from_millis(T4),
    }
}

pub(crate) fn udp() -> Flow {
    Flow::udp(([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 2], 5060).into())
}

pub(crate) fn tcp() -> Flow {
    Flow { protocol: Protocol::Tcp, ..udp() }
}

/// A request with `more` header lines.
pub(crate) fn request(method: &str, via: &str, more: &str) -> ValidRequest {
    let text = format!(
        "{method} sip:bob@192.0.2.2 SIP/2.0\r\nVia: {via}\r\nFrom: <sip:a@a.example>;tag=a\r\n\
         Call-ID: c1\r\nCSeq: 7 {method}\r\nMax-Forwards: 70\r\n{more}\r\n"
    );
    valid_request(text)
}

pub(crate) fn valid_request(text: String) -> ValidRequest {
    match Message::parse(Bytes::from(text)).unwrap() {
        Message::Request(request) => ValidRequest::new(request, &ParseOptions::default()).unwrap(),
        Message::Response(_) => panic!("a response"),
    }
}

pub(crate) fn plain(method: &str) -> ValidRequest {
    request(method, "SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1", "To: <sip:b@b.example>\r\n")
}

pub(crate) fn response(status: u16, method: &str, tag: &str) -> ValidResponse {
    let text = format!(
        "SIP/2.0 {status} X\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n\
         From: <sip:a@a.example>;tag=a\r\nTo: <sip:b@b.example>;tag={tag}\r\nCall-ID: c1\r\n\
         CSeq: 7 {method}\r\n\r\n"
    );
    match Message::parse(Bytes::from(text)).unwrap() {
        Message::Response(response) => {
            ValidResponse::new(response, &ParseOptions::default()).unwrap()
        }
        Message::Request(_) => panic!("a request"),
    }
}

/// What was sent, by its first words.
pub(crate) fn sent(outbox: &mut Outbox) -> Vec<String> {
    let mut sent = Vec::new();
    while let Some(transmit) = outbox.pop() {
        let text = String::from_utf8(transmit.payload.to_vec()).unwrap();
        sent.push(text.split(' ').next().unwrap().to_owned());
    }
    sent
}

/// The milliseconds after `start` at which `step` did something, up to `end`.
pub(crate) fn times(
    start: Instant,
    end: u64,
    mut deadline: impl FnMut() -> Option<Instant>,
    mut step: impl FnMut(Instant) -> usize,
) -> Vec<u64> {
    let mut times = Vec::new();
    while let Some(at) = deadline().filter(|at| *at <= start + Duration::from_millis(end)) {
        let millis: u64 = (at - start).as_millis().try_into().unwrap();
        times.extend(std::iter::repeat_n(millis, step(at)));
    }
    times
}
