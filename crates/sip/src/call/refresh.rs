//! Keeping a call's session alive, and giving it up (RFC 4028 §10).
//!
//! 1. A 2xx to INVITE or UPDATE, in either direction, sets the session timer anew.
//! 2. Halfway, the refresher sends an UPDATE without body, or a re-INVITE with the description that
//!    it has sent last, unchanged.
//! 3. Shortly before the session expires, whoever has heard no 2xx hangs up.

use std::time::{Duration, Instant};

use offhook_sansio::Flow;
use offhook_sip_message::{
    CSeq, Headers, Method, MinSe, SessionExpires, StatusCode, ValidRequest, ValidResponse,
};
use tracing::debug;

use super::{
    CallId, Calls, Timer,
    session_timer::{Agreed, Role, min_se},
    usage::Usage,
};
use crate::{End, SessionTimer, config::LEAST, transaction::TransactionLayer};

/// Why a request of ours modifies the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The user wants it so.
    User,
    /// The session timer wants it so.
    Refresh,
}

/// A failure of an INVITE or UPDATE of ours within a dialog.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    pub(crate) status: StatusCode,
    /// How the call ends, if it does.
    pub(crate) end: End,
    /// The `Retry-After` of the refusal.
    pub(crate) wait: Option<Duration>,
}

impl Failed {
    /// Refused by `response`.
    pub(crate) fn by(response: &ValidResponse) -> Self {
        let (status, reason) = (response.status(), response.reason().into());
        let wait = crate::usage::retry_after(response, 1);
        Self { status, end: End::Rejected { status, reason }, wait }
    }

    /// Nobody answered, or it could not be sent; `None` for any other end.
    pub(crate) fn without_answer(end: End) -> Option<Self> {
        Some(Self { status: end.status()?, end, wait: None })
    }

    /// Whether the peer knows nothing of the dialog any more, or is gone (RFC 3261 §12.2.1.2).
    pub(crate) fn is_lost(&self) -> bool {
        let lost = [StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST, StatusCode::REQUEST_TIMEOUT];
        lost.contains(&self.status)
    }
}

impl Calls {
    /// Sets the session timer as the 2xx to `request` says (§7.2, §9).
    pub(super) fn time_session(
        &mut self,
        now: Instant,
        call: CallId,
        role: Role,
        request: &ValidRequest,
        response: &Headers,
    ) {
        let timer = self.session_timer(call);
        let Some(session) = self.session_mut(call) else { return };
        if role == Role::Uac {
            session.usage.lifetime.learn(response);
        }
        let agreed = Agreed::of(&timer, role, request, response);
        session.usage.lifetime.agreed = agreed;
        self.stop_session_timer(call);
        if let Some(call) = self.calls.get_mut(call.0) {
            call.too_small = 0;
        }
        let Some(agreed) = agreed else { return };
        if agreed.ours {
            self.set_timer(call, Timer::Refresh, now + agreed.refresh_after());
        }
        self.set_timer(call, Timer::SessionExpires, agreed.gives_up_at(now));
    }

    /// Timer: half of the session interval is over.
    ///
    /// A peer that does not list UPDATE gets a re-INVITE. If no description of ours is known, for
    /// the owner has never sent any, it gets the UPDATE all the same: a re-INVITE without offer
    /// would ask it for one that nobody here could answer.
    pub(super) fn refresh(&mut self, layer: &mut TransactionLayer, now: Instant, call: CallId) {
        let Some(session) = self.session(call).filter(|session| !session.hung_up) else { return };
        let usage = &session.usage;
        let allowed = layer.config.allow.contains(&Method::UPDATE);
        let described = usage.described.last().cloned();
        let sent = match described.filter(|_| !(usage.lifetime.takes_update && allowed)) {
            Some(body) => self.send_reinvite(layer, now, call, Some(body), Purpose::Refresh),
            None => self.send_update(layer, now, call, None, None, Purpose::Refresh),
        };
        if let Err(error) = sent {
            // Another INVITE or UPDATE is under way. Its 2xx refreshes the session as well.
            debug!(?call, %error, "refresh put off");
            self.set_timer(call, Timer::Refresh, now + layer.timing().t2);
        }
    }

