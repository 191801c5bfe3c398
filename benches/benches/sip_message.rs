//! SIP messages: what a router reads, what an endpoint reads, and the writing of a reply.

use std::{hint::black_box, time::Duration};

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use offhook_benches::{CARRIER_INVITE, INVITE, OK};
use offhook_sip_message::{
    Allow, CSeq, CallId, Contact, ContentLength, ContentType, From, Header, Headers, MaxForwards,
    Message, ParseOptions, RecordRoute, Request, Response, StatusCode, To, ValidRequest, Via,
};

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    scan(&mut criterion);
    route(&mut criterion);
    read(&mut criterion);
    write(&mut criterion);
    reply(&mut criterion);
    criterion.final_summary();
}

const MESSAGES: [(&str, &[u8]); 3] =
    [("invite", INVITE), ("ok", OK), ("carrier invite", CARRIER_INVITE)];

/// The message as an index over its bytes, nothing typed.
fn scan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sip scan");
    for (name, message) in MESSAGES {
        let datagram = Bytes::from_static(message);
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_function(format!("{name}/offhook"), |bencher| {
            bencher.iter(|| Message::parse(black_box(&datagram).clone()).is_ok());
        });
        group.bench_function(format!("{name}/rsip"), |bencher| {
            bencher.iter(|| rsip::SipMessage::try_from(black_box(message)).is_ok());
        });
    }
    group.finish();
}

/// What a transaction layer routes by: start line, top Via, tags, Call-ID, CSeq, Max-Forwards.
fn route(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sip route");
    for (name, message) in MESSAGES {
        let datagram = Bytes::from_static(message);
        assert!(ours::route(&datagram).is_some() && theirs::route(message).is_some());
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_function(format!("{name}/offhook"), |bencher| {
            bencher.iter(|| ours::route(black_box(&datagram)));
        });
        group.bench_function(format!("{name}/rsip"), |bencher| {
            bencher.iter(|| theirs::route(black_box(message)));
        });
    }
    group.finish();
}

/// Every header field that both sides have a type for.
fn read(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sip read");
    for (name, message) in MESSAGES {
        let datagram = Bytes::from_static(message);
        assert_eq!(ours::read(&datagram), theirs::read(message));
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_function(format!("{name}/offhook"), |bencher| {
            bencher.iter(|| ours::read(black_box(&datagram)));
        });
        group.bench_function(format!("{name}/rsip"), |bencher| {
            bencher.iter(|| theirs::read(black_box(message)));
        });
    }
    group.finish();
}

/// A request that has been parsed is written again from its parts.
fn write(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sip write");
    for (name, message) in [("invite", INVITE), ("carrier invite", CARRIER_INVITE)] {
        let (Some(ours), Some(theirs)) = (ours::valid(message), theirs::request(message)) else {
            unreachable!("the messages are valid")
        };
        group.throughput(Throughput::Bytes(message.len() as u64));
        group.bench_function(format!("{name}/offhook"), |bencher| {
            bencher.iter(|| black_box(&ours).edit().build().is_ok());
        });
        group.bench_function(format!("{name}/rsip"), |bencher| {
            bencher.iter(|| Vec::from(black_box(&theirs).clone()));
        });
    }
    group.finish();
}

/// A 200 with a body for a request that has been parsed, down to the bytes to send.
fn reply(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sip reply");
    for (name, message) in [("invite", INVITE), ("carrier invite", CARRIER_INVITE)] {
        let (Some(ours), Some(theirs)) = (ours::valid(message), theirs::request(message)) else {
            unreachable!("the messages are valid")
        };
        group.bench_function(format!("{name}/offhook"), |bencher| {
            bencher.iter(|| ours::reply(black_box(&ours)));
        });
        group.bench_function(format!("{name}/rsip"), |bencher| {
            bencher.iter(|| theirs::reply(black_box(&theirs)));
        });
    }
    group.finish();
}

const BODY: &[u8] = b"v=0\r\no=bob 1 1 IN IP4 192.0.2.4\r\ns=-\r\nc=IN IP4 192.0.2.4\r\nt=0 0\r\n\
    m=audio 5000 RTP/AVP 0\r\n";

mod ours {
    use super::*;

    pub(super) fn route(datagram: &Bytes) -> Option<usize> {
        let message = Message::parse(datagram.clone()).ok()?;
        let via: Via = first(message.headers())?;
        let (from, to): (From, To) = (first(message.headers())?, first(message.headers())?);
        let (call_id, cseq): (CallId, CSeq) =
            (first(message.headers())?, first(message.headers())?);
        let hops = first::<MaxForwards>(message.headers()).map_or(70, |MaxForwards(hops)| hops);
        let tags = from.tag()?.len() + to.tag().map_or(0, str::len);
        Some(
            via.branch()?.len()
                + tags
                + call_id.as_str().len()
                + cseq.number as usize
                + usize::from(hops),
        )
    }

