//! Telling the caller how it goes (RFC 3261 §13.3.1.1).

use std::time::{Duration, Instant};

use offhook_sip_message::StatusCode;

use super::{CallId, Calls, State, Timer};
use crate::{Body, Error, transaction::TransactionLayer};

impl Calls {
    /// Sends a provisional response, 101 to 199, to the INVITE or re-INVITE that waits.
    pub(crate) fn progress(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        status: StatusCode,
        body: Option<Body>,
    ) -> Result<(), Error> {
        if !(101..=199).contains(&status.as_u16()) {
            return Err(Error::InvalidStatus { status, expected: "101 to 199" });
        }
        let (invitation, usage) = self.invitation(call, "progress")?;
        if let Some(reliable) = &invitation.reliable
            && reliable.takes(usage.offers, body.is_some())?
        {
            return self.progress_reliably(layer, now, call, status, body);
        }
        let mut builder = invitation.reply_in_dialog(layer, &usage.dialog, status);
        if let Some(body) = body {
            builder = builder.body(&body.content_type, body.content);
        }
        let response = builder.build().map_err(|error| Error::Unbuildable(error.to_string()))?;
        layer.respond(now, invitation.transaction, &response);
        invitation.provisional = Some(response);
        self.set_timer(call, Timer::Progress, now + REFRESH);
        Ok(())
    }

    /// Whether the INVITE that waits gets its provisional responses reliably.
    pub(crate) fn progress_is_reliable(&self, call: CallId) -> bool {
        match self.get(call).map(|call| &call.state) {
            Ok(State::Ringing(callee)) => callee.invitation.reliable.is_some(),
            _ => false,
        }
    }

    /// Timer: a minute without a word. The last one is said again; 183 if none was said.
    pub(super) fn repeat_progress(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
    ) {
        let Ok((invitation, _)) = self.invitation(call, "progress") else { return };
        if let Some(reliable) = &invitation.reliable {
            let (busy, last) = (reliable.is_busy(), reliable.last());
            return self.refresh_reliably(layer, now, call, busy, last);
        }
        if let Some(response) = &invitation.provisional {
            layer.respond(now, invitation.transaction, response);
            return self.set_timer(call, Timer::Progress, now + REFRESH);
        }
        let refreshed = self.progress(layer, now, call, StatusCode::SESSION_PROGRESS, None);
        layer.built(refreshed);
    }

    /// The same with a new reliable response, unless one is being repeated anyway or the user has
    /// to make the offer in the first.
    fn refresh_reliably(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        busy: bool,
        last: Option<StatusCode>,
    ) {
        let status = last.unwrap_or(StatusCode::SESSION_PROGRESS);
        if busy || self.progress(layer, now, call, status, None).is_err() {
            self.set_timer(call, Timer::Progress, now + REFRESH);
        }
    }
}

/// A proxy may cancel after three minutes of silence; every minute allows for two losses.
pub(super) const REFRESH: Duration = Duration::from_secs(60);
