//! Header fields that hold an address and parameters.

use offhook::sip_message::{self as sip, Contact, NameAddr, Parameters};

use super::{Describe, parameters, uri};
use crate::node::Node;

/// An address with the parameters behind it.
pub(super) fn address(address: &NameAddr, behind: &Parameters) -> Node {
    Node::map([
        ("display_name", address.display_name.as_deref().into()),
        ("uri", uri(&address.uri)),
        ("parameters", parameters(behind)),
    ])
}

macro_rules! addresses {
    ($($header:ident)*) => {$(
        impl Describe for sip::$header {
            fn describe(&self) -> Node {
                address(&self.address, &self.parameters)
            }
        }
    )*};
}

addresses! {
    Diversion From HistoryInfo PAssertedIdentity PAssociatedUri PCalledPartyId PPreferredIdentity PServedUser Path
    PermissionMissing RecordRoute ReferTo ReferredBy ReplyTo Route ServiceRoute To
}

impl Describe for Contact {
    fn describe(&self) -> Node {
        match self {
            Self::Star => "*".into(),
            Self::Address { address: name_addr, parameters } => address(name_addr, parameters),
        }
    }
}
