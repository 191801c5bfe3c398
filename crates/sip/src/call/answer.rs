//! Answering with 2xx, and saying it again until the ACK comes (RFC 3261 §13.3.1.4).

use std::time::Instant;

use offhook_sip_message::{
    AnswerMode, AnswerModeValue, PrivAnswerMode, ResponseBuilder, StatusCode, ValidRequest,
};

use super::{
    CallId, Calls, State, Timer, info,
    invite::{allowed, supported},
    offer::Carrier,
    reliable::Accepted,
    session::{Answered, Exchange, Session},
    session_timer::{Role, grant},
};
use crate::{Body, End, Error, transaction::TransactionLayer};

impl Calls {
    /// Sends 200 to the INVITE or re-INVITE that waits, or as soon as the PRACK has come that it
    /// has to wait for (RFC 3262 §3).
    pub(crate) fn answer(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        body: Option<Body>,
        mode: Option<&AnswerModeValue>,
    ) -> Result<(), Error> {
        let timer = self.session_timer(call);
        let (invitation, usage) = self.invitation(call, "answer")?;
        let described_before =
            invitation.reliable.as_ref().is_some_and(|it| !it.describes_nothing());
        if body.is_some() && (described_before || !usage.offers.may_describe()) {
            return Err(Error::AlreadyNegotiated);
        }
        let builder = invitation.reply_in_dialog(layer, &usage.dialog, StatusCode::OK);
        let mut builder = builder.list(&allowed(layer)).list(&supported(layer, &timer));
        builder = grant(&timer, &invitation.request, builder);
        builder = info::tell(layer, &invitation.request, builder);
        if let Some(mode) = mode {
            builder = answered_by(mode, &invitation.request, builder)?;
        }
        let described = body.clone();
        if let Some(body) = body {
            builder = builder.body(&body.content_type, body.content);
        }
        let response = builder.build().map_err(|error| Error::Unbuildable(error.to_string()))?;
        let accepted = Accepted { response, described };
        if let Some(reliable) = invitation.reliable.as_mut().filter(|it| it.delays_answer(usage)) {
            let expected = "an INVITE that was not answered";
            let wrong = Error::WrongState { verb: "answer", expected };
            return if reliable.wait(accepted) { Ok(()) } else { Err(wrong) };
        }
        self.accept(layer, now, call, accepted);
        Ok(())
    }

    /// Sends the 2xx: the call stands.
    pub(super) fn accept(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        accepted: Accepted,
    ) {
        self.settle_progress(call);
        let replaced = match self.get(call).map(|call| &call.state) {
            Ok(State::Ringing(callee)) => callee.replaces,
            Ok(_) | Err(_) => None,
        };
        let again = self.session_mut(call).is_some();
        let Ok((invitation, usage)) = self.invitation(call, "answer") else { return };
        if again {
            // The target of a re-INVITE counts from its acceptance on (§12.2.2).
            usage.dialog.refresh_target(invitation.request.header().ok().flatten());
            usage.learn_packages(invitation.request.headers());
        }
        usage.offers.send_response(Carrier::Accepted, accepted.described.is_some());
        usage.described.say(accepted.described);
        let request = invitation.request.clone();
        let headers = accepted.response.clone();
        let answered = Answered {
            transaction: invitation.transaction,
            cseq: invitation.request.cseq().number,
            interval: layer.timing().t1,
            response: accepted.response,
        };
        layer.respond(now, answered.transaction, &answered.response);
        let session = Session::of_callee(usage.clone(), answered);
        self.become_state(call, State::Standing(Box::new(session)));
        self.time_session(now, call, Role::Uas, &request, headers.headers());
        self.set_timer(call, Timer::Accepted, now + layer.timing().t1);
        self.set_timer(call, Timer::NotAcknowledged, now + layer.timing().give_up());
        self.replace(layer, now, replaced);
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
            return self.leave(layer, now, call, End::HungUp);
        }
        let dialog = session.usage.dialog.clone();
        self.say_bye(layer, now, call, dialog);
        self.end(layer, now, call, End::NotAcknowledged);
    }
}

/// Says who or what has answered (RFC 5373 §5), unless the caller requires another mode (§4.2).
fn answered_by(
    mode: &AnswerModeValue,
    invite: &ValidRequest,
    builder: ResponseBuilder,
) -> Result<ResponseBuilder, Error> {
    let asked = invite.header::<AnswerMode>().ok().flatten();
    let privileged = invite.header::<PrivAnswerMode>().ok().flatten();
    let other = |asked: &AnswerModeValue, required: bool| required && asked != mode;
    let refused = match (&privileged, &asked) {
        (Some(asked), None) => other(&asked.mode, asked.is_required()),
        (_, Some(asked)) => other(&asked.mode, asked.is_required()),
        (None, None) => false,
    };
    if refused {
        let expected = "the mode that the caller requires, or else a 403 (RFC 5373 §4.5.1)";
        return Err(Error::WrongState { verb: "answer_as", expected });
    }
    Ok(match privileged.is_some() && asked.is_none() {
        true => builder.header(&PrivAnswerMode::new(mode.clone())),
        false => builder.header(&AnswerMode::new(mode.clone())),
    })
}

/// The option tag of RFC 5373 §8.3.
pub(super) const ANSWER_MODE: &str = "answermode";
