//! Placing a call with more than a target.

use bytes::Bytes;
use offhook_core::Outgoing;
use offhook_sip::SessionTimer;
use offhook_sip_message::{AnswerMode, HeaderName, NameAddr, PrivAnswerMode, Privacy, Text};
use tokio::sync::{mpsc, oneshot};

use crate::{
    AccountId, Call, Error,
    command::{Command, Media, NewCall},
    uri,
};

/// Settings of a new call, made by [`Endpoint::place`](crate::Endpoint::place) and
/// [`Account::place`](crate::Account::place). What is not set keeps its default.
#[derive(Debug)]
#[must_use = "a call begins with `call`"]
pub struct CallBuilder<'a> {
    commands: &'a mpsc::UnboundedSender<Command>,
    from: &'a NameAddr,
    account: Option<AccountId>,
    target: &'a str,
    media: Media,
    extras: Extras,
}

/// What a call may say beside its target and its caller, to each server that is tried.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extras {
    pub(crate) headers: Vec<(HeaderName, Text)>,
    pub(crate) session_timer: Option<SessionTimer>,
    pub(crate) privacy: Option<Privacy>,
    pub(crate) preferred_identity: Vec<NameAddr>,
    pub(crate) answer_mode: Option<AnswerMode>,
    pub(crate) priv_answer_mode: Option<PrivAnswerMode>,
}

impl Extras {
    /// Puts them into a call.
    pub(crate) fn add_to(self, outgoing: &mut Outgoing) {
        outgoing.headers.extend(self.headers);
        outgoing.session_timer = self.session_timer;
        outgoing.privacy = self.privacy;
        outgoing.preferred_identity = self.preferred_identity;
        outgoing.answer_mode = self.answer_mode;
        outgoing.priv_answer_mode = self.priv_answer_mode;
    }
}

impl<'a> CallBuilder<'a> {
    pub(crate) fn new(
        commands: &'a mpsc::UnboundedSender<Command>,
        from: &'a NameAddr,
        account: Option<AccountId>,
        target: &'a str,
    ) -> Self {
        let (media, extras) = (Media::Here, Extras::default());
        Self { commands, from, account, target, media, extras }
    }

    /// One more header field of the INVITE, such as `Subject`.
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        self.extras.headers.push((name, Text::from(value)));
        self
    }

    /// How the session is kept alive (RFC 4028), in place of [`Builder::session_timer`](crate::Builder::session_timer).
    pub fn session_timer(mut self, timer: SessionTimer) -> Self {
        self.extras.session_timer = Some(timer);
        self
    }

    /// What is to be kept private (RFC 3323 §4.2, RFC 3325 §9.3). Anything but `none` makes the caller
    /// anonymous to the far side; a network that vouches for callers must be trusted to keep it.
    pub fn privacy(mut self, privacy: Privacy) -> Self {
        self.extras.privacy = Some(privacy);
        self
    }

    /// The identity that a trusted proxy is asked to vouch for (RFC 3325 §9.2): one SIP URI, one tel
    /// URI or both.
    pub fn preferred_identity(mut self, identity: NameAddr) -> Self {
        self.extras.preferred_identity.push(identity);
        self
    }

    /// Who or what is to answer, such as a telephone that answers by itself (RFC 5373 §4.3.3).
    pub fn answer_mode(mut self, mode: AnswerMode) -> Self {
        self.extras.answer_mode = Some(mode);
        self
    }

    /// The same, whatever the callee prefers (RFC 5373 §4.1).
    pub fn priv_answer_mode(mut self, mode: PrivAnswerMode) -> Self {
        self.extras.priv_answer_mode = Some(mode);
        self
    }

    /// Media elsewhere: an offer of the owner's, or none so that the far side makes it. See
    /// [`Call::answered_with`] and [`Call::next_offer`].
    pub fn offer(mut self, offer: Option<Bytes>) -> Self {
        self.media = Media::Elsewhere(offer);
        self
    }

    /// Places the call; returns when the INVITE is on its way.
    ///
    /// # Errors
    ///
    /// As for [`Endpoint::call`](crate::Endpoint::call), and if a header field is one that the call
    /// writes itself.
    pub async fn call(self) -> Result<Call, Error> {
        let Self { commands, from, account, target, media, extras } = self;
        let (reply, answer) = oneshot::channel();
        let (target, from) = (uri(target)?, from.clone());
        let call = NewCall { target, from, account, media, extras, referral: None, reply };
        commands.send(Command::Call(Box::new(call))).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }
}
