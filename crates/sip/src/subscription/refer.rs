//! What the owner asks another to do (RFC 3515).

use offhook_sansio::Flow;
use offhook_sip_message::{
    Allow, CallId as CallIdField, HeaderName, NameAddr, ReferSub, ReferTo, ReferredBy,
    RequestBuilder, Require, TargetDialog, Text, Uri,
};

use super::{Ground, package::FORKS};
use crate::{
    CallId, Error, Login, RegistrationId,
    usage::{check_headers, check_security},
};

/// A reference: the peer is asked to contact somebody else (RFC 3515 §2).
#[derive(Clone, Debug)]
pub struct Refer {
    /// Whom to contact. For an attended transfer it is what
    /// [`UserAgent::replacing`](crate::UserAgent::replacing) gives: a URI with a `Replaces` header.
    pub refer_to: NameAddr,
    /// On whose behalf (RFC 3892 §2.1).
    pub referred_by: Option<NameAddr>,
    /// Whether the progress is to be told. `false` asks to go without (RFC 4488 §4); the peer may
    /// tell it nevertheless.
    pub subscribes: bool,
    /// The call that shows the peer who asks, in a REFER outside of it (RFC 4538 §3).
    pub target_dialog: Option<CallId>,
    /// More header fields, in order.
    pub headers: Vec<(HeaderName, Text)>,
    /// What to answer challenges with (RFC 3261 §22).
    pub logins: Vec<Login>,
}

impl Refer {
    /// A reference whose progress is to be told.
    pub fn to(refer_to: NameAddr) -> Self {
        Self {
            refer_to,
            referred_by: None,
            subscribes: true,
            target_dialog: None,
            headers: Vec::new(),
            logins: Vec::new(),
        }
    }
}

/// Whom a REFER outside of calls goes to (RFC 3515 §2.4.1).
#[derive(Clone, Debug)]
pub struct ReferOutside {
    /// The Request-URI and the To: the remote target of a call, if it is a GRUU (RFC 6665 §4.5.2).
    pub target: Uri,
    /// Who asks.
    pub from: NameAddr,
    /// Where to send to: the near end is a listener. If `registration` has a service route, the far
    /// end is its first proxy.
    pub flow: Flow,
    /// How many more subscriptions a REFER that was forked may make. Those beyond are refused.
    pub forks: usize,
    /// The registration whose service route the REFER takes (RFC 3608 §6.1).
    pub registration: Option<RegistrationId>,
}

impl ReferOutside {
    /// A REFER that may fork.
    pub fn new(target: Uri, from: NameAddr, flow: Flow) -> Self {
        Self { target, from, flow, forks: FORKS, registration: None }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        check_security(&self.target, self.flow)
    }
}

/// What a REFER says.
#[derive(Clone, Debug)]
pub(crate) struct Reference {
    refer_to: NameAddr,
    referred_by: Option<NameAddr>,
    pub(crate) subscribes: bool,
    target_dialog: Option<TargetDialog>,
}

impl Reference {
    /// What `refer` says.
    ///
    /// # Errors
    ///
    /// If a header field is written here, or the call that is to be named does not stand.
    pub(crate) fn of(ground: &Ground<'_>, refer: Refer) -> Result<Self, Error> {
        let Refer { refer_to, referred_by, subscribes, target_dialog, headers, .. } = refer;
        check_headers(&headers, &RESERVED)?;
        let named = target_dialog.map(|call| ground.calls.standing(call, "refer")).transpose()?;
        let target_dialog = named.map(|dialog| {
            let id = dialog.id();
            // As the peer sees it (RFC 4538 §3): its own tag is the local one.
            let theirs = id.remote_tag.clone().unwrap_or_default();
            TargetDialog::new(CallIdField(id.call_id.clone()), theirs, id.local_tag.clone())
        });
        Ok(Self { refer_to, referred_by, subscribes, target_dialog })
    }

    pub(crate) fn write(&self, builder: RequestBuilder, allow: &[Allow]) -> RequestBuilder {
        let refer_to = ReferTo::new(self.refer_to.uri.clone());
        let refer_to = ReferTo { address: self.refer_to.clone(), ..refer_to };
        let mut builder = builder.header(&refer_to).list(allow);
        if let Some(by) = &self.referred_by {
            let referred_by = ReferredBy::new(by.uri.clone());
            builder = builder.header(&ReferredBy { address: by.clone(), ..referred_by });
        }
        if !self.subscribes {
            builder = builder.header(&ReferSub::new(false));
        }
        match &self.target_dialog {
            // RFC 4538 §3: whoever relies on it requires it.
            Some(dialog) => {
                builder.header(dialog).header(&Require(Text::from_static(TARGET_DIALOG)))
            }
            None => builder,
        }
    }
}

/// What a REFER writes itself.
const RESERVED: [HeaderName; 7] = [
    HeaderName::REFER_TO,
    HeaderName::REFERRED_BY,
    HeaderName::REFER_SUB,
    HeaderName::TARGET_DIALOG,
    HeaderName::CONTACT,
    HeaderName::ALLOW,
    HeaderName::REQUIRE,
];
/// The option tag of RFC 4538 §11.3.
pub(crate) const TARGET_DIALOG: &str = "tdialog";
/// The option tag of RFC 4488 §4.
pub(crate) const NO_REFER_SUB: &str = "norefersub";
