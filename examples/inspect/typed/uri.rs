//! URIs and parameters.

use offhook::sip_message::{Parameters, Uri};

use crate::node::Node;

/// A URI with its parts; one that is neither `sip` nor `sips` has only its text and its scheme.
pub(crate) fn uri(uri: &Uri) -> Node {
    let node = Node::map([("text", uri.to_string().into()), ("scheme", uri.scheme().into())]);
    let Some(sip) = uri.as_sip() else { return node };
    node.with("user", sip.user.as_deref().into())
        .with("password", sip.password.as_deref().into())
        .with("host", sip.host.to_string().into())
        .with("port", sip.port.into())
        .with("parameters", parameters(&sip.parameters))
        .with("headers", sip.headers.as_deref().into())
}

/// Parameters: the names have no case and stand in lower case, the values have no quotes.
pub(crate) fn parameters(parameters: &Parameters) -> Node {
    let value = |name: &str, value: Option<&str>| match value {
        Some(wire) => parameters.text(name).as_deref().unwrap_or(wire).into(),
        None => Node::Flag(true),
    };
    let entries = parameters.iter();
    Node::Map(entries.map(|(name, it)| (name.to_ascii_lowercase(), value(name, it))).collect())
}
