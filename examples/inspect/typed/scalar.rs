//! Header fields that are one number, one token or one text.

use offhook::sip_message::{
    self as sip, CallId, InReplyTo, Privacy, PrivacyValue, SuppressIfMatch,
};

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

numbers! { ContentLength Expires FlowTimer MaxBreadth MaxForwards MinExpires RSeq }

macro_rules! texts {
    ($($header:ident)*) => {$(
        impl Describe for sip::$header {
            fn describe(&self) -> Node {
                self.0.to_string().into()
            }
        }
    )*};
}

texts! {
    Allow AllowEvents ContentEncoding ContentLanguage Organization Priority ProxyRequire Require
    RequestDisposition Server SipEtag SipIfMatch Subject Supported Unsupported UserAgent
}

macro_rules! tokens {
    ($($header:ident)*) => {$(
        impl Describe for sip::$header {
            fn describe(&self) -> Node {
                self.as_str().into()
            }
        }
    )*};
}

tokens! { CallId GeolocationRouting PEarlyMedia }

impl Describe for InReplyTo {
    fn describe(&self) -> Node {
        CallId::describe(&self.0)
    }
}

impl Describe for Privacy {
    fn describe(&self) -> Node {
        self.0.iter().map(PrivacyValue::as_str).collect()
    }
}

impl Describe for SuppressIfMatch {
    fn describe(&self) -> Node {
        match self {
            Self::Any => "*".into(),
            Self::EntityTag(tag) => tag.to_string().into(),
        }
    }
}
