//! The handle of one account, and its settings.

mod settings;
pub use settings::AccountBuilder;
pub(crate) use settings::Settings;

mod state;
pub use state::{RegistrationFault, RegistrationState};

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use offhook_sip::{EventPackage, Push, Registered};
use offhook_sip_message::{Event, NameAddr, StatusCode, ValidResponse};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    Call, CallBuilder, Error, Publication, SubscriptionBuilder,
    command::{Command, Reply},
    publication::publish,
    request::{Asker, TEXT},
};

/// A user at a provider: an address of record, what proves it, and where it is registered.
///
/// It registers and refreshes by itself, at the next server when one fails. Clones are handles of the
/// same account. Dropping the last one removes the registration; calls go on.
#[derive(Clone, Debug)]
pub struct Account {
    shared: Arc<Shared>,
}

/// Names one account of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub(crate) u64);

#[derive(Debug)]
struct Shared {
    id: AccountId,
    aor: NameAddr,
    state: watch::Receiver<RegistrationState>,
    commands: mpsc::UnboundedSender<Command>,
}

impl Account {
    pub(crate) fn new(
        id: AccountId,
        aor: NameAddr,
        state: watch::Receiver<RegistrationState>,
        commands: mpsc::UnboundedSender<Command>,
    ) -> Self {
        Self { shared: Arc::new(Shared { id, aor, state, commands }) }
    }

    /// The name of the account in [`Call::account`] and
    /// [`IncomingRequest::account`](crate::IncomingRequest::account).
    pub fn id(&self) -> AccountId {
        self.shared.id
    }

    /// The address of record.
    pub fn address(&self) -> &NameAddr {
        &self.shared.aor
    }

    /// How the registration stands.
    pub fn state(&self) -> RegistrationState {
        self.shared.state.borrow().clone()
    }

    /// The states of the registration from now on, with what has failed and when it is tried again.
    /// Each is seen at least if it lasts.
    pub fn states(&self) -> watch::Receiver<RegistrationState> {
        self.shared.state.clone()
    }

    /// Waits until the registrar has granted the registration, over failures that are tried again.
    ///
    /// # Errors
    ///
    /// [`Error::NotRegistered`] if trying again is useless, as with a wrong password, or the
    /// registration is removed; [`Error::NoRegistrar`] if the account has none.
    pub async fn registered(&self) -> Result<Arc<Registered>, Error> {
        let mut states = self.states();
        loop {
            let state = states.borrow_and_update().clone();
            match state {
                RegistrationState::Registered(registered) => return Ok(registered),
                RegistrationState::Unneeded => return Err(Error::NoRegistrar),
                RegistrationState::Failed { fault, next_try: None, .. } => {
                    return Err(Error::NotRegistered(fault));
                }
                RegistrationState::Unregistered { .. } => {
                    return Err(Error::NotRegistered(RegistrationFault::Removed));
                }
                RegistrationState::Registering | RegistrationState::Failed { .. } => {}
            }
            states.changed().await.map_err(|_| Error::Closed)?;
        }
    }

    /// Asks the registrar now: after a push notification, when what made it fail is mended, or after
    /// [`unregister`](Self::unregister). Harmless while it is being asked.
    ///
    /// # Errors
    ///
    /// [`Error::NoRegistrar`], or if the registration is being removed.
    pub async fn refresh(&self) -> Result<(), Error> {
        let account = self.shared.id;
        self.tell(|reply| Command::Refresh { account, reply }).await
    }

    /// Registers another name at the push service, or none any more (RFC 8599 §4.1.1).
    ///
    /// # Errors
    ///
    /// If the registration is being removed.
    pub async fn set_push(&self, push: Option<Push>) -> Result<(), Error> {
        let account = self.shared.id;
        self.tell(|reply| Command::Push { account, push, reply }).await
    }

