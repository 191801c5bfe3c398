//! What notifications bring (RFC 6665 §4.1.3).

use std::time::Duration;

use offhook_sansio::Key;
use offhook_sip_message::{
    Event as EventHeader, EventReason, StatusCode, SubscriptionState, Substate, ValidRequest,
};

use super::{
    super::{EventPackage, Ground, SubscriptionLoss},
    Ask, State, Subject, Subscriber, Timer,
};
use crate::{dialog::Dialog, usage::authenticator};

impl Subscriber {
    /// Whether a NOTIFY with this `Event` is of this subscription (§8.2.1, RFC 3515 §2.4.6).
    pub(crate) fn matches(&self, event: &EventHeader) -> bool {
        match &self.subject {
            Subject::Resource { event: ours, .. } => ours.matches(event),
            Subject::Progress(progress) => {
                let is_ours = |id: &str| id.parse() == Ok(progress.cseq);
                EventPackage::REFER.is_of(event) && event.id().is_none_or(is_ours)
            }
        }
    }

    /// Whether a NOTIFY is of the same package, be it of another subscription.
    pub(crate) fn is_of_package(&self, event: &EventHeader) -> bool {
        match &self.subject {
            Subject::Resource { event: ours, .. } => ours.event_type == event.event_type,
            Subject::Progress(_) => EventPackage::REFER.is_of(event),
        }
    }

    /// Makes the dialog of the first NOTIFY, if that does not end the subscription (§4.4.1).
    ///
    /// # Errors
    ///
    /// The status to refuse it with: it does not say where the notifier is reached.
    pub(crate) fn begin_dialog(
        &mut self,
        ground: &mut Ground<'_>,
        notify: &ValidRequest,
        state: &SubscriptionState,
    ) -> Result<(), StatusCode> {
        let Some(outside) = &self.outside else { return Ok(()) };
        if state.state == Substate::Terminated {
            return Ok(());
        }
        let contact = outside.contact(ground.layer).ok();
        let contact = contact.and_then(|contact| contact.uri().cloned());
        let contact = contact.unwrap_or_else(|| outside.from.uri.clone());
        let dialog = Dialog::of_subscriber(notify, self.cseq, outside.flow, contact);
        let dialog = dialog.ok_or(StatusCode::BAD_REQUEST)?;
        self.dialog = Some(dialog.id().clone());
        ground.dialogs.begin(dialog);
        Ok(())
    }

    /// One more subscription that the forked request has made (§4.4.1).
    pub(crate) fn fork(&mut self, ground: &mut Ground<'_>, of: Key<Self>) -> Self {
        self.forks = self.forks.saturating_sub(1);
        let mut fork = Self {
            subject: self.subject.clone(),
            outside: self.outside.clone(),
            headers: self.headers.clone(),
            authenticator: authenticator(ground.layer, self.logins.clone()),
            logins: self.logins.clone(),
            dialog: None,
            stands: false,
            state: State::Resting,
            outcome: None,
            due: None,
            is_fork: true,
            forks: 0,
            timers: offhook_sansio::Timers::new(),
            events: std::collections::VecDeque::new(),
            ..*self
        };
        if let Some(deadline) = self.timers.get(Timer::Forks) {
            fork.timers.set(Timer::N, deadline);
        }
        fork.tell_forked(of);
        fork
    }

    /// Takes a NOTIFY that was answered with 200.
    pub(crate) fn notified(
        &mut self,
        ground: &mut Ground<'_>,
        event: EventHeader,
        state: &SubscriptionState,
        request: ValidRequest,
    ) {
        if let Subject::Progress(progress) = &mut self.subject {
            progress.event = event;
        }
        if let Some(dialog) = self.dialog.as_ref().and_then(|id| ground.dialog(id)) {
            dialog.refresh_target(request.header().ok().flatten());
        }
        self.tell_notified(state.clone(), request);
        if state.state == Substate::Terminated {
            return self.terminated(ground, state);
        }
        self.stands = true;
        if !self.left {
            self.timers.stop(Timer::N);
        }
        self.adjust(ground, state);
        if self.leaving && !self.left {
            self.due = Some(Ask::Leave);
        }
    }

    /// The time that the notifier tells counts, else what its 2xx has granted.
    fn adjust(&mut self, ground: &mut Ground<'_>, state: &SubscriptionState) {
        let known = match self.subject {
            Subject::Resource { .. } => Some(self.granted.unwrap_or(self.seconds)),
            Subject::Progress(_) => Some(UNTOLD),
        };
        // Without a word the time of before goes on.
        let known = known.filter(|_| self.timers.get(Timer::Expiry).is_none());
        let Some(seconds) = state.expires().or(known) else { return };
        if self.is_refer() {
            self.seconds = seconds;
        }
        self.lasts(ground, seconds);
    }

    fn terminated(&mut self, ground: &mut Ground<'_>, state: &SubscriptionState) {
        let reason = state.reason();
        let asked = state.retry_after().map(|seconds| Duration::from_secs(seconds.into()));
        let asked = asked.map(|wait| wait.clamp(SHORTEST_RETRY, LONGEST_RETRY));
        let is_end = match &self.subject {
            // Fetched: as the owner wanted (§4.4.3).
            Subject::Resource { is_fetch, .. } => {
                let fetched = matches!(reason, Some(EventReason::Timeout) | None);
                self.leaving && (!is_fetch || fetched)
            }
            Subject::Progress(_) => false,
        };
        match is_end {
            true => self.end(None),
            false => self.lose(ground, SubscriptionLoss::Terminated { reason }, asked),
        }
    }
}

/// How many seconds a REFER is followed whose peer does not say: as long as an INVITE that rings
/// may take (RFC 3261 §16.6, Timer C) and some more.
const UNTOLD: u32 = 240;
/// A notifier that ends a subscription as it begins is not asked more often.
const SHORTEST_RETRY: Duration = Duration::from_secs(1);
/// Nobody silences a subscriber for longer with one notification.
const LONGEST_RETRY: Duration = Duration::from_secs(24 * 3600);
