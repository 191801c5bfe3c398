//! Reliable provisional responses at the caller (RFC 3262 §4).
//!
//! 1. The first one of a dialog gives the number to count from; each next one has the next number.
//! 2. What repeats an earlier one, or leaves a gap, goes no further.
//! 3. PRACK acknowledges it; at once, or with the user's answer to the offer that it brings.

use std::time::Instant;

use offhook_sip_message::{Method, RAck, RSeq, Require, ValidResponse};

use super::{
    CallId, Calls,
    inspect::RELIABLE,
    invite::supported,
    offer::{Carrier, describes},
    refresh::Purpose,
    request::{Asking, OutgoingRequest},
};
use crate::{
    Body, Description, Dropped, Error, Fork, ReliableProvisionals, dialog::DialogId,
    transaction::TransactionLayer, usage::with_body,
};

impl Calls {
    /// Sends the PRACK that has waited for the answer to the offer in a provisional response.
    pub(crate) fn prack(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        fork: Option<Fork>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        let usage = self.usage(call, fork)?;
        let wrong = Error::WrongState {
            verb: "prack",
            expected: "a reliable provisional response that brought an offer",
        };
        let rack = usage.owed.clone().ok_or(wrong)?;
        let dialog = usage.dialog.id().clone();
        self.send_prack(layer, now, call, &dialog, &rack, body.clone())?;
        if let Some(usage) = self.usage_of(call, &dialog) {
            usage.described.say(body);
            usage.owed = None;
            usage.offers.settle(Carrier::Progress);
        }
        Ok(())
    }

    /// A provisional response, 101 to 199, to an INVITE of ours: says what its description is.
    /// `None` if it is not to be processed.
    pub(super) fn heard(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        dialog: &DialogId,
        response: &ValidResponse,
    ) -> Option<Description> {
        let described = describes(response.headers(), &response.body());
        let rack = rack_of(layer, response);
        // What a re-INVITE is answered with counts with its 2xx (RFC 6086 §5.2.4).
        let confirmed = self.session(call).is_some();
        let usage = self.usage_of(call, dialog)?;
        let Some(rack) = rack else { return Some(usage.offers.preview(described)) };
        if !confirmed {
            usage.learn_packages(response.headers());
        }
        let flow = usage.dialog.flow();
        if let Some(reason) = out_of_order(usage.heard.as_ref(), &rack) {
            layer.discard(reason, flow);
            return None;
        }
        // A peer that counts without end gets no more memory than any other.
        if layer.is_full(0) {
            layer.discard(Dropped::NoRoom, flow);
            return None;
        }
        let description = usage.offers.receive_response(Carrier::Progress, described);
        usage.heard = Some(rack.clone());
        if description == Description::Offer {
            usage.owed = Some(rack);
            return Some(description);
        }
        let sent = self.send_prack(layer, now, call, dialog, &rack, None);
        layer.built(sent);
        Some(description)
    }

    fn send_prack(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        dialog: &DialogId,
        rack: &RAck,
        body: Option<Body>,
    ) -> Result<(), Error> {
        let timer = self.session_timer(call);
        let usage = self.usage_of(call, dialog).ok_or(Error::NoFork)?;
        // Sent with a copy, so that a refusal here leaves the sequence number alone.
        let mut copy = usage.dialog.clone();
        let (builder, flow) = copy.request(layer, Method::PRACK)?;
        // RFC 4028 §7.1: in each request but ACK.
        let builder = builder.list(&supported(layer, &timer));
        let request = with_body(builder.header(rack), body).build();
        let request = request.map_err(|error| Error::Unbuildable(error.to_string()))?;
        let request = self.authorize(layer, call, request)?;
        let asking =
            Asking { call, dialog: dialog.clone(), flow, purpose: Purpose::User, info: None };
        self.ask(layer, now, OutgoingRequest { asking, request })?;
        Ok(())
    }
}

/// What acknowledges the response; `None` if it was not sent reliably, or not to us.
fn rack_of(layer: &TransactionLayer, response: &ValidResponse) -> Option<RAck> {
    let taken = layer.config.reliable() != ReliableProvisionals::Off;
    let required = response.headers_of::<Require>().flatten().any(|tag| tag.is(RELIABLE));
    let number = response.header::<RSeq>().ok().flatten()?;
    (taken && required).then(|| RAck::new(number, response.cseq()))
}

/// Why a reliable provisional response cannot follow the one `before` (RFC 3262 §4).
fn out_of_order(before: Option<&RAck>, rack: &RAck) -> Option<Dropped> {
    let before = before.filter(|before| before.cseq_num == rack.cseq_num)?;
    if rack.response_num <= before.response_num {
        return Some(Dropped::Retransmission);
    }
    let follows = before.response_num.checked_add(1) == Some(rack.response_num);
    (!follows).then_some(Dropped::OutOfOrder)
}
