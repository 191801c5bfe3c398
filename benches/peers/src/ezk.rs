//! `ezk-sip-types`: a pull parser cuts the lines, each line is split and parsed into its type. To
//! route, only the lines that matter are parsed and no map of headers is made, since making one
//! copies each value. A message that is to be changed or written is such a map, as it is in `ezk-sip`.

use std::{
    fmt::Write,
    hint::black_box,
    iter::once,
    str::{FromStr, from_utf8},
};

use bytes::Bytes;
use ezk_sip_types::{
    Headers, Method, Name,
    header::{
        DecodeValues, HeaderParse,
        typed::{
            Accept, Allow, AuthResponse, CSeq, CallID, Contact, ContentLength, ContentType,
            Expires, FromTo, MaxForwards, MinSe, Routing as EzkRouting, SessionExpires, Supported,
            Via,
        },
    },
    host::{Host, HostPort},
    msg::{Line, MessageLine, PullParser},
    parse::Parse,
    print::{AppendCtx, PrintCtx, UriContext},
};
use offhook_benches::sip::{Peer, Routing, Start, VIA_BRANCH, VIA_HOST, VIA_PORT, Verb};

/// ezk-sip-types.
#[derive(Debug)]
pub struct Ezk;

/// A message as `ezk-sip` holds it.
#[derive(Debug)]
pub struct Held {
    line: MessageLine,
    headers: Headers,
    body: Bytes,
}

impl Peer for Ezk {
    const NAME: &'static str = "ezk-sip-types 0.6.5";
    type Parsed = Held;
    type Built = Held;
    type Written = String;

