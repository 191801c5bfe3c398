//! Header fields of several values in a fixed order.

use offhook::sip_message::{
    self as sip, Accept, CSeq, ContentType, Date, MediaType, MimeVersion, RAck, Timestamp, Via,
    Warning,
};

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

impl Describe for CSeq {
    fn describe(&self) -> Node {
        Node::map([("number", self.number.into()), ("method", self.method.as_str().into())])
    }
}

impl Describe for RAck {
    fn describe(&self) -> Node {
        Node::map([
            ("response_number", self.response_num.into()),
            ("cseq_number", self.cseq_num.into()),
            ("method", self.method.as_str().into()),
        ])
    }
}

macro_rules! media_types {
    ($($header:ident)*) => {$(
        impl Describe for $header {
            fn describe(&self) -> Node {
                let MediaType { kind, subtype, parameters: behind } = &self.0;
                Node::map([
                    ("type", kind.to_string().into()),
                    ("subtype", subtype.to_string().into()),
                    ("parameters", parameters(behind)),
                ])
            }
        }
    )*};
}

media_types! { Accept ContentType }

macro_rules! dialogs {
    ($($header:ident)*) => {$(
        impl Describe for sip::$header {
            fn describe(&self) -> Node {
                Node::map([
                    ("call_id", self.call_id().as_str().into()),
                    ("parameters", parameters(self.parameters())),
                ])
            }
        }
    )*};
}

dialogs! { Join Replaces TargetDialog }

macro_rules! resource_priorities {
    ($($header:ident)*) => {$(
        impl Describe for sip::$header {
            fn describe(&self) -> Node {
                Node::map([
                    ("namespace", self.namespace.to_string().into()),
                    ("priority", self.priority.to_string().into()),
                ])
            }
        }
    )*};
}

resource_priorities! { AcceptResourcePriority ResourcePriority }

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

impl Describe for MimeVersion {
    fn describe(&self) -> Node {
        Node::map([("major", self.major.into()), ("minor", self.minor.into())])
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
