//! `rsip`: the message is parsed into headers of text, each of which is typed when it is asked for.
//! `into_typed` is the way without a copy of the text.

use std::{hint::black_box, mem};

use bytes::Bytes;
use rsip::{
    Header, Headers, SipMessage,
    headers::{MaxForwards, ToTypedHeader, UntypedHeader, typed},
    message::HasHeaders,
};

use super::{Peer, Routing, Start, VIA, Verb};

/// rsip.
#[derive(Debug)]
pub struct Rsip;

impl Peer for Rsip {
    const NAME: &'static str = "rsip 0.4.0";
    type Parsed = SipMessage;
    type Built = SipMessage;
    type Written = Vec<u8>;

    fn route<R>(datagram: &Bytes, reader: impl FnOnce(&Routing<'_>) -> R) -> Option<R> {
        let mut message = SipMessage::try_from(&datagram[..]).ok()?;
        let (mut via, mut from, mut to, mut cseq) = (None, None, None, None);
        let (mut call_id, mut max_forwards, mut length) = (None, None, None);
        let mut has_route = false;
        for header in mem::take(message.headers_mut()) {
            match header {
                Header::Via(it) if via.is_none() => via = Some(it.into_typed().ok()?),
                Header::From(it) => from = Some(it.into_typed().ok()?),
                Header::To(it) => to = Some(it.into_typed().ok()?),
                Header::CSeq(it) => cseq = Some(it.into_typed().ok()?),
                Header::CallId(it) => call_id = Some(it),
                Header::MaxForwards(it) => max_forwards = Some(it.num().ok()?),
                Header::ContentLength(it) => length = Some(it.length().ok()? as usize),
                Header::Route(_) => has_route = true,
                _ => {}
            }
        }
        let (via, from, to, cseq): (typed::Via, typed::From, typed::To, typed::CSeq) =
            (via?, from?, to?, cseq?);
        let body = body(&message).len();
        if length.is_some_and(|length| length != body) {
            return None;
        }
        Some(reader(&Routing {
            start: start(&message),
            branch: via.branch()?.value(),
            from_tag: from.tag()?.value(),
            to_tag: to.tag().map(|tag| tag.value()),
            call_id: call_id.as_ref()?.value(),
            cseq: cseq.seq,
            cseq_method: verb(cseq.method),
            max_forwards,
            has_route,
            body,
        }))
    }

    fn full(datagram: &Bytes) -> Option<usize> {
        let mut message = SipMessage::try_from(&datagram[..]).ok()?;
        let mut rows = 0_usize;
        for header in mem::take(message.headers_mut()) {
            rows = rows.saturating_add(usize::from(read(header)?));
        }
        black_box(&message);
        Some(rows)
    }

    fn parsed(datagram: &Bytes) -> Option<SipMessage> {
        SipMessage::try_from(&datagram[..]).ok()
    }

    fn built(datagram: &Bytes) -> Option<SipMessage> {
        Self::parsed(datagram)
    }

    fn write(built: &mut SipMessage) -> Option<Vec<u8>> {
        // `Vec::from` would take the message; it does this.
        Some(built.to_string().into_bytes())
    }

    /// The list of headers has no way to put one first: it is made anew.
    fn edit(parsed: &mut SipMessage) -> Option<Vec<u8>> {
        let old: Vec<Header> = mem::take(parsed.headers_mut()).into();
        let is_request = matches!(parsed, SipMessage::Request(_));
        let mut new = Vec::with_capacity(old.len().saturating_add(1));
        let mut below = false;
        if is_request {
            new.push(rsip::headers::Via::new(VIA).into());
        }
        for header in old {
            match header {
                Header::Via(_) if !is_request && !below => below = true,
                Header::MaxForwards(hops) if is_request => {
                    new.push(MaxForwards::from(hops.num().ok()?.checked_sub(1)?).into());
                }
                other => new.push(other),
            }
        }
        *parsed.headers_mut() = Headers::from(new);
        Self::write(parsed)
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
            Start::Request(verb(*request.method()))
        }
        SipMessage::Response(response) => Start::Response(response.status_code().code()),
    }
}

fn verb(method: rsip::Method) -> Verb {
    match method {
        rsip::Method::Invite => Verb::Invite,
        rsip::Method::Register => Verb::Register,
        _ => Verb::Other,
    }
}

/// Whether there is a type for the header; none when it cannot be read.
fn read(header: Header) -> Option<bool> {
    macro_rules! typed {
        ($($name:ident)*) => {
            match header {
                $(Header::$name(it) => { black_box(&it.into_typed().ok()?); })*
                Header::MaxForwards(it) => { black_box(it.num().ok()?); }
                Header::ContentLength(it) => { black_box(it.length().ok()?); }
                Header::Expires(it) => { black_box(it.seconds().ok()?); }
                Header::CallId(it) => { black_box(it.value()); }
                Header::UserAgent(it) => { black_box(it.value()); }
                _ => return Some(false),
            }
        };
    }
    typed! {
        Accept Allow Authorization Contact ContentType CSeq From RecordRoute Route To Via
    }
    Some(true)
}
