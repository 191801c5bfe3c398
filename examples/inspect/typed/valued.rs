//! Header fields that are one value and the parameters behind it.

use offhook::sip_message::{
    self as sip, Geolocation, Identity, InfoTarget, Reason, RetryAfter, SessionId, TriggerConsent,
};

use super::{Describe, parameters, uri};
use crate::node::Node;

macro_rules! texts {
    ($($header:ident $value:ident;)*) => {$(
        impl Describe for sip::$header {
            fn describe(&self) -> Node {
                Node::map([
                    (stringify!($value), self.$value.to_string().into()),
                    ("parameters", parameters(&self.parameters)),
                ])
            }
        }
    )*};
}

texts! {
    AcceptEncoding coding;
    AcceptLanguage range;
    AnswerMode mode;
    ContentDisposition disposition;
    Event event_type;
    InfoPackage package;
    PAccessNetworkInfo access;
    PChargingVector icid_value;
    PVisitedNetworkId network;
    PrivAnswerMode mode;
    RecvInfo package;
    SecurityClient mechanism;
    SecurityServer mechanism;
    SecurityVerify mechanism;
    SubscriptionState state;
    UserToUser data;
}

macro_rules! scalars {
    ($($header:ident $value:ident;)*) => {$(
        impl Describe for sip::$header {
            fn describe(&self) -> Node {
                Node::map([
                    (stringify!($value), self.$value.into()),
                    ("parameters", parameters(&self.parameters)),
                ])
            }
        }
    )*};
}

scalars! {
    GeolocationError code;
    MinSe seconds;
    ReferSub subscribes;
    SessionExpires seconds;
}

macro_rules! infos {
    ($($header:ident)*) => {$(
        impl Describe for sip::$header {
            fn describe(&self) -> Node {
                let (target, text) = match &self.target {
                    InfoTarget::Uri(it) => (uri(it), Node::Null),
                    InfoTarget::Text(text) => (Node::Null, text.to_string().into()),
                };
                let parameters = parameters(&self.parameters);
                Node::map([("uri", target), ("text", text), ("parameters", parameters)])
            }
        }
    )*};
}

infos! { AlertInfo CallInfo ErrorInfo }

impl Describe for Geolocation {
    fn describe(&self) -> Node {
        Node::map([("uri", uri(&self.uri)), ("parameters", parameters(&self.parameters))])
    }
}

impl Describe for TriggerConsent {
    fn describe(&self) -> Node {
        Node::map([("uri", uri(&self.uri)), ("parameters", parameters(&self.parameters))])
    }
}

impl Describe for Identity {
    fn describe(&self) -> Node {
        Node::map([
            ("signed_identity_digest", self.signed_identity_digest.to_string().into()),
            ("info", self.info.as_ref().map_or(Node::Null, uri)),
            ("parameters", parameters(&self.parameters)),
        ])
    }
}

macro_rules! parameters_only {
    ($($header:ident)*) => {$(
        impl Describe for sip::$header {
            fn describe(&self) -> Node {
                Node::map([("parameters", parameters(&self.parameters))])
            }
        }
    )*};
}

parameters_only! { AcceptContact FeatureCaps PChargingFunctionAddresses RejectContact }

impl Describe for Reason {
    fn describe(&self) -> Node {
        Node::map([
            ("protocol", self.protocol.to_string().into()),
            ("cause", self.cause().into()),
            ("parameters", parameters(&self.parameters)),
        ])
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

impl Describe for SessionId {
    fn describe(&self) -> Node {
        let remote = self.remote.map(|remote| remote.to_string());
        Node::map([
            ("local", self.local.to_string().into()),
            ("remote", remote.into()),
            ("parameters", parameters(&self.parameters)),
        ])
    }
}
