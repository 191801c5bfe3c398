//! The accounts: what their handles want, and what becomes of their registrations (RFC 3261 §10.2).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip::{Failure, LookupId, RegistrationEvent, RegistrationId};
use offhook_sip_message::StatusCode;
use tokio::sync::watch;
use tracing::debug;

use super::{Driver, errand::Purpose};
use crate::{
    Account, AccountId, Error, RegistrationState,
    account::{RegistrationFault, Settings},
    command::Reply,
};

/// One account.
pub(super) struct Enrolled {
    pub(super) settings: Settings,
    pub(super) registration: Option<RegistrationId>,
    /// The search whose target has the REGISTER.
    pub(super) lookup: Option<LookupId>,
    /// A search is under way.
    pub(super) seeking: bool,
    /// Where the last REGISTER went.
    pub(super) flow: Option<Flow>,
    /// Whether it is to be registered.
    pub(super) wanted: bool,
    /// Whether its last handle is gone.
    dropped: bool,
    /// Searches in a row that have found nothing, before anything was registered.
    pub(super) failures: u32,
    /// When the SIP layer tries again.
    pub(super) next_try: Option<Instant>,
    state: watch::Sender<RegistrationState>,
}

impl Driver {
    pub(super) fn open_account(&mut self, settings: Settings, reply: Reply<Account>) {
        let Some(commands) = self.commands.upgrade() else {
            return super::respond(reply, Err(Error::Closed));
        };
        let id = AccountId(self.new_id());
        let wanted = settings.registrar.is_some();
        let first =
            if wanted { RegistrationState::Registering } else { RegistrationState::Unneeded };
        let (state, seen) = watch::channel(first);
        let account = Account::new(id, settings.aor.clone(), seen, commands);
        let enrolled = Enrolled {
            settings,
            registration: None,
            lookup: None,
            seeking: false,
            flow: None,
            wanted,
            dropped: false,
            failures: 0,
            next_try: None,
            state,
        };
        self.accounts.insert(id, enrolled);
        // A handle that nobody takes any more removes its account.
        super::respond(reply, Ok(account));
        self.seek_registrar(id);
    }

    /// Registers now, whatever has failed before.
    pub(super) fn refresh(&mut self, id: AccountId) -> Result<(), Error> {
        let account = self.accounts.get_mut(&id).ok_or(Error::Closed)?;
        if account.settings.registrar.is_none() {
            return Err(Error::NoRegistrar);
        }
        account.wanted = true;
        if !account.state.borrow().is_registered() {
            account.state.send_replace(RegistrationState::Registering);
        }
        match account.registration {
            Some(registration) => self.core.refresh(Instant::now(), registration)?,
            None => self.seek_registrar(id),
        }
        Ok(())
    }

    pub(super) fn set_push(
        &mut self,
        id: AccountId,
        push: Option<offhook_sip::Push>,
    ) -> Result<(), Error> {
        let account = self.accounts.get_mut(&id).ok_or(Error::Closed)?;
        account.settings.push.clone_from(&push);
        if let Some(registration) = account.registration {
            self.core.set_push(Instant::now(), registration, push)?;
        }
        Ok(())
    }

    /// Removes the contact. The account stays for calls until its last handle is gone.
    pub(super) fn unregister(&mut self, id: AccountId, dropped: bool) {
        self.drop_errands(|purpose| matches!(purpose, Purpose::Enroll(account) if *account == id));
        self.searches.set(id, None);
        let Some(account) = self.accounts.get_mut(&id) else { return };
        (account.wanted, account.seeking) = (false, false);
        account.dropped |= dropped;
        if let Some(lookup) = account.lookup.take() {
            self.locator.abandon(lookup);
        }
        match account.registration {
            Some(registration) => {
                if let Err(error) = self.core.unregister(Instant::now(), registration) {
                    debug!(?id, %error, "nothing to unregister");
                }
            }
            None => self.left(id, None),
        }
    }

    pub(super) fn leave_registrars(&mut self) {
        let accounts: Vec<_> = self.accounts.keys().copied().collect();
        accounts.into_iter().for_each(|id| self.unregister(id, true));
    }

    /// The SIP layer tells of a registration.
    pub(super) fn registration_changed(
        &mut self,
        registration: RegistrationId,
        event: RegistrationEvent,
    ) {
        let Some(id) = self.registrations.get(&registration).copied() else { return };
        let now = Instant::now();
        match event {
            RegistrationEvent::Registered(registered) => {
                let Some(account) = self.accounts.get_mut(&id) else { return };
                (account.failures, account.next_try) = (0, None);
                account.flow = Some(registered.flow);
                account.state.send_replace(RegistrationState::Registered(registered.into()));
                let lookup = account.lookup.take();
                self.searches.set(id, None);
                self.reach_target(lookup);
            }
            RegistrationEvent::Failed { status, response, retry_in } => {
                let next = retry_in.map(|time| now + time);
                self.fail(id, RegistrationFault::Refused(status), next);
                self.refused_by_registrar(id, status, response.as_ref());
            }
            RegistrationEvent::Lost { retry_in } => {
                let next = retry_in.map(|time| now + time);
                self.fail(id, RegistrationFault::ConnectionLost, next);
                self.next_registrar(id, Failure::Transport);
            }
            RegistrationEvent::Expired => {
                let next = self.accounts.get(&id).and_then(|account| account.next_try);
                self.fail(id, RegistrationFault::Expired, next);
            }
            RegistrationEvent::Unregistered { status } => {
                self.registrations.remove(&registration);
                self.left(id, status);
            }
        }
    }

    pub(super) fn fail(
        &mut self,
        id: AccountId,
        fault: RegistrationFault,
        next_try: Option<Instant>,
    ) {
        let Some(account) = self.accounts.get_mut(&id) else { return };
        debug!(?id, %fault, "not registered");
        account.next_try = next_try;
        let stands = account.registration.and_then(|it| self.core.registered(it)).is_some();
        account.state.send_replace(RegistrationState::Failed { fault, next_try, stands });
    }

    /// The registration is over.
    fn left(&mut self, id: AccountId, status: Option<StatusCode>) {
        let Some(account) = self.accounts.get_mut(&id) else { return };
        (account.registration, account.flow) = (None, None);
        if account.settings.registrar.is_some() {
            account.state.send_replace(RegistrationState::Unregistered { status });
        }
        if account.dropped {
            self.accounts.remove(&id);
        }
    }

    /// The account whose registration this is.
    pub(super) fn account_named(&self, registration: Option<RegistrationId>) -> Option<AccountId> {
        self.registrations.get(&registration?).copied()
    }
}
