//! The ACK to a 2xx, in both directions (RFC 3261 §13.2.2.4, §13.3.1.4).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{ContentType, Header, ValidRequest};

use super::{CallId, Calls, Use, caller::Ack, offer::Carrier, session::Exchange};
use crate::{
    Authenticator, Body, Dropped, End, Error, Event,
    dialog::{Dialog, DialogId, Outgoing},
    transaction::{TransactionId, TransactionLayer},
    usage::with_body,
};

impl Calls {
    /// Sends the ACK that has waited for the answer to the offer in a 2xx.
    pub(crate) fn acknowledge(
        &mut self,
        layer: &mut TransactionLayer,
        call: CallId,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.get(call)?;
        let wrong =
            Error::WrongState { verb: "acknowledge", expected: "a 2xx that brought an offer" };
        let session = self.session_mut(call).ok_or(wrong.clone())?;
        let Exchange::Unacknowledged { transaction } = session.exchange else { return Err(wrong) };
        let dialog = session.usage.dialog.clone();
        session.exchange = Exchange::Idle;
        session.usage.offers.settle(Carrier::Accepted);
        session.usage.described.say(body.clone());
        self.acknowledge_with(layer, transaction, &dialog, body);
        Ok(())
    }

    /// Sends the ACK to the 2xx of `dialog`, and keeps it to send it again.
    pub(super) fn acknowledge_with(
        &mut self,
        layer: &mut TransactionLayer,
        transaction: TransactionId,
        dialog: &Dialog,
        body: Option<Body>,
    ) {
        let Some(Use::Invite(invite)) = self.uses.get_mut(&transaction) else { return };
        let number = invite.request.cseq().number;
        let Ok((builder, flow)) = dialog.acknowledge(layer, number) else { return };
        // §22.1: whoever has let the INVITE pass lets its ACK pass.
        let builder = Authenticator::copy_to_ack(&invite.request, with_body(builder, body));
        let Some(ack) = layer.built(builder.build()) else { return };
        let message = ack.as_bytes().clone();
        layer.send(flow, &message);
        let remote_tag = dialog.id().remote_tag.clone();
        invite.acks.push(Ack { remote_tag, outgoing: Outgoing { flow, message } });
    }

    /// Whether the ACK of `dialog` waits for the user's answer.
    pub(super) fn awaits_answer(&self, call: CallId, dialog: &Dialog) -> bool {
        self.session(call).is_some_and(|session| {
            matches!(session.exchange, Exchange::Unacknowledged { .. })
                && session.usage.dialog.id() == dialog.id()
        })
    }

    /// An ACK has come that no transaction absorbed: it is for a 2xx of ours.
    pub(super) fn acknowledged(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        ack: &ValidRequest,
        flow: Flow,
    ) {
        let dialog = DialogId::of_request(ack);
        let call = dialog.and_then(|dialog| self.dialogs.get(&dialog)).copied();
        let number = ack.cseq().number;
        let awaited = |session: &super::Session| session.awaits_ack(number);
        match call.filter(|call| self.session(*call).is_some_and(awaited)) {
            Some(call) => self.establish(layer, now, call, ack),
            // It came again, or it is for nothing that we said.
            None => {
                layer.discard(Dropped::StrayAck, flow);
            }
        }
    }

    fn establish(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        ack: &ValidRequest,
    ) {
        self.stop_invite_timers(call);
        let Some(session) = self.session_mut(call) else { return };
        session.exchange = Exchange::Idle;
        session.usage.offers.settle(Carrier::Accepted);
        if session.hung_up {
            return self.leave(layer, now, call, End::HungUp);
        }
        self.events.push_back(Event::Established { call, body: body_of(ack) });
    }
}

pub(super) fn body_of(request: &ValidRequest) -> Option<Body> {
    let content = request.body();
    if content.is_empty() {
        return None;
    }
    let mut content_type = String::new();
    request.header::<ContentType>().ok().flatten()?.write(&mut content_type);
    Some(Body { content_type: content_type.into(), content })
}
