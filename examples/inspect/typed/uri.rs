//! URIs and parameters.

use offhook::sip_message::{Parameters, SipUri, TelUri, Uri};

use crate::node::Node;

/// A URI with its parts; one of a scheme that is not taken apart has its text and its scheme.
pub(crate) fn uri(uri: &Uri) -> Node {
    let node = Node::map([("text", uri.to_string().into()), ("scheme", uri.scheme().into())]);
    match uri {
        Uri::Sip(sip) => with_sip(node, sip),
        Uri::Tel(tel) => with_tel(node, tel),
        Uri::Absolute(_) => node,
    }
}

fn with_sip(node: Node, sip: &SipUri) -> Node {
    node.with("user", sip.user.as_deref().into())
        .with("password", sip.password.as_deref().into())
        .with("host", sip.host.to_string().into())
        .with("port", sip.port.into())
        .with("parameters", parameters(&sip.parameters))
        .with("headers", sip.headers.as_deref().into())
}

fn with_tel(node: Node, tel: &TelUri) -> Node {
    node.with("number", tel.number().into())
        .with("digits", tel.digits().as_ref().into())
        .with("parameters", pairs(tel.parameters()))
}

/// Parameters: the names have no case and stand in lower case, the values have no quotes.
pub(crate) fn parameters(parameters: &Parameters) -> Node {
    let value = |name: &str| parameters.text(name);
    let Node::Map(entries) = pairs(parameters.iter()) else { return Node::Null };
    let plain = |(name, it): (String, Node)| match value(&name) {
        Some(text) => (name, text.as_ref().into()),
        None => (name, it),
    };
    Node::Map(entries.into_iter().map(plain).collect())
}

/// Names and values; a name without a value is true.
fn pairs<'a>(pairs: impl Iterator<Item = (&'a str, Option<&'a str>)>) -> Node {
    let value = |value: Option<&str>| value.map_or(Node::Flag(true), Node::from);
    Node::Map(pairs.map(|(name, it)| (name.to_ascii_lowercase(), value(it))).collect())
}
