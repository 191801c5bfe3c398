//! Writing a request outside of dialogs (RFC 3261 §8.1.1).

use offhook_sansio::{Flow, Protocol};
use offhook_sip_message::{
    CSeq, CallId, From, HeaderName, MaxForwards, Method, NameAddr, Request, RequestBuilder, Route,
    Text, To, Uri, UserAgent,
};

use crate::{
    Body, Error,
    call::for_from_or_to,
    dialog::{DialogId, MAX_FORWARDS, for_request_line},
    transaction::TransactionLayer,
};

/// What stays the same in all requests of one usage: who asks, about whom, by which Call-ID.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    from: From,
    to: To,
    call_id: CallId,
}

impl Identity {
    /// One with a tag and a Call-ID of its own (§8.1.1.3, §8.1.1.4).
    pub(crate) fn new(layer: &mut TransactionLayer, from: NameAddr, to: NameAddr) -> Self {
        Self {
            from: From::new(for_from_or_to(from)).with_tag(layer.new_tag()),
            to: To::new(for_from_or_to(to)),
            call_id: CallId(layer.new_call_id()),
        }
    }

    /// The dialog that a request with it asks for; the remote tag is not known so far.
    pub(crate) fn half_dialog(&self) -> DialogId {
        DialogId {
            call_id: self.call_id.0.clone(),
            local_tag: self.from.tag().unwrap_or_default().into(),
            remote_tag: None,
        }
    }
}

/// The start of one request.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) method: Method,
    pub(crate) target: &'a Uri,
    pub(crate) identity: &'a Identity,
    pub(crate) cseq: u32,
    pub(crate) flow: Flow,
    pub(crate) routes: &'a [Route],
    pub(crate) headers: &'a [(HeaderName, Text)],
}

impl Draft<'_> {
    /// All that does not depend on the method.
    pub(crate) fn compose(self, layer: &mut TransactionLayer) -> Result<RequestBuilder, Error> {
        let via = layer.new_via_of(&self.method, self.flow)?;
        let cseq = CSeq { number: self.cseq, method: self.method.clone() };
        let mut builder = Request::builder(self.method, &for_request_line(self.target))
            .header(&via)
            .header(&MaxForwards(MAX_FORWARDS))
            .header(&self.identity.from)
            .header(&self.identity.to)
            .header(&self.identity.call_id)
            .header(&cseq);
        for route in self.routes {
            builder = builder.header(route);
        }
        if !layer.config.user_agent.is_empty() {
            builder = builder.header(&UserAgent(layer.config.user_agent.clone()));
        }
        for (name, value) in self.headers {
            builder = builder.raw(name.clone(), value);
        }
        Ok(builder)
    }
}

pub(crate) fn with_body(builder: RequestBuilder, body: Option<Body>) -> RequestBuilder {
    match body {
        Some(body) => builder.body(&body.content_type, body.content),
        None => builder,
    }
}

/// A `sips` target needs TLS (§8.1.2).
pub(crate) fn check_security(target: &Uri, flow: Flow) -> Result<(), Error> {
    let secure = matches!(target, Uri::Sip(uri) if uri.secure);
    if secure && !matches!(flow.protocol, Protocol::Tls | Protocol::Wss) {
        return Err(Error::NotSecure { flow });
    }
    Ok(())
}

/// Header fields of the owner must not contradict those that are written here or by a usage.
pub(crate) fn check_headers(
    headers: &[(HeaderName, Text)],
    more: &[HeaderName],
) -> Result<(), Error> {
    let reserved = |name: &HeaderName| RESERVED.contains(name) || more.contains(name);
    match headers.iter().find(|(name, _)| reserved(name)) {
        Some((header, _)) => Err(Error::ReservedHeader { header: header.clone() }),
        None => Ok(()),
    }
}

const RESERVED: [HeaderName; 9] = [
    HeaderName::VIA,
    HeaderName::MAX_FORWARDS,
    HeaderName::FROM,
    HeaderName::TO,
    HeaderName::CALL_ID,
    HeaderName::CSEQ,
    HeaderName::RECORD_ROUTE,
    HeaderName::CONTENT_TYPE,
    HeaderName::CONTENT_LENGTH,
];
