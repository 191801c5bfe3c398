//! What handles ask of the driver.

use bytes::Bytes;
use offhook_audio::{Sink, Source};
use offhook_core::{CallId, CallStatistics, Fork};
use offhook_sip::{Body, IncomingId, Info, Push, Referral, ReferralId};
use offhook_sip_message::{NameAddr, Reason, StatusCode, Uri};
use tokio::sync::oneshot;

use crate::{
    Account, AccountId, Call, Error, Publication, Transfer,
    account::Settings,
    driver::{Asking, respond},
    place::Extras,
    publication::{PublicationKey, Published},
    subscriber, subscription,
};

/// A request of a handle. A dropped reply is harmless: the handle has lost interest.
pub(crate) enum Command {
    /// The reply is a handle, so that a caller who has lost interest ends the call by dropping it.
    Call(Box<NewCall>),
    Transfer {
        call: CallId,
        refer_to: Box<NameAddr>,
        reply: Reply<Transfer>,
    },
    TransferTo {
        call: CallId,
        other: CallId,
        reply: Reply<Transfer>,
    },
    AcceptTransfer {
        id: ReferralId,
        referral: Box<Referral>,
        call: Option<CallId>,
        reply: Reply<Call>,
    },
    /// Without reply if nobody waits for it.
    RejectTransfer {
        id: ReferralId,
        status: StatusCode,
        reply: Option<Reply<()>>,
    },
    /// The reply is the final status.
    Info {
        call: CallId,
        info: Box<Info>,
        reply: Reply<StatusCode>,
    },
    /// Without reply if nobody waits for it.
    Describe {
        call: CallId,
        described: Described,
        reply: Option<Reply<()>>,
    },
    /// The reply comes when the peer has answered, and brings its description.
    Modify {
        call: CallId,
        offer: Option<Bytes>,
        reply: Reply<Option<Bytes>>,
    },
    Verb {
        call: CallId,
        verb: Verb,
        reply: Reply<()>,
    },
    /// The reply comes when the peer has answered.
    Change {
        call: CallId,
        change: Change,
        reply: Reply<()>,
    },
    Play {
        call: CallId,
        source: Box<dyn Source>,
        reply: Reply<oneshot::Receiver<()>>,
    },
    Record {
        call: CallId,
        sink: Box<dyn Sink>,
        reply: Reply<()>,
    },
    Statistics {
        call: CallId,
        reply: Reply<CallStatistics>,
    },
    /// The last handle of a call is gone.
    Abandon {
        call: CallId,
    },
    Account {
        settings: Box<Settings>,
        reply: Reply<Account>,
    },
    Refresh {
        account: AccountId,
        reply: Reply<()>,
    },
    Push {
        account: AccountId,
        push: Option<Push>,
        reply: Reply<()>,
    },
    Unregister {
        account: AccountId,
        /// The last handle of the account is gone.
        dropped: bool,
    },
    Ask(Box<Asking>),
    Respond {
        incoming: IncomingId,
        status: StatusCode,
        body: Option<Body>,
        reply: Reply<()>,
    },
    /// The handle of a request is gone, and nobody has answered it.
    Ignore {
        incoming: IncomingId,
    },
    Publish {
        settings: Box<Published>,
        from: Box<NameAddr>,
        reply: Reply<Publication>,
    },
    Republish {
        publication: PublicationKey,
        body: Body,
        reply: Reply<()>,
    },
    Withdraw {
        publication: PublicationKey,
    },
    Subscription(subscription::Order),
    Subscriber(Box<subscriber::Order>),
    /// End everything, then stop.
    Close,
}

impl Command {
    /// Whether something new begins with it, for which a closing endpoint has no time.
    pub(crate) const fn begins(&self) -> bool {
        matches!(
            self,
            Self::Call(_)
                | Self::AcceptTransfer { .. }
                | Self::Account { .. }
                | Self::Ask(_)
                | Self::Publish { .. }
        ) || matches!(self, Self::Refresh { .. } | Self::Push { .. } | Self::Republish { .. })
            || matches!(self, Self::Subscription(order) if order.begins())
    }

    /// Says that the endpoint closes.
    pub(crate) fn refuse(self) {
        match self {
            Self::Call(call) => respond(call.reply, Err(Error::Closed)),
            Self::AcceptTransfer { reply, .. } => respond(reply, Err(Error::Closed)),
            Self::Account { reply, .. } => respond(reply, Err(Error::Closed)),
            Self::Ask(asking) => respond(asking.reply, Err(Error::Closed)),
            Self::Publish { reply, .. } => respond(reply, Err(Error::Closed)),
            Self::Refresh { reply, .. }
            | Self::Push { reply, .. }
            | Self::Republish { reply, .. } => respond(reply, Err(Error::Closed)),
            Self::Subscription(order) => order.refuse(),
            _ => {}
        }
    }
}

/// What a call's owner may do with it.
#[derive(Clone, Debug)]
pub(crate) enum Verb {
    Ring,
    EarlyMedia,
    Answer,
    /// With words for people, if there are any.
    Reject(StatusCode, Option<String>),
    HangUp(Option<Reason>),
}

/// A call to be placed.
pub(crate) struct NewCall {
    pub(crate) target: Uri,
    pub(crate) from: NameAddr,
    pub(crate) account: Option<AccountId>,
    pub(crate) media: Media,
    pub(crate) extras: Extras,
    /// The REFER that it is placed for.
    pub(crate) referral: Option<ReferralId>,
    /// The handle of the call.
    pub(crate) reply: Reply<Call>,
}

/// Where the media of a new call is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Media {
    Here,
    /// The owner brings the offer, or wants one of the peer.
    Elsewhere(Option<Bytes>),
}

/// Where a description of the owner's goes.
#[derive(Clone, Debug)]
pub(crate) enum Described {
    Progress(StatusCode, Option<Bytes>),
    Answer(Option<Bytes>),
    Reply(Option<Fork>, Bytes),
    Refuse(Option<Fork>, StatusCode),
}

/// What a call's owner may ask the peer for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    Hold,
    HoldSilently,
    Resume,
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;
