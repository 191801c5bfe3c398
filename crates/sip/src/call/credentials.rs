//! Credentials of a call: challenges are answered, and later requests carry what the
//! first ones were asked for (RFC 3261 §22.2, §22.3, §8.1.3.5).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{Request, StatusCode, ValidRequest, ValidResponse};

use super::{CallId, Calls, State, Use, caller::OutgoingInvite, caller::Step, session::Exchange};
use crate::{
    Authenticator, Error, Login,
    transaction::{TransactionId, TransactionLayer},
    usage,
};

impl Calls {
    /// Gives a call its logins, in place of those that it had.
    pub(super) fn log_in(&mut self, layer: &mut TransactionLayer, id: CallId, logins: Vec<Login>) {
        if let Some(call) = self.calls.get_mut(id.0) {
            call.authenticator = usage::authenticator(layer, logins);
        }
    }

    /// Gives a call that lives its logins.
    pub(crate) fn log_in_later(
        &mut self,
        layer: &mut TransactionLayer,
        id: CallId,
        logins: Vec<Login>,
    ) -> Result<(), Error> {
        self.get(id)?;
        self.log_in(layer, id, logins);
        Ok(())
    }

    /// A request of the call, with credentials for all who have asked for them.
    pub(super) fn authorize(
        &mut self,
        layer: &TransactionLayer,
        id: CallId,
        request: Request,
    ) -> Result<ValidRequest, Error> {
        let request = layer.valid(request)?;
        let Some(authenticator) = self.authenticator(id) else { return Ok(request) };
        let request = authenticator.authorize(&request).build();
        layer.valid(request.map_err(|error| Error::Unbuildable(error.to_string()))?)
    }

    /// The request that answers a challenge to `request`, or a 422: with `number` as its CSeq, a new
    /// branch, and the same Call-ID, From and To (§8.1.3.5, RFC 4028 §7.3). `None` if it was neither,
    /// or one that cannot be answered.
    pub(super) fn again(
        &mut self,
        layer: &mut TransactionLayer,
        id: CallId,
        request: &ValidRequest,
        response: &ValidResponse,
        flow: Flow,
        number: u32,
    ) -> Option<ValidRequest> {
        if response.status() == StatusCode::SESSION_INTERVAL_TOO_SMALL {
            return self.longer(layer, id, request, response, flow, number);
        }
        let authenticator = self.authenticator(id)?;
        usage::again(layer, authenticator, request, response, flow, number)
    }

    /// Answers a challenge or a 422 to our INVITE, first or later; false if the INVITE has failed.
    pub(super) fn invite_again(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        transaction: TransactionId,
        response: &ValidResponse,
    ) -> bool {
        let Some(Use::Invite(invite)) = self.uses.get(&transaction) else { return false };
        let (call, flow, purpose) = (invite.call, invite.flow, invite.purpose);
        if !self.waits_for(call, transaction) {
            return false;
        }
        let (challenged, mut dialog) = (invite.request.clone(), invite.dialog.clone());
        // PRACK and UPDATE may have been sent in the dialog since.
        let next = match self.session(call) {
            Some(session) => session.usage.dialog.next_cseq(),
            None => challenged.cseq().number.checked_add(1),
        };
        let again = next.and_then(|n| self.again(layer, call, &challenged, response, flow, n));
        let Some(request) = again else { return false };
        let sent = layer.request(now, &request, flow);
        let Some(next) = layer.built(sent) else { return false };
        if let Some(dialog) = &mut dialog {
            dialog.sent(request.cseq().number);
        }
        self.drop_forks(layer, now, call);
        self.go_on(call, next, request.cseq().number);
        let invite = OutgoingInvite::new(call, request, flow, dialog).with_purpose(purpose);
        self.uses.insert(next, Use::Invite(Box::new(invite)));
        true
    }

    /// Whether the call still wants what the INVITE has asked for.
    fn waits_for(&self, id: CallId, transaction: TransactionId) -> bool {
        match self.get(id).map(|call| &call.state) {
            Ok(State::Calling(caller)) => {
                let wanted = matches!(caller.step, Step::Calling | Step::Proceeding);
                wanted && caller.transaction == transaction
            }
            Ok(State::Standing(session)) => {
                matches!(session.exchange, Exchange::Inviting { transaction: it } if it == transaction)
            }
            Ok(State::Ringing(_) | State::Leaving(_)) | Err(_) => false,
        }
    }

    /// Waits for `transaction` from now on, whose INVITE has the number `cseq`.
    fn go_on(&mut self, id: CallId, transaction: TransactionId, cseq: u32) {
        match self.get_mut(id).map(|call| &mut call.state) {
            Ok(State::Calling(caller)) => {
                caller.transaction = transaction;
                caller.step = Step::Calling;
            }
            Ok(State::Standing(session)) => {
                session.exchange = Exchange::Inviting { transaction };
                session.usage.dialog.sent(cseq);
            }
            Ok(State::Ringing(_) | State::Leaving(_)) | Err(_) => {}
        }
    }

    fn authenticator(&mut self, id: CallId) -> Option<&mut Authenticator> {
        self.calls.get_mut(id.0)?.authenticator.as_deref_mut()
    }
}