    /// How many values were read.
    pub(super) fn read(datagram: &Bytes) -> Option<usize> {
        let message = Message::parse(datagram.clone()).ok()?;
        let headers = message.headers();
        let lists = all::<Via>(headers) + all::<RecordRoute>(headers) + rows::<Allow>(headers);
        let addresses = all::<From>(headers) + all::<To>(headers) + all::<Contact>(headers);
        let numbers = all::<CSeq>(headers) + all::<MaxForwards>(headers);
        let body = all::<ContentType>(headers) + all::<ContentLength>(headers);
        Some(lists + addresses + numbers + body + all::<CallId>(headers))
    }

    pub(super) fn valid(message: &'static [u8]) -> Option<ValidRequest> {
        let Ok(Message::Request(request)) = Message::parse(Bytes::from_static(message)) else {
            return None;
        };
        ValidRequest::new(Request::clone(&request), &ParseOptions::default()).ok()
    }

    pub(super) fn reply(request: &ValidRequest) -> Option<Bytes> {
        let contact = Contact::new("sip:bob@192.0.2.4".parse::<offhook_sip_message::Uri>().ok()?);
        let reply = Response::reply_to(request, StatusCode::OK).to_tag("a6c85cf").header(&contact);
        Some(reply.body("application/sdp", BODY).build().ok()?.as_bytes().clone())
    }

    fn first<H: Header>(headers: &Headers) -> Option<H> {
        headers.header().ok().flatten()
    }

    fn all<H: Header>(headers: &Headers) -> usize {
        headers.headers_of::<H>().filter(Result::is_ok).map(black_box).count()
    }

    /// Rows of a list, each read in full: the other side reads a row as one value.
    fn rows<H: Header>(headers: &Headers) -> usize {
        usize::from(all::<H>(headers) > 0)
    }
}

mod theirs {
    use super::*;
    use rsip::{
        headers::{ToTypedHeader, UntypedHeader},
        message::{HasHeaders, HeadersExt},
    };

    pub(super) fn route(message: &[u8]) -> Option<usize> {
        let message = rsip::SipMessage::try_from(message).ok()?;
        let via = message.via_header().ok()?.typed().ok()?;
        let from = message.from_header().ok()?.typed().ok()?;
        let to = message.to_header().ok()?.typed().ok()?;
        let cseq = message.cseq_header().ok()?.typed().ok()?;
        let call_id = message.call_id_header().ok()?.value().len();
        let hops = message.max_forwards_header().ok().and_then(|it| it.num().ok()).unwrap_or(70);
        let tags = from.tag()?.value().len() + to.tag().map_or(0, |tag| tag.value().len());
        Some(via.branch()?.value().len() + tags + call_id + cseq.seq as usize + hops as usize)
    }

    pub(super) fn read(message: &[u8]) -> Option<usize> {
        let message = rsip::SipMessage::try_from(message).ok()?;
        Some(message.headers().iter().filter(|header| is_read(header)).count())
    }

    fn is_read(header: &rsip::Header) -> bool {
        use rsip::Header::*;
        match header {
            Via(it) => black_box(it.typed()).is_ok(),
            RecordRoute(it) => black_box(it.typed()).is_ok(),
            From(it) => black_box(it.typed()).is_ok(),
            To(it) => black_box(it.typed()).is_ok(),
            Contact(it) => black_box(it.typed()).is_ok(),
            CSeq(it) => black_box(it.typed()).is_ok(),
            Allow(it) => black_box(it.typed()).is_ok(),
            ContentType(it) => black_box(it.typed()).is_ok(),
            MaxForwards(it) => black_box(it.num()).is_ok(),
            ContentLength(it) => black_box(it.length()).is_ok(),
            CallId(it) => !black_box(it.value()).is_empty(),
            _ => false,
        }
    }

    pub(super) fn request(message: &[u8]) -> Option<rsip::Request> {
        rsip::Request::try_from(message).ok()
    }

    pub(super) fn reply(request: &rsip::Request) -> Option<Vec<u8>> {
        let mut headers = rsip::Headers::default();
        for header in request.headers().iter() {
            match header {
                rsip::Header::To(to) => {
                    let to = to.typed().ok()?.with_tag("a6c85cf".into());
                    headers.push(to.into());
                }
                rsip::Header::Via(_)
                | rsip::Header::From(_)
                | rsip::Header::CallId(_)
                | rsip::Header::CSeq(_) => headers.push(header.clone()),
                _ => {}
            }
        }
        headers.push(rsip::headers::Contact::new("<sip:bob@192.0.2.4>").into());
        headers.push(rsip::headers::ContentType::new("application/sdp").into());
        headers.push(rsip::headers::ContentLength::new(BODY.len().to_string()).into());
        let (status_code, version) = (rsip::StatusCode::OK, rsip::Version::V2);
        let response = rsip::Response { status_code, version, headers, body: BODY.to_vec() };
        Some(Vec::from(response))
    }
}
