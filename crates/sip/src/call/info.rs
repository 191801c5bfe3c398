//! INFO, in both directions: of an info package (RFC 6086), or of old, such as DTMF digits in
//! `application/dtmf-relay`.
//!
//! 1. Each side lists in `Recv-Info` the packages that it takes, in INVITE and what answers it.
//! 2. An INFO of a listed package, or one without package, is answered with 200 and told.
//! 3. An INFO of any other package gets 469, and the call goes on.

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{
    ContentDisposition, Header, HeaderName, Headers, InfoPackage, Method, RecvInfo, RequestBuilder,
    ResponseBuilder, StatusCode, Text, ValidRequest, ValidResponse,
};

use super::{
    CallId, Calls,
    acknowledge::body_of,
    inspect::{self, Asker},
    invite::supported,
    refresh::{Failed, Purpose},
    request::{Asking, OutgoingRequest},
};
use crate::{
    Body, Error, Event, Fork,
    dialog::DialogId,
    transaction::TransactionLayer,
    usage::{check_headers, with_body},
};

/// Something to tell the peer of a call that does not concern its session (RFC 6086).
#[derive(Clone, Debug, Default)]
pub struct Info {
    /// The package it is of; `None` for the ways of old, such as DTMF digits (RFC 6086 §2).
    pub package: Option<InfoPackage>,
    /// What is told.
    pub body: Option<Body>,
    /// More header fields, in order.
    pub headers: Vec<(HeaderName, Text)>,
    /// The early dialog to tell it in; `None` if there is only one.
    pub fork: Option<Fork>,
}

/// Names one INFO of ours, until its response or failure is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InfoId(pub(super) u64);

impl Calls {
    /// Sends an INFO (RFC 6086 §4.2.1).
    pub(crate) fn info(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        info: Info,
    ) -> Result<InfoId, Error> {
        if layer.is_full(layer.config.max_calls) {
            return Err(Error::TooManyTransactions);
        }
        check_headers(&info.headers, &WRITTEN_HERE)?;
        self.check_dialog(call, "info")?;
        let timer = self.session_timer(call);
        let usage = self.usage(call, info.fork)?;
        if let Some(package) = info.package.as_ref().map(|package| &package.package)
            && !usage.takes_packages.contains(package)
        {
            return Err(Error::PackageNotTaken { package: package.clone() });
        }
        // Sent with a copy, so that a refusal here leaves the sequence number alone.
        let mut copy = usage.dialog.clone();
        let dialog = copy.id().clone();
        let (builder, flow) = copy.request(layer, Method::INFO)?;
        let builder = builder.list(&supported(layer, &timer));
        let request = write(builder, info).build();
        let request = request.map_err(|error| Error::Unbuildable(error.to_string()))?;
        let request = self.authorize(layer, call, request)?;
        let id = InfoId(self.infos);
        let asking = Asking { call, dialog, flow, purpose: Purpose::User, info: Some(id) };
        self.ask(layer, now, OutgoingRequest { asking, request })?;
        self.infos = self.infos.wrapping_add(1);
        Ok(id)
    }

    /// An INFO of the peer (§4.2.2). Whether it is of use says another INFO, not the response.
    pub(super) fn info_received(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        dialog: &DialogId,
        request: ValidRequest,
        flow: Flow,
    ) {
        let Some(usage) = self.usage_of(call, dialog) else {
            let status = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
            return inspect::answer(layer, now, &request, flow, status);
        };
        let fork = usage.fork;
        let Ok(package) = request.header::<InfoPackage>() else {
            return inspect::answer(layer, now, &request, flow, StatusCode::BAD_REQUEST);
        };
        if let Some(package) = &package
            && !layer.config.info_packages.contains(&package.package)
        {
            let tag = layer.stateless_tag(&request);
            let builder = layer.reply(&request, StatusCode::BAD_INFO_PACKAGE, &tag);
            let builder = builder.list(&taken(layer));
            return inspect::send(layer, now, &request, flow, builder, Asker::Peer);
        }
        inspect::answer(layer, now, &request, flow, StatusCode::OK);
        let body = body_of(&request);
        self.events.push_back(Event::Info { call, fork, package, body, request });
    }

    /// The final response to an INFO of ours.
    pub(super) fn info_answered(&mut self, call: CallId, info: InfoId, response: ValidResponse) {
        if self.get(call).is_ok() {
            self.events.push_back(Event::InfoAnswered { call, info, response });
        }
    }

    /// An INFO of ours has had no final response.
    pub(super) fn info_failed(&mut self, call: CallId, info: InfoId, failed: &Failed) {
        if self.get(call).is_ok() {
            let status = failed.status;
            self.events.push_back(Event::InfoFailed { call, info, status });
        }
    }
}

fn write(builder: RequestBuilder, info: Info) -> RequestBuilder {
    let mut builder = builder;
    if let Some(package) = &info.package {
        builder = builder.header(package);
        if info.body.is_some() {
            // §4.3.1.
            builder = builder.header(&ContentDisposition::new(INFO_PACKAGE));
        }
    }
    for (name, value) in &info.headers {
        builder = builder.raw(name.clone(), value);
    }
    with_body(builder, info.body)
}

/// Whether INFO is for calls to take.
pub(super) fn is_taken(layer: &TransactionLayer) -> bool {
    let config = &layer.config;
    config.allow.contains(&Method::INFO) && !config.answered_by_owner.contains(&Method::INFO)
}

/// What an INVITE says of the packages that are taken (§5.2.3): an empty field if none is.
pub(super) fn ask(layer: &TransactionLayer, builder: RequestBuilder) -> RequestBuilder {
    if is_taken(layer) { builder.list(&taken(layer)) } else { builder }
}

/// The same in the answer to `request`, if that says it too (§5.2.3).
pub(super) fn tell(
    layer: &TransactionLayer,
    request: &ValidRequest,
    builder: ResponseBuilder,
) -> ResponseBuilder {
    let asked = request.headers().count(HeaderName::RECV_INFO) > 0;
    if asked && is_taken(layer) { builder.list(&taken(layer)) } else { builder }
}

fn taken(layer: &TransactionLayer) -> Vec<RecvInfo> {
    layer.config.info_packages.iter().cloned().map(RecvInfo::new).collect()
}

/// The packages that the peer takes, if the message tells of them.
pub(super) fn packages(headers: &Headers) -> Option<Vec<Text>> {
    let told = headers.count(RecvInfo::NAME) > 0;
    let listed = headers.headers_of::<RecvInfo>().flatten().map(|listed| listed.package);
    told.then(|| listed.take(MOST_PACKAGES).collect())
}

const WRITTEN_HERE: [HeaderName; 3] =
    [HeaderName::INFO_PACKAGE, HeaderName::RECV_INFO, HeaderName::CONTENT_DISPOSITION];
/// The disposition of a body that belongs to a package (RFC 6086 §4.3.1).
const INFO_PACKAGE: &str = "Info-Package";
/// How many packages of a peer are remembered: far above any use.
const MOST_PACKAGES: usize = 64;
