//! Answering with a failure (RFC 3261 §13.3.1.3, §14.2).

use std::time::Instant;

use offhook_sip_message::{Contact, ResponseBuilder, StatusCode, Text, Warning};

use super::{CallId, Calls, State, Use, session::Exchange};
use crate::{
    End, Error, Event,
    transaction::{TransactionId, TransactionLayer},
};

impl Calls {
    /// Sends a final failure to the INVITE or re-INVITE that waits. A refused re-INVITE leaves the
    /// call as it was.
    pub(crate) fn reject(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        status: StatusCode,
    ) -> Result<(), Error> {
        if !(300..=699).contains(&status.as_u16()) {
            return Err(Error::InvalidStatus { status, expected: "300 to 699" });
        }
        self.refuse(layer, now, call, status, End::Refused { status })
    }

    /// Refuses the INVITE that waits and names where to call instead (RFC 3261 §21.3).
    pub(crate) fn redirect(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        status: StatusCode,
        contacts: &[Contact],
    ) -> Result<(), Error> {
        if !(300..=399).contains(&status.as_u16()) {
            return Err(Error::InvalidStatus { status, expected: "300 to 399" });
        }
        if contacts.contains(&Contact::Star) {
            let why = "* is nowhere to call (RFC 3261 §20.10)";
            return Err(Error::Unbuildable(why.to_owned()));
        }
        let end = End::Refused { status };
        self.refuse_with(layer, now, call, status, end, |builder| builder.list(contacts))
    }

    /// As [`reject`](Self::reject), and tells people why: in the reason phrase of a 400, which is
    /// to name the fault (§21.4.1), else in a `Warning` (§20.43, §13.3.1.3).
    pub(crate) fn reject_because(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        status: StatusCode,
        why: &str,
    ) -> Result<(), Error> {
        if !(300..=699).contains(&status.as_u16()) {
            return Err(Error::InvalidStatus { status, expected: "300 to 699" });
        }
        // The text may quote the peer: nothing in it may break a line or grow without bound.
        let why: String = why.chars().filter(|char| !char.is_control()).take(LONGEST_WHY).collect();
        let end = End::Refused { status };
        self.refuse_with(layer, now, call, status, end, |builder| match status {
            StatusCode::BAD_REQUEST => builder.reason(why),
            _ => builder.header(&Warning {
                code: MISCELLANEOUS,
                agent: Text::from_static("offhook"),
                text: why.into(),
            }),
        })
    }

    /// The invitation has run out (RFC 3261 §13.3.1), or our own has (§13.2.1).
    pub(super) fn expired(&mut self, layer: &mut TransactionLayer, now: Instant, call: CallId) {
        match self.get(call).map(|call| &call.state) {
            Ok(State::Calling(_)) => {
                let given_up = self.hang_up(layer, now, call);
                layer.built(given_up);
            }
            Ok(State::Ringing(_) | State::Standing(_)) => self.withdraw(layer, now, call),
            Ok(State::Leaving(_)) | Err(_) => {}
        }
    }

    /// A response to an INVITE could not be sent: a call that rings does so in vain. Its transaction
    /// gets a final response, so that it ends, and answers its INVITE should that come again.
    pub(super) fn not_heard(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
    ) {
        let Some(Use::Invitation { call, .. }) = self.uses.get(&transaction) else { return };
        let call = *call;
        if matches!(self.get(call).map(|call| &call.state), Ok(State::Ringing(_))) {
            let status = StatusCode::TEMPORARILY_UNAVAILABLE;
            let refused = self.refuse(layer, now, call, status, End::TransportFailed);
            layer.built(refused);
        }
    }

    /// Sends 487 to the INVITE that waits: its caller does not want it any more.
    pub(super) fn withdraw(&mut self, layer: &mut TransactionLayer, now: Instant, call: CallId) {
        let first = matches!(self.get(call).map(|call| &call.state), Ok(State::Ringing(_)));
        let status = StatusCode::REQUEST_TERMINATED;
        let refused = self.refuse(layer, now, call, status, End::PeerCancelled);
        if refused.is_ok() && !first {
            self.events.push_back(Event::ReinviteCancelled { call });
        }
    }

    /// Sends a final failure; for a first INVITE the call ends with `end`.
    pub(super) fn refuse(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        status: StatusCode,
        end: End,
    ) -> Result<(), Error> {
        self.refuse_with(layer, now, call, status, end, |builder| builder)
    }

    fn refuse_with(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        call: CallId,
        status: StatusCode,
        end: End,
        explain: impl FnOnce(ResponseBuilder) -> ResponseBuilder,
    ) -> Result<(), Error> {
        self.settle_progress(call);
        let (invitation, _) = self.invitation(call, "reject")?;
        let response = explain(invitation.reply(layer, status)).build();
        let response = response.map_err(|error| Error::Unbuildable(error.to_string()))?;
        let transaction = invitation.transaction;
        layer.respond(now, transaction, &response);
        match self.session_mut(call) {
            Some(session) => {
                session.exchange = Exchange::Idle;
                session.refused = Some(transaction);
                session.usage.offers.roll_back();
                session.usage.described.take_back();
                self.stop_invite_timers(call);
            }
            None => self.end(layer, now, call, end),
        }
        Ok(())
    }
}

/// A warning of no other class (RFC 3261 §20.43).
const MISCELLANEOUS: u16 = 399;
/// How much of an explanation is sent.
const LONGEST_WHY: usize = 200;