    /// Removes the registration, and waits for the registrar's answer: 2xx, or why the contact stands
    /// until it expires. `None` if nothing was registered. Calls can still be placed.
    ///
    /// # Errors
    ///
    /// [`Error::NoRegistrar`], or [`Error::Closed`] if the endpoint goes away before the answer.
    pub async fn unregister(&self) -> Result<Option<StatusCode>, Error> {
        if matches!(*self.shared.state.borrow(), RegistrationState::Unneeded) {
            return Err(Error::NoRegistrar);
        }
        let command = Command::Unregister { account: self.shared.id, dropped: false };
        self.shared.commands.send(command).map_err(|_| Error::Closed)?;
        let mut states = self.states();
        let over =
            |state: &RegistrationState| matches!(state, RegistrationState::Unregistered { .. });
        match &*states.wait_for(over).await.map_err(|_| Error::Closed)? {
            RegistrationState::Unregistered { status } => Ok(*status),
            _ => Ok(None),
        }
    }

    /// Calls a `sip:`, `sips:` or `tel:` URI as this user: over the registrar's way, from the
    /// registered contact, with the account's logins.
    ///
    /// # Errors
    ///
    /// As for [`Endpoint::call`](crate::Endpoint::call).
    pub async fn call(&self, target: &str) -> Result<Call, Error> {
        self.place(target).call().await
    }

    /// As [`call`](Self::call), with media elsewhere: see
    /// [`Endpoint::call_with`](crate::Endpoint::call_with).
    ///
    /// # Errors
    ///
    /// As for [`Endpoint::call`](crate::Endpoint::call).
    pub async fn call_with(&self, target: &str, offer: Option<Bytes>) -> Result<Call, Error> {
        self.place(target).offer(offer).call().await
    }

    /// The settings of a new call. It begins with [`CallBuilder::call`].
    pub fn place<'a>(&'a self, target: &'a str) -> CallBuilder<'a> {
        let Shared { id, aor, commands, .. } = &*self.shared;
        CallBuilder::new(commands, aor, Some(*id), target)
    }

    /// Whether `call` is one of this account.
    pub fn owns(&self, call: &Call) -> bool {
        call.account() == Some(self.shared.id)
    }

    /// Sends a message of plain text (RFC 3428), and waits until the far side has it.
    ///
    /// # Errors
    ///
    /// As for [`Endpoint::message`](crate::Endpoint::message).
    pub async fn message(&self, to: &str, text: &str) -> Result<(), Error> {
        self.message_with(to, TEXT, Bytes::copy_from_slice(text.as_bytes())).await
    }

    /// Sends a message of any type (RFC 3428).
    ///
    /// # Errors
    ///
    /// As for [`Endpoint::message`](crate::Endpoint::message).
    pub async fn message_with(
        &self,
        to: &str,
        content_type: &str,
        content: impl Into<Bytes>,
    ) -> Result<(), Error> {
        self.asker().message(to, content_type, content.into()).await
    }

    /// Asks what the far side can do, and whether it is there (RFC 3261 §11).
    ///
    /// # Errors
    ///
    /// As for [`Endpoint::options`](crate::Endpoint::options).
    pub async fn options(&self, to: &str) -> Result<ValidResponse, Error> {
        self.asker().options(to).await
    }

    /// Publishes a state of this user, such as its presence, for `expires`, and keeps it published
    /// (RFC 3903).
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the endpoint is closed.
    pub async fn publish(
        &self,
        event: Event,
        content_type: &str,
        content: impl Into<Bytes>,
        expires: Duration,
    ) -> Result<Publication, Error> {
        let account = Some(self.shared.id);
        let body = (content_type, content.into());
        publish(&self.shared.commands, &self.shared.aor, account, event, body, expires).await
    }

    /// The settings of a new subscription of this user to the state of `target`, over the way of the
    /// account and with its logins (RFC 6665). It begins with [`SubscriptionBuilder::open`].
    pub fn subscribe(&self, target: &str, package: &EventPackage) -> SubscriptionBuilder {
        let Shared { id, aor, commands, .. } = &*self.shared;
        SubscriptionBuilder::new(target, package, aor, Some(*id), commands)
    }

    fn asker(&self) -> Asker<'_> {
        let Shared { id, aor, commands, .. } = &*self.shared;
        Asker { from: aor, account: Some(*id), commands }
    }

    async fn tell<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, Error> {
        let (reply, answer) = oneshot::channel();
        self.shared.commands.send(command(reply)).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        // A closed driver has left its registrars already.
        let _ = self.commands.send(Command::Unregister { account: self.id, dropped: true });
    }
}