    fn route<R>(datagram: &Bytes, reader: impl FnOnce(&Routing<'_>) -> R) -> Option<R> {
        let mut lines = PullParser::new(datagram, 0);
        let start_line = start_line(datagram, &mut lines)?;
        let (mut via, mut from, mut to, mut cseq) = (None, None, None, None);
        let (mut call_id, mut max_forwards, mut length) = (None, None, None);
        let mut has_route = false;
        for line in &mut lines {
            let line = row(datagram, line.ok()?)?;
            let value = &line.value;
            match line.name.as_print_str() {
                "Via" if via.is_none() => via = Some(one::<Via>(value)?),
                "From" => from = Some(one::<FromTo>(value)?),
                "To" => to = Some(one::<FromTo>(value)?),
                "CSeq" => cseq = Some(one::<CSeq>(value)?),
                "Call-ID" => call_id = Some(one::<CallID>(value)?),
                "Max-Forwards" => max_forwards = Some(one::<MaxForwards>(value)?),
                "Content-Length" => length = Some(one::<ContentLength>(value)?),
                "Route" => has_route = true,
                _ => {}
            }
        }
        let (via, from, to, cseq) = (via?, from?, to?, cseq?);
        let body = datagram.len().checked_sub(lines.head_end())?;
        if length.is_some_and(|ContentLength(length)| length != body) {
            return None;
        }
        Some(reader(&Routing {
            start: start(&start_line),
            branch: via.params.get_val("branch")?,
            from_tag: from.tag.as_deref()?,
            to_tag: to.tag.as_deref(),
            call_id: &call_id.as_ref()?.0,
            cseq: cseq.cseq,
            cseq_method: verb(&cseq.method),
            max_forwards: max_forwards.map(|MaxForwards(hops)| hops.into()),
            has_route,
            body,
        }))
    }

    fn full(datagram: &Bytes) -> Option<usize> {
        let mut lines = PullParser::new(datagram, 0);
        black_box(&start_line(datagram, &mut lines)?);
        let mut rows = 0;
        for line in &mut lines {
            rows += usize::from(read(&row(datagram, line.ok()?)?)?);
        }
        black_box(datagram.get(lines.head_end()..)?);
        Some(rows)
    }

    fn parsed(datagram: &Bytes) -> Option<Held> {
        let mut lines = PullParser::new(datagram, 0);
        let line = start_line(datagram, &mut lines)?;
        let mut headers = Headers::new();
        for line in &mut lines {
            let Line { name, value } = row(datagram, line.ok()?)?;
            headers.insert(name, value);
        }
        Some(Held { line, headers, body: datagram.slice(lines.head_end()..) })
    }

    fn built(datagram: &Bytes) -> Option<Held> {
        Self::parsed(datagram)
    }

    fn write(built: &mut Held) -> Option<String> {
        let Held { line, headers, body } = built;
        let body = from_utf8(body).ok()?;
        let mut out = String::with_capacity(headers.printed_len() + body.len() + 256);
        let ctx = PrintCtx { method: line.request_method(), uri: Some(UriContext::ReqUri) };
        write!(out, "{}\r\n{headers}\r\n", line.print_ctx(ctx)).ok()?;
        out.push_str(body);
        Some(out)
    }

    /// The map has no way to put a value before others of its name, so they are put in again.
    fn edit(parsed: &mut Held) -> Option<String> {
        let old = parsed.headers.remove(&Name::VIA)?;
        if parsed.line.is_request() {
            let host = HostPort { host: Host::from_str(VIA_HOST).ok()?, port: Some(VIA_PORT) };
            parsed.headers.insert_named_front(&Via::new("UDP", host, VIA_BRANCH));
            for via in old {
                parsed.headers.insert(Name::VIA, via);
            }
            let edit = |hops: &mut MaxForwards| hops.0 = hops.0.saturating_sub(1);
            parsed.headers.edit_named(edit).ok()?;
        } else {
            for via in old.into_iter().skip(1) {
                parsed.headers.insert_front(Name::VIA, via);
            }
        }
        Self::write(parsed)
    }
}

fn start_line(datagram: &Bytes, lines: &mut PullParser<'_>) -> Option<MessageLine> {
    let line = from_utf8(lines.next()?.ok()?).ok()?;
    MessageLine::parse(datagram)(line).ok().map(|(_, line)| line)
}

fn row(datagram: &Bytes, line: &[u8]) -> Option<Line> {
    Line::parse(datagram, from_utf8(line).ok()?).ok().map(|(_, line)| line)
}

fn one<H: HeaderParse>(value: &bytesstr::BytesStr) -> Option<H> {
    H::parse(value.as_ref(), value).ok().map(|(_, header)| header)
}

fn start(line: &MessageLine) -> Start {
    match line {
        MessageLine::Request(line) => {
            black_box(&line.uri);
            Start::Request(verb(&line.method))
        }
        MessageLine::Response(line) => Start::Response(line.code.into_u16()),
    }
}

fn verb(method: &Method) -> Verb {
    match method {
        method if *method == Method::INVITE => Verb::Invite,
        method if *method == Method::REGISTER => Verb::Register,
        _ => Verb::Other,
    }
}

/// Whether there is a type for the header; none when it cannot be read.
fn read(line: &Line) -> Option<bool> {
    macro_rules! typed {
        ($($name:literal: $header:ty),* $(,)?) => {
            match line.name.as_print_str() {
                $($name => { black_box(&decode::<$header>(&line.value)?); })*
                _ => return Some(false),
            }
        };
    }
    typed! {
        "Accept": Vec<Accept>,
        "Allow": Vec<Allow>,
        "Authorization": AuthResponse,
        "CSeq": CSeq,
        "Call-ID": CallID,
        "Contact": Vec<Contact>,
        "Content-Length": ContentLength,
        "Content-Type": ContentType,
        "Expires": Expires,
        "From": FromTo,
        "Max-Forwards": MaxForwards,
        "Min-SE": MinSe,
        "Record-Route": Vec<EzkRouting>,
        "Route": Vec<EzkRouting>,
        "Session-Expires": SessionExpires,
        "Supported": Vec<Supported>,
        "To": FromTo,
        "Via": Vec<Via>,
    }
    Some(true)
}

fn decode<H: DecodeValues>(value: &bytesstr::BytesStr) -> Option<H> {
    H::decode(&mut once(value)).ok().map(|(_, header)| header)
}
