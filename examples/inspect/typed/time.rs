//! Points in time and spans of it.

use offhook::sip_message::{Date, RetryAfter, Timestamp};

use super::{Describe, parameters};
use crate::node::Node;

impl Describe for Date {
    fn describe(&self) -> Node {
        Node::map([("unix_seconds", self.unix_seconds.into())])
    }
}

impl Describe for Timestamp {
    fn describe(&self) -> Node {
        let delay = self.delay.as_deref();
        Node::map([("time", self.time.to_string().into()), ("delay", delay.into())])
    }
}

impl Describe for RetryAfter {
    fn describe(&self) -> Node {
        Node::map([
            ("seconds", self.seconds.into()),
            ("comment", self.comment.as_deref().into()),
            ("parameters", parameters(&self.parameters)),
        ])
    }
}
