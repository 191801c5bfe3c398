//! What makes a message part of a transaction (RFC 3261 §17.1.3, §17.2.3).

use offhook_sansio::Protocol;
use offhook_sip_message::{Header, Method, Text, ValidRequest, ValidResponse, Via};

use crate::transport::default_port;

/// A client transaction: the branch of the top `Via`, and the method (§17.1.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientKey {
    branch: Text,
    method: Method,
}

impl ClientKey {
    pub(crate) fn of_request(request: &ValidRequest) -> Self {
        Self { branch: branch(request.via()).into(), method: request.cseq().method.clone() }
    }

    pub(crate) fn of_response(response: &ValidResponse) -> Self {
        Self { branch: branch(response.via()).into(), method: response.cseq().method.clone() }
    }
}

/// A server transaction (§17.2.3).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ServerKey {
    /// The branch has the magic cookie: it is unique within its sent-by.
    Branch { branch: Text, sent_by: SentBy, method: Method },
    /// It has not: an RFC 2543 client, known by all of these. The To tag is compared apart, since
    /// that of an ACK is the one of the response.
    Fields {
        request_uri: Text,
        from_tag: Option<Text>,
        call_id: Text,
        cseq: u32,
        via: Text,
        method: Method,
    },
}

/// Host and port of the top `Via`, in the form in which they are compared.
type SentBy = (Text, u16);

impl ServerKey {
    /// The key of the transaction that `request` creates or repeats.
    pub(crate) fn of(request: &ValidRequest, protocol: Protocol) -> Self {
        // An ACK belongs to the INVITE it acknowledges.
        let method = request.method();
        let method = if method == Method::ACK { Method::INVITE } else { method.clone() };
        Self::with_method(request, protocol, method)
    }

    /// The key that `request` would have if it were of `method`; so a CANCEL finds what it
    /// cancels (§9.2).
    pub(crate) fn with_method(request: &ValidRequest, protocol: Protocol, method: Method) -> Self {
        let via = request.via();
        // The cookie alone names nothing (RFC 4475 §3.2.1).
        if branch(via).len() > MAGIC_COOKIE.len() && branch(via).starts_with(MAGIC_COOKIE) {
            let host = via.host.to_string().to_ascii_lowercase();
            let sent_by = (host.into(), via.port.unwrap_or(default_port(protocol)));
            return Self::Branch { branch: branch(via).into(), sent_by, method };
        }
        Self::Fields {
            request_uri: request.request_uri().to_string().into(),
            from_tag: request.from().tag().map(Text::from),
            call_id: request.call_id().0.clone(),
            cseq: request.cseq().number,
            via: text(via),
            method,
        }
    }

    /// Whether the branch says nothing, so that the To tag takes part in the comparison.
    pub(crate) fn compares_to_tag(&self) -> bool {
        matches!(self, Self::Fields { .. })
    }
}

/// What the copies of one request that came on different paths have in common (§8.2.2.2).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MergeKey {
    from_tag: Option<Text>,
    call_id: Text,
    cseq: u32,
    method: Method,
}

impl MergeKey {
    /// `None` within a dialog, where requests do not fork.
    pub(crate) fn of(request: &ValidRequest) -> Option<Self> {
        request.to().tag().is_none().then(|| Self {
            from_tag: request.from().tag().map(Text::from),
            call_id: request.call_id().0.clone(),
            cseq: request.cseq().number,
            method: request.cseq().method.clone(),
        })
    }
}

fn text(header: &impl Header) -> Text {
    let mut text = String::new();
    header.write(&mut text);
    text.into()
}

fn branch(via: &Via) -> &str {
    via.branch().unwrap_or_default()
}

/// What the branch of every client of RFC 3261 begins with (§8.1.1.7).
pub(crate) const MAGIC_COOKIE: &str = "z9hG4bK";

#[cfg(test)]
mod tests;
