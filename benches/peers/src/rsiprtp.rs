//! `rsiprtp`: headers are text until they are typed. Its parser is below `sip::parser`; the wrapper
//! above it copies each value that it hands out and parses a header once per question.

use std::{hint::black_box, mem};

use bytes::Bytes;
use offhook_benches::sip::{Peer, Routing, Start, VIA, Verb};
use rsiprtp::sip::{
    Method, MinSe, RecordRoute, Require, Route, SessionExpires, Supported,
    parser::{Header, Headers, Message, typed},
};

/// rsiprtp.
#[derive(Debug)]
pub struct Rsiprtp;

impl Peer for Rsiprtp {
    const NAME: &'static str = "rsiprtp 0.4.1";
    type Parsed = Message;
    type Built = Message;
    type Written = Vec<u8>;

    fn route<R>(datagram: &Bytes, reader: impl FnOnce(&Routing<'_>) -> R) -> Option<R> {
        let message = Message::parse(datagram).ok()?;
        let (mut via, mut from, mut to, mut cseq) = (None, None, None, None);
        let (mut call_id, mut max_forwards, mut length) = (None, None, None);
        let mut has_route = false;
        for header in headers(&message).iter() {
            match header {
                Header::Via(it) if via.is_none() => via = typed::Via::parse(it).ok(),
                Header::From(it) => from = typed::From::parse(it).ok(),
                Header::To(it) => to = typed::To::parse(it).ok(),
                Header::CSeq(it) => cseq = typed::CSeq::parse(it).ok(),
                Header::CallId(it) => call_id = Some(it.as_str()),
                Header::MaxForwards(it) => max_forwards = Some(it.parse().ok()?),
                Header::ContentLength(it) => length = it.parse::<usize>().ok(),
                Header::Route(_) => has_route = true,
                _ => {}
            }
        }
        let (via, from, to, cseq) = (via?, from?, to?, cseq?);
        let body = body(&message).len();
        if length.is_some_and(|length| length != body) {
            return None;
        }
        Some(reader(&Routing {
            start: start(&message),
            branch: via.branch()?,
            from_tag: from.tag()?,
            to_tag: to.tag(),
            call_id: call_id?,
            cseq: cseq.seq,
            cseq_method: verb(cseq.method.as_str()),
            max_forwards,
            has_route,
            body,
        }))
    }

    fn full(datagram: &Bytes) -> Option<usize> {
        let message = Message::parse(datagram).ok()?;
        if let Message::Request(request) = &message {
            black_box(&rsiprtp::sip::SipUri::parse(&request.uri).ok()?);
        }
        let mut rows = 0;
        for header in headers(&message).iter() {
            rows += usize::from(read(header)?);
        }
        Some(rows)
    }

    fn parsed(datagram: &Bytes) -> Option<Message> {
        Message::parse(datagram).ok()
    }

    fn built(datagram: &Bytes) -> Option<Message> {
        Self::parsed(datagram)
    }

    fn write(built: &mut Message) -> Option<Vec<u8>> {
        Some(built.to_bytes())
    }

    /// Headers can be appended only: the list is made anew.
    fn edit(parsed: &mut Message) -> Option<Vec<u8>> {
        let (headers, is_request) = match parsed {
            Message::Request(request) => (&mut request.headers, true),
            Message::Response(response) => (&mut response.headers, false),
        };
        let old = mem::take(headers);
        let mut below = false;
        if is_request {
            headers.push(Header::Via(VIA.to_owned())).ok()?;
        }
        for header in old {
            match header {
                Header::Via(_) if !is_request && !below => below = true,
                Header::MaxForwards(hops) if is_request => {
                    let hops = hops.parse::<u32>().ok()?.checked_sub(1)?;
                    headers.push(Header::MaxForwards(hops.to_string())).ok()?;
                }
                other => headers.push(other).ok()?,
            }
        }
        Some(parsed.to_bytes())
    }
}

fn headers(message: &Message) -> &Headers {
    match message {
        Message::Request(request) => &request.headers,
        Message::Response(response) => &response.headers,
    }
}

fn body(message: &Message) -> &[u8] {
    match message {
        Message::Request(request) => &request.body,
        Message::Response(response) => &response.body,
    }
}

fn start(message: &Message) -> Start {
    match message {
        Message::Request(request) => {
            black_box(&request.uri);
            Start::Request(verb(request.method.as_str()))
        }
        Message::Response(response) => Start::Response(response.status_code.as_u16()),
    }
}

fn verb(method: &str) -> Verb {
    match method {
        "INVITE" => Verb::Invite,
        "REGISTER" => Verb::Register,
        _ => Verb::Other,
    }
}

/// Whether there is a type for the header; none when it cannot be read.
fn read(header: &Header) -> Option<bool> {
    match header {
        Header::Via(it) => drop(black_box(typed::Via::parse(it).ok()?)),
        Header::From(it) => drop(black_box(typed::From::parse(it).ok()?)),
        Header::To(it) => drop(black_box(typed::To::parse(it).ok()?)),
        Header::CSeq(it) => drop(black_box(typed::CSeq::parse(it).ok()?)),
        Header::Contact(it) => drop(black_box(typed::Contact::parse(it).ok()?)),
        Header::RecordRoute(it) => drop(black_box(RecordRoute::parse(it).ok()?)),
        Header::Route(it) => drop(black_box(Route::parse(it).ok()?)),
        Header::Require(it) => drop(black_box(Require::parse(it).ok()?)),
        Header::Supported(it) => drop(black_box(Supported::parse(it).ok()?)),
        Header::Allow(it) => {
            let methods = it.split(',').map(|method| method.trim().parse::<Method>());
            drop(black_box(methods.collect::<Result<Vec<_>, _>>().ok()?));
        }
        Header::MaxForwards(it) | Header::ContentLength(it) | Header::Expires(it) => {
            black_box(it.parse::<u32>().ok()?);
        }
        Header::CallId(it) | Header::ContentType(it) => {
            black_box(it);
        }
        Header::Other(name, it) if name.eq_ignore_ascii_case("Session-Expires") => {
            black_box(SessionExpires::parse(it).ok()?);
        }
        Header::Other(name, it) if name.eq_ignore_ascii_case("Min-SE") => {
            black_box(MinSe::parse(it).ok()?);
        }
        _ => return Some(false),
    }
    Some(true)
}
