//! The accounts: each finds its registrar, registers there, and goes elsewhere when that fails
//! (RFC 3261 §10.2, RFC 3263 §4.3, RFC 5626 §4.5).
//!
//! 1. The locator names the first target, and a REGISTER goes there.
//! 2. If nothing comes back, or 503, the next target gets it. When all have failed they are looked up
//!    again at the time that the SIP layer has set for its next try.
//! 3. A connection that is lost is made anew at once.

use std::time::{Duration, Instant};

use offhook_sansio::Flow;
use offhook_sip::{Failure, LocateError, LookupId, RegistrationEvent, RegistrationId};
use offhook_sip_message::{RetryAfter, StatusCode, ValidResponse};
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
    lookup: Option<LookupId>,
    /// A search is under way.
    seeking: bool,
    /// Where the last REGISTER went.
    flow: Option<Flow>,
    /// Whether it is to be registered.
    wanted: bool,
    /// Whether its last handle is gone.
    dropped: bool,
    /// Searches in a row that have found nothing, before anything was registered.
    failures: u32,
    /// When the SIP layer tries again.
    next_try: Option<Instant>,
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

    /// Looks for the registrars whose time has come.
    pub(super) fn search(&mut self, now: Instant) {
        while let Some(id) = self.searches.expired(now) {
            self.seek_registrar(id);
        }
    }

    fn seek_registrar(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get_mut(&id) else { return };
        if account.seeking || !account.wanted {
            return;
        }
        let Some(registrar) = account.settings.registrar.clone() else { return };
        account.seeking = true;
        if let Some(lookup) = account.lookup.take() {
            self.locator.abandon(lookup);
        }
        let hop = self.hop_of(Some(id), &registrar);
        self.seek(Purpose::Enroll(id), hop, None);
    }

    /// There is a way to the registrar.
    pub(super) fn enroll(&mut self, id: AccountId, lookup: Option<LookupId>, flow: Flow) {
        let Some(account) = self.accounts.get_mut(&id) else { return };
        account.seeking = false;
        account.lookup = lookup;
        let moved = account.flow.replace(flow) != Some(flow);
        let now = Instant::now();
        let done = match account.registration {
            None => match account.settings.registration(flow) {
                Some(wanted) => self.core.register(now, wanted).map(|registration| {
                    account.registration = Some(registration);
                    self.registrations.insert(registration, id);
                }),
                None => Ok(()),
            },
            Some(registration) if moved => self.core.retarget(now, registration, flow),
            // The SIP layer tries again by itself where it has tried before.
            Some(_) => Ok(()),
        };
        if let Err(error) = done {
            self.fail(id, RegistrationFault::Other(error.to_string()), None);
        }
    }

    /// No target is left.
    pub(super) fn no_registrar(
        &mut self,
        id: AccountId,
        fault: Option<String>,
        error: &LocateError,
    ) {
        let Some(account) = self.accounts.get_mut(&id) else { return };
        account.seeking = false;
        account.lookup = None;
        let now = Instant::now();
        let next = account.next_try.filter(|at| *at > now);
        let next = next.unwrap_or_else(|| {
            account.failures = account.failures.saturating_add(1);
            now + waiting(self.back_off, account.failures)
        });
        self.searches.set(id, Some(next));
        // What the last of them has said, or has not, is known already.
        if account.registration.is_none() || fault.is_some() {
            let fault = fault.unwrap_or_else(|| error.to_string());
            self.fail(id, RegistrationFault::Unreachable(fault), Some(next));
        }
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

    fn refused_by_registrar(
        &mut self,
        id: AccountId,
        status: StatusCode,
        response: Option<&ValidResponse>,
    ) {
        let failure = match (status, response) {
            (StatusCode::SERVICE_UNAVAILABLE, Some(response)) => {
                let field = response.header::<RetryAfter>().ok().flatten();
                let retry_after = field.map(|it| Duration::from_secs(it.seconds.into()));
                Failure::Unavailable { retry_after }
            }
            (StatusCode::SERVICE_UNAVAILABLE, None) => Failure::Transport,
            (StatusCode::REQUEST_TIMEOUT, None) => Failure::TimedOut,
            // The registrar has spoken: another one would say the same.
            _ => {
                let account = self.accounts.get_mut(&id);
                let lookup = account.and_then(|account| account.lookup.take());
                return self.reach_target(lookup);
            }
        };
        self.next_registrar(id, failure);
    }

    /// The target has failed: on to the next, or to new ones.
    fn next_registrar(&mut self, id: AccountId, failure: Failure) {
        let Some(account) = self.accounts.get_mut(&id).filter(|account| account.wanted) else {
            return;
        };
        if account.seeking {
            return;
        }
        if let Some(lookup) = account.lookup.take() {
            account.seeking = true;
            if self.seek_on(Purpose::Enroll(id), lookup, failure) {
                return;
            }
        }
        let Some(account) = self.accounts.get_mut(&id) else { return };
        account.seeking = false;
        match failure {
            Failure::Transport => self.seek_registrar(id),
            _ => self.searches.set(id, account.next_try),
        }
    }

    fn fail(&mut self, id: AccountId, fault: RegistrationFault, next_try: Option<Instant>) {
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

/// How long to wait after so many searches that have found nothing (RFC 5626 §4.5).
fn waiting(back_off: offhook_sip::BackOff, failures: u32) -> Duration {
    let doubled = back_off.base.saturating_mul(2_u32.saturating_pow(failures));
    doubled.min(back_off.max).clamp(SHORTEST, LONGEST)
}

/// A setting of nothing would search without end.
const SHORTEST: Duration = Duration::from_secs(1);
/// A setting beyond the clock's range cannot be waited for.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
