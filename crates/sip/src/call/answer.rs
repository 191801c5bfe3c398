//! Answering with 2xx, and saying it again until the ACK comes (RFC 3261 §13.3.1.4).

use std::time::Instant;

use offhook_sip_message::{StatusCode, Supported};

use super::{
    CallId, Calls, State, Timer,
    invite::allowed,
    session::{Answered, Exchange, Session},
};
use crate::{Body, End, Error, transaction::TransactionLayer};

impl Calls {
    /// Sends 200 to the INVITE or re-INVITE that waits.
    pub(crate) fn answer(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        body: Option<Body>,
    ) -> Result<(), Error> {
        let (invitation, dialog) = self.invitation(call, "answer")?;
        let builder = invitation.reply_in_dialog(layer, dialog, StatusCode::OK);
        let mut builder = builder.list(&allowed(layer)).list::<Supported>(&[]);
        if let Some(body) = body {
            builder = builder.body(&body.content_type, body.content);
        }
        let response = builder.build().map_err(|error| Error::Unbuildable(error.to_string()))?;
        // The target of a re-INVITE counts from its acceptance on (§12.2.2).
        dialog.refresh_target(invitation.request.header().ok().flatten());
        let answered = Answered {
            transaction: invitation.transaction,
            cseq: invitation.request.cseq().number,
            interval: layer.timing().t1,
            response,
        };
        layer.respond(now, answered.transaction, &answered.response);
        let dialog = dialog.clone();
        let session = Session::of_callee(dialog, answered);
        self.become_state(call, State::Standing(Box::new(session)));
        self.set_timer(call, Timer::Accepted, now + layer.timing().t1);
        self.set_timer(call, Timer::NotAcknowledged, now + layer.timing().give_up());
        Ok(())
    }

    /// Timer: the ACK has not come so far.
    pub(super) fn repeat_answer(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
    ) {
        let timing = layer.timing();
        let Some(session) = self.session_mut(call) else { return };
        let Exchange::Answered(answered) = &mut session.exchange else { return };
        layer.respond(now, answered.transaction, &answered.response);
        answered.interval = timing.back_off(answered.interval);
        let deadline = now + answered.interval;
        self.set_timer(call, Timer::Accepted, deadline);
    }

    /// Timer: the ACK has not come within 64*T1. The dialog is confirmed, the session ends.
    pub(super) fn not_acknowledged(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
    ) {
        let Some(session) = self.session_mut(call) else { return };
        if session.hung_up {
            return self.leave(layer, now, call);
        }
        let dialog = session.dialog.clone();
        self.say_bye(layer, now, call, dialog);
        self.end(call, End::NotAcknowledged);
    }
}