    /// Our refresh has failed, and the peer is still there: it is tried again where that may help,
    /// or the session expires (§10).
    pub(super) fn refresh_refused(
        &mut self,
        now: Instant,
        call: CallId,
        method: &Method,
        failed: &Failed,
        glare: Option<Duration>,
    ) {
        let status = failed.status;
        debug!(?call, status = status.as_u16(), "refresh refused");
        let Some(session) = self.session_mut(call) else { return };
        let lifetime = &mut session.usage.lifetime;
        let Some(agreed) = &mut lifetime.agreed else { return };
        agreed.failures = agreed.failures.saturating_add(1);
        let others = session.usage.described.last().is_some();
        let wait = match (glare, failed.wait) {
            _ if agreed.failures > MOST_FAILURES => None,
            (Some(glare), _) => Some(glare),
            (None, Some(wait)) => Some(wait),
            // What it lists in `Allow` or not: this UPDATE has not helped.
            (None, None) if *method == Method::UPDATE && lifetime.takes_update && others => {
                lifetime.takes_update = false;
                Some(Duration::ZERO)
            }
            (None, None) => None,
        };
        if let Some(wait) = wait {
            self.set_timer(call, Timer::Refresh, now + wait);
        }
    }

    /// Timer: nobody has refreshed the session, and it is about to expire.
    pub(super) fn session_expired(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
    ) {
        self.hang_up_session(layer, now, call, End::Expired);
    }

    pub(super) fn stop_session_timer(&mut self, call: CallId) {
        self.stop_timer(call, Timer::Refresh);
        self.stop_timer(call, Timer::SessionExpires);
    }

    /// The session timer that the call was made with.
    pub(super) fn session_timer(&self, call: CallId) -> SessionTimer {
        self.get(call).map_or(SessionTimer::OFF, |call| call.session_timer)
    }

    /// The request that answers a 422 to `request`: with the Min-SE of the 422, an interval no
    /// shorter, and `number` as its CSeq (§7.3). `None` if it was no 422, or one that cannot be
    /// answered.
    pub(super) fn longer(
        &mut self,
        layer: &mut TransactionLayer,
        id: CallId,
        request: &ValidRequest,
        response: &ValidResponse,
        flow: Flow,
        number: u32,
    ) -> Option<ValidRequest> {
        let too_small = response.status() == StatusCode::SESSION_INTERVAL_TOO_SMALL;
        let refreshes = [Method::INVITE, Method::UPDATE].contains(&request.method());
        let timed = too_small && refreshes && self.session_timer(id).is_supported();
        if !timed || layer.is_full(layer.config.max_calls) {
            return None;
        }
        // Without Min-SE there is nothing to go by (§6); a 422 that asks for no more is absurd.
        let least = response.header::<MinSe>().ok().flatten()?.seconds;
        let asked = request.header::<SessionExpires>().ok().flatten();
        if asked.as_ref().is_some_and(|asked| asked.seconds >= least) {
            return None;
        }
        let least = least.max(min_se(request.headers())).max(LEAST);
        self.count_too_small(id, request, least)?;
        let mut expires = asked.unwrap_or_else(|| SessionExpires::new(least));
        expires.seconds = least;
        let via = layer.new_via(flow);
        let via = layer.built(via)?;
        let cseq = CSeq { number, method: request.method() };
        let builder = request.edit().replace(&via).replace(&cseq);
        let built = builder.replace(&MinSe::new(least)).replace(&expires).build();
        let built = layer.built(built)?;
        let authorized = self.authorize(layer, id, built);
        layer.built(authorized)
    }

    /// Notes a 422 with the Min-SE `least`; `None` if there have been too many.
    fn count_too_small(&mut self, id: CallId, request: &ValidRequest, least: u32) -> Option<()> {
        let call = self.calls.get_mut(id.0)?;
        call.too_small = call.too_small.checked_add(1).filter(|count| *count <= MOST_TOO_SMALL)?;
        // In a dialog it counts for what follows; before, the request itself remembers it (§7.4).
        let Some(tag) = request.to().tag().map(str::to_owned) else { return Some(()) };
        let of_request =
            |usage: &&mut Usage| usage.dialog.id().remote_tag.as_deref() == Some(&*tag);
        for usage in self.usages_mut(id).filter(of_request) {
            usage.lifetime.learn_least(least);
        }
        Some(())
    }
}

/// How many refreshes in a row may fail before the session is left to expire: the server is not to
/// be asked again and again (§10).
const MOST_FAILURES: u32 = 8;
/// How many 422s in a row are answered: one of each server on the way.
const MOST_TOO_SMALL: u8 = 5;
