//! `Via`.

use offhook::sip_message::Via;

use super::{Describe, parameters};
use crate::node::Node;

impl Describe for Via {
    fn describe(&self) -> Node {
        Node::map([
            ("transport", self.transport.to_string().into()),
            ("host", self.host.to_string().into()),
            ("port", self.port.into()),
            ("parameters", parameters(&self.parameters)),
        ])
    }
}
