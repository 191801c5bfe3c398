//! Header fields that are one number, one token or one text.

use offhook::sip_message::{self as sip, Allow, CSeq, CallId};

use super::Describe;
use crate::node::Node;

macro_rules! numbers {
    ($($header:ident)*) => {$(
        impl Describe for sip::$header {
            fn describe(&self) -> Node {
                self.0.into()
            }
        }
    )*};
}

numbers! { ContentLength Expires MaxForwards MinExpires RSeq }

macro_rules! texts {
    ($($header:ident)*) => {$(
        impl Describe for sip::$header {
            fn describe(&self) -> Node {
                let text: &str = &self.0;
                text.into()
            }
        }
    )*};
}

texts! {
    AllowEvents ContentEncoding Organization Priority ProxyRequire Require Server Subject Supported
    Unsupported UserAgent
}

impl Describe for Allow {
    fn describe(&self) -> Node {
        self.0.as_str().into()
    }
}

impl Describe for CallId {
    fn describe(&self) -> Node {
        self.as_str().into()
    }
}

impl Describe for CSeq {
    fn describe(&self) -> Node {
        Node::map([("number", self.number.into()), ("method", self.method.as_str().into())])
    }
}
