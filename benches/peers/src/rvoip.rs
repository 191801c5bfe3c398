//! `rvoip-sip-core`: `parse_message` types every header at once, in its default mode; a header that
//! cannot be typed is kept as text.

use std::hint::black_box;

use bytes::Bytes;
use offhook_benches::sip::{Peer, Routing, Start, VIA_BRANCH, VIA_HOST, VIA_PORT, Verb};
use rvoip_sip_core::{
    Message, Method, TypedHeader, parse_message,
    types::{max_forwards::MaxForwards, param::Param, via::Via},
};

/// rvoip-sip-core.
#[derive(Debug)]
pub struct Rvoip;

impl Peer for Rvoip {
    const NAME: &'static str = "rvoip-sip-core 0.4.0";
    type Parsed = Message;
    type Built = Message;
    type Written = Vec<u8>;

    fn route<R>(datagram: &Bytes, reader: impl FnOnce(&Routing<'_>) -> R) -> Option<R> {
        let message = parse_message(datagram).ok()?;
        let (mut branch, mut from_tag, mut to_tag, mut cseq) = (None, None, None, None);
        let (mut call_id, mut max_forwards, mut has_route) = (None, None, false);
        for header in message.all_headers() {
            match header {
                TypedHeader::Via(it) if branch.is_none() => branch = it.branch(),
                TypedHeader::From(it) => from_tag = it.tag(),
                TypedHeader::To(it) => to_tag = it.tag(),
                TypedHeader::CSeq(it) => cseq = Some(it),
                TypedHeader::CallId(it) => call_id = Some(it.as_str()),
                TypedHeader::MaxForwards(MaxForwards(hops)) => max_forwards = Some((*hops).into()),
                TypedHeader::Route(_) => has_route = true,
                _ => {}
            }
        }
        let cseq = cseq?;
        Some(reader(&Routing {
            start: start(&message),
            branch: branch?,
            from_tag: from_tag?,
            to_tag,
            call_id: call_id?,
            cseq: cseq.sequence(),
            cseq_method: verb(cseq.method()),
            max_forwards,
            has_route,
            body: message.body().len(),
        }))
    }

    fn full(datagram: &Bytes) -> Option<usize> {
        let message = parse_message(datagram).ok()?;
        black_box(start(&message));
        let typed = |header: &&TypedHeader| !matches!(header, TypedHeader::Other(..));
        Some(message.all_headers().iter().filter(typed).map(black_box).count())
    }

    fn parsed(datagram: &Bytes) -> Option<Message> {
        parse_message(datagram).ok()
    }

    fn built(datagram: &Bytes) -> Option<Message> {
        Self::parsed(datagram)
    }

    fn write(built: &mut Message) -> Option<Vec<u8>> {
        Some(built.to_bytes())
    }

    fn edit(parsed: &mut Message) -> Option<Vec<u8>> {
        match parsed {
            Message::Request(request) => {
                let branch = vec![Param::branch(VIA_BRANCH)];
                let via = Via::new("SIP", "2.0", "UDP", VIA_HOST, Some(VIA_PORT), branch).ok()?;
                for header in &mut request.headers {
                    if let TypedHeader::MaxForwards(hops) = header {
                        *hops = hops.decrement()?;
                    }
                }
                request.headers.insert(0, TypedHeader::Via(via));
            }
            Message::Response(response) => {
                let is_via = |header: &TypedHeader| matches!(header, TypedHeader::Via(_));
                let top = response.headers.iter().position(is_via)?;
                response.headers.remove(top);
            }
        }
        Some(parsed.to_bytes())
    }
}

fn start(message: &Message) -> Start {
    match message {
        Message::Request(request) => {
            black_box(request.uri());
            Start::Request(verb(&request.method()))
        }
        Message::Response(response) => Start::Response(response.status_code()),
    }
}

fn verb(method: &Method) -> Verb {
    match method {
        Method::Invite => Verb::Invite,
        Method::Register => Verb::Register,
        _ => Verb::Other,
    }
}
