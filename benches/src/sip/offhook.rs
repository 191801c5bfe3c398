//! offhook's own side of the jobs.

use std::hint::black_box;

use bytes::Bytes;
use offhook_sip_message::{
    Accept, AcceptContact, AcceptEncoding, AcceptLanguage, AcceptResourcePriority, AlertInfo,
    Allow, AllowEvents, AnswerMode, AuthenticationInfo, Authorization, CSeq, CallId, CallInfo,
    Contact, ContentDisposition, ContentEncoding, ContentLanguage, ContentLength, ContentType,
    Date, Diversion, ErrorInfo, Event, Expires, FeatureCaps, FlowTimer, From, Geolocation,
    GeolocationError, GeolocationRouting, Header, HeaderName, Headers, HistoryInfo, Identity,
    InReplyTo, InfoPackage, Join, MaxBreadth, MaxForwards, Message, MimeVersion, MinExpires, MinSe,
    Organization, Outline, PAccessNetworkInfo, PAssertedIdentity, PAssociatedUri, PCalledPartyId,
    PChargingFunctionAddresses, PChargingVector, PEarlyMedia, PPreferredIdentity, PServedUser,
    PVisitedNetworkId, ParseOptions, Path, PermissionMissing, Priority, PrivAnswerMode, Privacy,
    ProxyAuthenticate, ProxyAuthorization, ProxyRequire, RAck, RSeq, Reason, RecordRoute, RecvInfo,
    ReferSub, ReferTo, ReferredBy, RejectContact, Replaces, ReplyTo, RequestBuilder,
    RequestDisposition, Require, ResourcePriority, ResponseBuilder, RetryAfter, Route,
    SecurityClient, SecurityServer, SecurityVerify, Server, ServiceRoute, SessionExpires,
    SessionId, SipEtag, SipIfMatch, StartLine, Subject, SubscriptionState, Supported,
    SuppressIfMatch, TargetDialog, Timestamp, To, TriggerConsent, Unsupported, UserAgent,
    UserToUser, Via, Warning, WwwAuthenticate,
};

use super::{Peer, Routing, Start, VIA, Verb};

/// This project.
#[derive(Debug)]
pub struct Offhook;

/// A builder with all that is to be written.
#[derive(Debug)]
pub enum Built {
    /// Of a request.
    Request(RequestBuilder),
    /// Of a response.
    Response(ResponseBuilder),
}

impl Peer for Offhook {
    const NAME: &'static str = "offhook";
    type Parsed = Message;
    type Built = Built;
    type Written = Bytes;

    fn route<R>(datagram: &Bytes, reader: impl FnOnce(&Routing<'_>) -> R) -> Option<R> {
        let Outline { start_line, envelope, body } =
            Outline::of(datagram, &ParseOptions::default()).ok()?;
        Some(reader(&Routing {
            start: start(start_line),
            branch: envelope.branch?,
            from_tag: envelope.from_tag?,
            to_tag: envelope.to_tag,
            call_id: envelope.call_id,
            cseq: envelope.cseq,
            cseq_method: verb(envelope.cseq_method),
            max_forwards: envelope.max_forwards.map(u32::from),
            has_route: envelope.route.is_some(),
            body: body.len(),
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
            Message::Request(request) => Built::Request(request.edit()),
            Message::Response(response) => Built::Response(response.edit()),
        })
    }

    fn write(built: &mut Built) -> Option<Bytes> {
        match built {
            Built::Request(builder) => builder.to_bytes().ok(),
            Built::Response(builder) => builder.to_bytes().ok(),
        }
    }

    fn edit(parsed: &mut Message) -> Option<Bytes> {
        match parsed {
            Message::Request(request) => {
                let MaxForwards(hops) = request.header().ok()??;
                let hops = MaxForwards(hops.checked_sub(1)?);
                request.edit().prepend_raw(HeaderName::VIA, VIA).replace(&hops).to_bytes().ok()
            }
            Message::Response(response) => response.edit().remove_first::<Via>().to_bytes().ok(),
        }
    }
}

fn start(start_line: StartLine<'_>) -> Start {
    match start_line {
        StartLine::Request { method, uri } => {
            black_box(uri);
            Start::Request(verb(method))
        }
        StartLine::Response { status } => Start::Response(status.as_u16()),
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
    Accept AcceptContact AcceptEncoding AcceptLanguage AcceptResourcePriority AlertInfo Allow AllowEvents
    AnswerMode AuthenticationInfo Authorization CSeq CallId CallInfo Contact ContentDisposition
    ContentEncoding ContentLanguage ContentLength ContentType Date Diversion ErrorInfo Event FeatureCaps HistoryInfo RejectContact RequestDisposition Expires
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
