//! offhook's own side of the jobs.

use std::hint::black_box;

use bytes::Bytes;
use offhook_sip_message::{
    Accept, AcceptEncoding, AcceptLanguage, AcceptResourcePriority, AlertInfo, Allow, AllowEvents,
    AnswerMode, AuthenticationInfo, Authorization, CSeq, CallId, CallInfo, Contact,
    ContentDisposition, ContentEncoding, ContentLanguage, ContentLength, ContentType, Date,
    ErrorInfo, Event, Expires, FlowTimer, From, Geolocation, GeolocationError, GeolocationRouting,
    Header, Headers, Host, Identity, InReplyTo, InfoPackage, Join, MaxBreadth, MaxForwards,
    Message, MimeVersion, MinExpires, MinSe, Organization, PAccessNetworkInfo, PAssertedIdentity,
    PAssociatedUri, PCalledPartyId, PChargingFunctionAddresses, PChargingVector, PEarlyMedia,
    PPreferredIdentity, PServedUser, PVisitedNetworkId, Path, PermissionMissing, Priority,
    PrivAnswerMode, Privacy, ProxyAuthenticate, ProxyAuthorization, ProxyRequire, RAck, RSeq,
    Reason, RecordRoute, RecvInfo, ReferSub, ReferTo, ReferredBy, Replaces, ReplyTo, Request,
    RequestBuilder, Require, ResourcePriority, Response, ResponseBuilder, RetryAfter, Route,
    SecurityClient, SecurityServer, SecurityVerify, Server, ServiceRoute, SessionExpires,
    SessionId, SipEtag, SipIfMatch, Subject, SubscriptionState, Supported, SuppressIfMatch,
    TargetDialog, Timestamp, To, TriggerConsent, Unsupported, UserAgent, UserToUser, Via, Warning,
    WwwAuthenticate,
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

/// What a builder gives: the message, bytes and index.
#[derive(Debug)]
pub enum Written {
    /// A request.
    Request(Request),
    /// A response.
    Response(Response),
}

impl AsRef<[u8]> for Written {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Request(request) => request.as_bytes(),
            Self::Response(response) => response.as_bytes(),
        }
    }
}

impl Peer for Offhook {
    const NAME: &'static str = "offhook";
    type Parsed = Message;
    type Built = Built;
    type Written = Written;

    fn route<R>(datagram: &Bytes, reader: impl FnOnce(&Routing<'_>) -> R) -> Option<R> {
        let message = Message::parse(datagram.clone()).ok()?;
        let envelope = message.envelope().ok()?;
        Some(reader(&Routing {
            start: start(&message),
            branch: envelope.branch?,
            from_tag: envelope.from_tag?,
            to_tag: envelope.to_tag,
            call_id: envelope.call_id,
            cseq: envelope.cseq,
            cseq_method: verb(envelope.cseq_method),
            max_forwards: envelope.max_forwards.map(u32::from),
            has_route: envelope.route.is_some(),
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

    fn write(built: &mut Built) -> Option<Written> {
        match built {
            Built::Request(builder) => builder.take()?.build().ok().map(Written::Request),
            Built::Response(builder) => builder.take()?.build().ok().map(Written::Response),
        }
    }

    fn edit(parsed: &mut Message) -> Option<Written> {
        match parsed {
            Message::Request(request) => {
                let host = Host::V4(VIA_HOST.parse().ok()?);
                let via = Via::new("UDP", host, Some(VIA_PORT)).with_branch(VIA_BRANCH);
                let MaxForwards(hops) = request.header().ok()??;
                let hops = MaxForwards(hops.checked_sub(1)?);
                let forwarded = request.edit().prepend(&via).replace(&hops);
                forwarded.build().ok().map(Written::Request)
            }
            Message::Response(response) => {
                let forwarded = response.edit().remove_first::<Via>();
                forwarded.build().ok().map(Written::Response)
            }
        }
    }
}

fn start(message: &Message) -> Start {
    match message {
        Message::Request(request) => {
            black_box(request.uri_text());
            Start::Request(verb(request.method().as_str()))
        }
        Message::Response(response) => Start::Response(response.status().as_u16()),
    }
}

fn verb(method: &str) -> Verb {
    match method {
        "INVITE" => Verb::Invite,
        "REGISTER" => Verb::Register,
        _ => Verb::Other,
    }
}

/// Which type belongs to which name.
macro_rules! typed {
    ($($header:ident)*) => {
        impl Offhook {
            /// Reads every value that there is a type for. Tells how many rows have one, and whether
            /// all of their values could be read.
            pub fn read_all(headers: &Headers) -> (usize, bool) {
                let (mut rows, mut all_read) = (0_usize, true);
                for field in headers.fields() {
                    match field.name() {
                        $(<$header as Header>::NAME => {
                            rows = rows.saturating_add(1);
                            for value in field.values::<$header>() {
                                all_read &= black_box(&value).is_ok();
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
    Accept AcceptEncoding AcceptLanguage AcceptResourcePriority AlertInfo Allow AllowEvents
    AnswerMode AuthenticationInfo Authorization CSeq CallId CallInfo Contact ContentDisposition
    ContentEncoding ContentLanguage ContentLength ContentType Date ErrorInfo Event Expires
    FlowTimer From Geolocation GeolocationError GeolocationRouting Identity InReplyTo
    InfoPackage Join MaxBreadth MaxForwards MimeVersion MinExpires MinSe Organization
    PAccessNetworkInfo PAssertedIdentity PAssociatedUri PCalledPartyId
    PChargingFunctionAddresses PChargingVector PEarlyMedia PPreferredIdentity PServedUser
    PVisitedNetworkId Path PermissionMissing Priority PrivAnswerMode Privacy ProxyAuthenticate
    ProxyAuthorization ProxyRequire RAck RSeq Reason RecordRoute RecvInfo ReferSub ReferTo
    ReferredBy Replaces ReplyTo Require ResourcePriority RetryAfter Route SecurityClient
    SecurityServer SecurityVerify Server ServiceRoute SessionExpires SessionId SipEtag
    SipIfMatch Subject SubscriptionState Supported SuppressIfMatch TargetDialog Timestamp To
    TriggerConsent Unsupported UserAgent UserToUser Via Warning WwwAuthenticate
}
