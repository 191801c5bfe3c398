//! Finding the registrar of an account, and another one when that fails (RFC 3263 §4.3,
//! RFC 5626 §4.5).
//!
//! 1. The locator names the first target, and a REGISTER goes there.
//! 2. If nothing comes back, or 503, the next target gets it. When all have failed they are looked up
//!    again at the time that the SIP layer has set for its next try.
//! 3. A connection that is lost is made anew at once.

use std::time::{Duration, Instant};

use offhook_sansio::Flow;
use offhook_sip::{Failure, LocateError, LookupId};
use offhook_sip_message::{RetryAfter, StatusCode, ValidResponse};

use super::{Driver, errand::Purpose};
use crate::{AccountId, account::RegistrationFault};

impl Driver {
    /// Looks for the registrars whose time has come.
    pub(super) fn search(&mut self, now: Instant) {
        while let Some(id) = self.searches.expired(now) {
            self.seek_registrar(id);
        }
    }

    pub(super) fn seek_registrar(&mut self, id: AccountId) {
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

    pub(super) fn refused_by_registrar(
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
    pub(super) fn next_registrar(&mut self, id: AccountId, failure: Failure) {
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
}

/// How long to wait after so many searches that have found nothing (RFC 5626 §4.5).
pub(super) fn waiting(back_off: offhook_sip::BackOff, failures: u32) -> Duration {
    let doubled = back_off.base.saturating_mul(2_u32.saturating_pow(failures));
    doubled.min(back_off.max).clamp(SHORTEST, LONGEST)
}

/// A setting of nothing would search without end.
const SHORTEST: Duration = Duration::from_secs(1);
/// A setting beyond the clock's range cannot be waited for.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
