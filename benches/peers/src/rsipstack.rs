//! `rsipstack`: headers are text until they are typed. The typed values are parsed from borrowed
//! text, which spares the copy that `typed()` makes.

use std::hint::black_box;

use bytes::Bytes;
use offhook_benches::sip::{Peer, Routing, Start, VIA, Verb};
use rsipstack::sip::{
    HasHeaders, Header, Method, SipMessage,
    headers::{MaxForwards, Via, typed},
};

/// rsipstack.
#[derive(Debug)]
pub struct Rsipstack;

impl Peer for Rsipstack {
    const NAME: &'static str = "rsipstack 0.7.14";
    type Parsed = SipMessage;
    type Built = SipMessage;
    type Written = Vec<u8>;

    fn route<R>(datagram: &Bytes, reader: impl FnOnce(&Routing<'_>) -> R) -> Option<R> {
        let message = SipMessage::try_from(&datagram[..]).ok()?;
        let (mut via, mut from, mut to, mut cseq) = (None, None, None, None);
        let (mut call_id, mut max_forwards, mut length) = (None, None, None);
        let mut has_route = false;
        for header in message.headers().iter() {
            match header {
                Header::Via(it) if via.is_none() => via = typed::Via::parse(it.value()).ok(),
                Header::From(it) => from = typed::From::parse(it.value()).ok(),
                Header::To(it) => to = typed::To::parse(it.value()).ok(),
                Header::CSeq(it) => cseq = typed::CSeq::parse(it.value()).ok(),
                Header::CallId(it) => call_id = Some(it.value()),
                Header::MaxForwards(it) => max_forwards = Some(it.value().parse().ok()?),
                Header::ContentLength(it) => length = it.value().parse::<usize>().ok(),
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
            branch: via.branch()?.value(),
            from_tag: from.tag()?.value(),
            to_tag: to.tag().map(|tag| tag.value()),
            call_id: call_id?,
            cseq: cseq.seq,
            cseq_method: verb(&cseq.method),
            max_forwards,
            has_route,
            body,
        }))
    }

    fn full(datagram: &Bytes) -> Option<usize> {
        let message = SipMessage::try_from(&datagram[..]).ok()?;
        black_box(start(&message));
        let mut rows = 0;
        for header in message.headers().iter() {
            rows += usize::from(read(header)?);
        }
        Some(rows)
    }

    fn parsed(datagram: &Bytes) -> Option<SipMessage> {
        SipMessage::try_from(&datagram[..]).ok()
    }

    fn built(datagram: &Bytes) -> Option<SipMessage> {
        Self::parsed(datagram)
    }

    fn write(built: &mut SipMessage) -> Option<Vec<u8>> {
        Some(built.to_bytes())
    }

    fn edit(parsed: &mut SipMessage) -> Option<Vec<u8>> {
        let is_request = parsed.is_request();
        let headers = parsed.headers_mut();
        if !is_request {
            headers.remove_first(|header| matches!(header, Header::Via(_)));
            return Some(parsed.to_bytes());
        }
        for header in headers.iter_mut() {
            if let Header::MaxForwards(hops) = header {
                *hops = MaxForwards::from(hops.value().parse::<u32>().ok()?.checked_sub(1)?);
            }
        }
        headers.push_front(Via::new(VIA).into());
        Some(parsed.to_bytes())
    }
}

fn body(message: &SipMessage) -> &[u8] {
    match message {
        SipMessage::Request(request) => request.body(),
        SipMessage::Response(response) => response.body(),
    }
}

fn start(message: &SipMessage) -> Start {
    match message {
        SipMessage::Request(request) => {
            black_box(request.uri());
            Start::Request(verb(request.method()))
        }
        SipMessage::Response(response) => Start::Response(response.status_code().code()),
    }
}

fn verb(method: &Method) -> Verb {
    match method {
        Method::Invite => Verb::Invite,
        Method::Register => Verb::Register,
        _ => Verb::Other,
    }
}

/// Whether there is a type for the header; none when it cannot be read.
fn read(header: &Header) -> Option<bool> {
    macro_rules! typed {
        ($($name:ident: $parse:path),* $(,)?) => {
            match header {
                $(Header::$name(it) => { black_box(&$parse(it.value()).ok()?); })*
                Header::MaxForwards(it) => { black_box(it.value().parse::<u32>().ok()?); }
                Header::ContentLength(it) => { black_box(it.value().parse::<u32>().ok()?); }
                Header::MinSE(it) => { black_box(it.value().parse::<u32>().ok()?); }
                Header::CallId(it) => { black_box(it.value()); }
                Header::UserAgent(it) => { black_box(it.value()); }
                _ => return Some(false),
            }
        };
    }
    typed! {
        Allow: typed::Allow::parse,
        Authorization: typed::Authorization::parse,
        CSeq: typed::CSeq::parse,
        Contact: typed::Contact::parse_header_list,
        Diversion: typed::Diversion::parse,
        From: typed::From::parse,
        HistoryInfo: typed::HistoryInfo::parse,
        RecordRoute: typed::RecordRoute::parse_header_list,
        Route: typed::Route::parse_header_list,
        To: typed::To::parse,
        Via: typed::Via::parse,
    }
    Some(true)
}
