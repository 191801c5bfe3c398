//! What the body is, and why something happened: a token or two and parameters.

use offhook::sip_message::{Accept, ContentDisposition, ContentType, MediaType, Reason, Warning};

use super::{Describe, parameters};
use crate::node::Node;

fn media_type(it: &MediaType) -> Node {
    Node::map([
        ("type", it.kind.to_string().into()),
        ("subtype", it.subtype.to_string().into()),
        ("parameters", parameters(&it.parameters)),
    ])
}

impl Describe for Accept {
    fn describe(&self) -> Node {
        media_type(&self.0)
    }
}

impl Describe for ContentType {
    fn describe(&self) -> Node {
        media_type(&self.0)
    }
}

impl Describe for ContentDisposition {
    fn describe(&self) -> Node {
        Node::map([
            ("disposition", self.disposition.to_string().into()),
            ("parameters", parameters(&self.parameters)),
        ])
    }
}

impl Describe for Reason {
    fn describe(&self) -> Node {
        Node::map([
            ("protocol", self.protocol.to_string().into()),
            ("cause", self.cause().into()),
            ("parameters", parameters(&self.parameters)),
        ])
    }
}

impl Describe for Warning {
    fn describe(&self) -> Node {
        Node::map([
            ("code", self.code.into()),
            ("agent", self.agent.to_string().into()),
            ("text", self.text.to_string().into()),
        ])
    }
}
