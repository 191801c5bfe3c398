//! offhook's own side of the jobs.

use std::hint::black_box;

use bytes::Bytes;
use offhook_sip_message::{
    Accept, Allow, AllowEvents, CSeq, CallId, Contact, ContentDisposition, ContentEncoding,
    ContentLength, ContentType, Date, Expires, From, Header, Headers, Host, MaxForwards, Message,
    Method, MinExpires, Organization, PAssertedIdentity, Path, Priority, ProxyRequire, RSeq,
    Reason, RecordRoute, ReferTo, ReferredBy, ReplyTo, RequestBuilder, Require, ResponseBuilder,
    RetryAfter, Route, Server, ServiceRoute, Subject, Supported, Timestamp, To, Unsupported,
    UserAgent, Via, Warning,
};

use super::{Peer, Routing, Start, VIA_BRANCH, VIA_HOST, VIA_PORT, Verb};

/// This project.
#[derive(Debug)]
pub struct Offhook;

/// A builder with all that is to be written, taken when it is.
#[derive(Debug)]
pub enum Built {
    /// Of a request.
    Request(Option<Box<RequestBuilder>>),
    /// Of a response.
    Response(Option<Box<ResponseBuilder>>),
}

impl Peer for Offhook {
    const NAME: &'static str = "offhook";
    type Parsed = Message;
    type Built = Built;
    type Written = Bytes;

    fn route<R>(datagram: &Bytes, reader: impl FnOnce(&Routing<'_>) -> R) -> Option<R> {
        let message = Message::parse(datagram.clone()).ok()?;
        let headers = message.headers();
        let via: Via = first(headers)?;
        let (from, to): (From, To) = (first(headers)?, first(headers)?);
        let (call_id, cseq): (CallId, CSeq) = (first(headers)?, first(headers)?);
        let hops: Option<MaxForwards> = first(headers);
        Some(reader(&Routing {
            start: start(&message),
            branch: via.branch()?,
            from_tag: from.tag()?,
            to_tag: to.tag(),
            call_id: call_id.as_str(),
            cseq: cseq.number,
            cseq_method: verb(&cseq.method),
            max_forwards: hops.map(|MaxForwards(hops)| hops.into()),
            has_route: first::<Route>(headers).is_some(),
            body: message.body().len(),
        }))
    }

    fn full(datagram: &Bytes) -> Option<usize> {
        let message = Message::parse(datagram.clone()).ok()?;
        if let Message::Request(request) = &message {
            black_box(request.uri().ok()?);
        }
        black_box(message.body());
        let (rows, all_read) = Self::read_all(message.headers());
        all_read.then_some(rows)
    }

    fn parsed(datagram: &Bytes) -> Option<Message> {
        Message::parse(datagram.clone()).ok()
    }

    fn built(datagram: &Bytes) -> Option<Built> {
        Some(match Message::parse(datagram.clone()).ok()? {
            Message::Request(request) => Built::Request(Some(Box::new(request.edit()))),
            Message::Response(response) => Built::Response(Some(Box::new(response.edit()))),
        })
    }

    fn write(built: &mut Built) -> Option<Bytes> {
        match built {
            Built::Request(builder) => Some(builder.take()?.build().ok()?.as_bytes().clone()),
            Built::Response(builder) => Some(builder.take()?.build().ok()?.as_bytes().clone()),
        }
    }

    fn edit(parsed: &mut Message) -> Option<Bytes> {
        match parsed {
            Message::Request(request) => {
                let host = Host::V4(VIA_HOST.parse().ok()?);
                let via = Via::new("UDP", host, Some(VIA_PORT)).with_branch(VIA_BRANCH);
                let MaxForwards(hops) = request.header().ok()??;
                let hops = MaxForwards(hops.checked_sub(1)?);
                let forwarded = request.edit().prepend(&via).replace(&hops);
                Some(forwarded.build().ok()?.as_bytes().clone())
            }
            Message::Response(response) => {
                let forwarded = response.edit().remove_first::<Via>();
                Some(forwarded.build().ok()?.as_bytes().clone())
            }
        }
    }
}

fn first<H: Header>(headers: &Headers) -> Option<H> {
    headers.header().ok().flatten()
}

fn start(message: &Message) -> Start {
    match message {
        Message::Request(request) => {
            black_box(request.uri_text());
            Start::Request(verb(&request.method()))
        }
        Message::Response(response) => Start::Response(response.status().as_u16()),
    }
}

fn verb(method: &Method) -> Verb {
    match *method {
        Method::INVITE => Verb::Invite,
        Method::REGISTER => Verb::Register,
        _ => Verb::Other,
    }
}

/// Reads all values of each of these types that the message has, in one go over its rows.
macro_rules! typed {
    ($($header:ident)*) => {
        impl Offhook {
            /// Reads every value that there is a type for. Tells how many rows have one, and whether
            /// all of their values could be read.
            pub fn read_all(headers: &Headers) -> (usize, bool) {
                #[derive(Clone, Copy)]
                enum Bit { $($header),* }
                let (mut rows, mut seen, mut all_read) = (0_usize, 0_u128, true);
                for (name, _) in headers.iter() {
                    match name {
                        $(<$header as Header>::NAME => {
                            rows = rows.saturating_add(1);
                            let bit = 1_u128 << Bit::$header as u32;
                            if seen & bit == 0 {
                                seen |= bit;
                                all_read &= values::<$header>(headers);
                            }
                        })*
                        _ => {}
                    }
                }
                (rows, all_read)
            }
        }
    };
}
typed! {
    Accept Allow AllowEvents CSeq CallId Contact ContentDisposition ContentEncoding ContentLength
    ContentType Date Expires From MaxForwards MinExpires Organization PAssertedIdentity Path
    Priority ProxyRequire RSeq Reason RecordRoute ReferTo ReferredBy ReplyTo Require RetryAfter
    Route Server ServiceRoute Subject Supported Timestamp To Unsupported UserAgent Via Warning
}

/// Whether all values can be read.
fn values<H: Header>(headers: &Headers) -> bool {
    let mut all_read = true;
    for value in headers.headers_of::<H>() {
        all_read &= black_box(&value).is_ok();
    }
    all_read
}
