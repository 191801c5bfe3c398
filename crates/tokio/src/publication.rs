//! The handle of one published state (RFC 3903).

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use offhook_sip::Body;
use offhook_sip_message::{Event, NameAddr, StatusCode, Text, Uri};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{AccountId, Error, command::Command};

/// A state that is published and kept so.
///
/// Clones are handles of the same state. Dropping the last one withdraws it.
#[derive(Clone, Debug)]
pub struct Publication {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    key: PublicationKey,
    state: watch::Receiver<PublicationState>,
    commands: mpsc::UnboundedSender<Command>,
}

/// Names one publication of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PublicationKey(pub(crate) u64);

/// What is to be published.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) target: Uri,
    pub(crate) event: Event,
    pub(crate) body: Body,
    pub(crate) expires: Duration,
    pub(crate) account: Option<AccountId>,
}

/// How a publication stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublicationState {
    /// The server has not answered the first time.
    Publishing,
    /// The server has the state.
    Published {
        /// For how long; it is refreshed before.
        expires: Duration,
    },
    /// The server has refused, or has not answered (408, 503).
    Failed {
        /// The final status.
        status: StatusCode,
        /// When it is tried again; `None`: not before another state is published.
        next_try: Option<Instant>,
    },
    /// No server can be reached; it is tried again with the next state.
    Unreachable {
        /// Why the last one cannot.
        fault: String,
    },
    /// The time of the state is over, and it could not be refreshed. It is tried on.
    Expired,
    /// The state was withdrawn.
    Withdrawn {
        /// What the server has answered; `None` if it had no state.
        status: Option<StatusCode>,
    },
}

impl Publication {
    pub(crate) fn new(
        key: PublicationKey,
        state: watch::Receiver<PublicationState>,
        commands: mpsc::UnboundedSender<Command>,
    ) -> Self {
        Self { shared: Arc::new(Shared { key, state, commands }) }
    }

    /// How it stands.
    pub fn state(&self) -> PublicationState {
        self.shared.state.borrow().clone()
    }

    /// The states from now on. Each is seen at least if it lasts.
    pub fn states(&self) -> watch::Receiver<PublicationState> {
        self.shared.state.clone()
    }

    /// Publishes another state in place of this one (RFC 3903 §4.4).
    ///
    /// # Errors
    ///
    /// If the state is withdrawn, or the endpoint is closed.
    pub async fn update(&self, content_type: &str, content: impl Into<Bytes>) -> Result<(), Error> {
        let body = Body { content_type: Text::from(content_type), content: content.into() };
        let (publication, (reply, answer)) = (self.shared.key, oneshot::channel());
        let command = Command::Republish { publication, body, reply };
        self.shared.commands.send(command).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Withdraws the state, and waits for the server's answer; `None` if it had none.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the endpoint goes away before the answer.
    pub async fn withdraw(&self) -> Result<Option<StatusCode>, Error> {
        let command = Command::Withdraw { publication: self.shared.key };
        self.shared.commands.send(command).map_err(|_| Error::Closed)?;
        let mut states = self.states();
        let over = |state: &PublicationState| matches!(state, PublicationState::Withdrawn { .. });
        match &*states.wait_for(over).await.map_err(|_| Error::Closed)? {
            PublicationState::Withdrawn { status } => Ok(*status),
            _ => Ok(None),
        }
    }
}

/// Publishes a state of `user`.
pub(crate) async fn publish(
    commands: &mpsc::UnboundedSender<Command>,
    user: &NameAddr,
    account: Option<AccountId>,
    event: Event,
    (content_type, content): (&str, Bytes),
    expires: Duration,
) -> Result<Publication, Error> {
    let body = Body { content_type: Text::from(content_type), content };
    let target = user.uri.clone();
    let settings = Box::new(Published { target, event, body, expires, account });
    let (from, (reply, answer)) = (Box::new(user.clone()), oneshot::channel());
    commands.send(Command::Publish { settings, from, reply }).map_err(|_| Error::Closed)?;
    answer.await.map_err(|_| Error::Closed)?
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A closed driver has withdrawn it already.
        let _ = self.commands.send(Command::Withdraw { publication: self.key });
    }
}
