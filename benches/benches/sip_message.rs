//! SIP messages: the jobs that `peers` measures many parsers by, here beside rsip alone, the parse
//! by itself, and the writing of a reply.

use std::{hint::black_box, time::Duration};

use bytes::Bytes;
use criterion::{Criterion, Throughput};
use offhook_benches::{
    CARRIER_INVITE, INVITE, MESSAGES,
    sip::{Job, Offhook, Rsip, candidates, received},
};
use offhook_sip_message::Message;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    scan(&mut criterion);
    for job in Job::ALL {
        both(&mut criterion, job);
    }
    reply(&mut criterion);
    criterion.final_summary();
}

fn both(criterion: &mut Criterion, job: Job) {
    let mut group = criterion.benchmark_group(job.name());
    for mut candidate in candidates::<Offhook>(job).into_iter().chain(candidates::<Rsip>(job)) {
        group.throughput(Throughput::Bytes(candidate.length as u64));
        let name = format!("{}/{}", candidate.message, candidate.peer);
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|times| candidate.run(times));
        });
    }
    group.finish();
}

/// The message as an index over its bytes, nothing typed.
fn scan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sip scan");
    for (name, message) in MESSAGES {
        let datagram = received(message);
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
    use offhook_sip_message::{
        Contact, ParseOptions, Request, Response, StatusCode, Uri, ValidRequest,
    };

    pub(super) fn valid(message: &'static [u8]) -> Option<ValidRequest> {
        let Ok(Message::Request(request)) = Message::parse(Bytes::from_static(message)) else {
            return None;
        };
        ValidRequest::new(Request::clone(&request), &ParseOptions::default()).ok()
    }

    pub(super) fn reply(request: &ValidRequest) -> Option<Bytes> {
        let contact = Contact::new("sip:bob@192.0.2.4".parse::<Uri>().ok()?);
        let reply = Response::reply_to(request, StatusCode::OK).to_tag("a6c85cf").header(&contact);
        Some(reply.body("application/sdp", BODY).build().ok()?.as_bytes().clone())
    }
}

mod theirs {
    use super::*;
    use rsip::{
        headers::{ToTypedHeader, UntypedHeader},
        message::HasHeaders,
    };

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
