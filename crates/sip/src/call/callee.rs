//! The callee's side until the first final answer (RFC 3261 §13.3).

use std::time::Instant;

use offhook_sansio::Flow;
use offhook_sip_message::{HeaderName, Response, ResponseBuilder, StatusCode, Text, ValidRequest};

use super::{
    CallId, Calls, State, Timer, Use, identity, inspect,
    offer::{Offers, describes},
    reliable::Reliable,
    replace::Named,
    session::Exchange,
    usage::Usage,
};
use crate::{
    Error, Event, Fork,
    dialog::Dialog,
    transaction::{TransactionId, TransactionLayer},
};

/// A call that we did not answer so far, and its early dialog.
#[derive(Debug)]
pub(crate) struct Callee {
    pub(crate) invitation: Invitation,
    pub(crate) usage: Usage,
    /// The call that is hung up when this one is answered (RFC 3891 §3).
    pub(crate) replaces: Option<CallId>,
}

/// An INVITE of the peer, first or later, without final answer.
#[derive(Debug)]
pub(crate) struct Invitation {
    pub(crate) transaction: TransactionId,
    pub(crate) request: ValidRequest,
    /// The To tag of our responses.
    pub(crate) tag: Text,
    /// What was sent last, other than 100.
    pub(crate) provisional: Option<Response>,
    /// Its reliable provisional responses, if there are to be any.
    pub(crate) reliable: Option<Box<Reliable>>,
}

impl Calls {
    /// An INVITE outside of any dialog (RFC 3261 §13.3.1).
    pub(super) fn invited(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        request: ValidRequest,
        flow: Flow,
    ) {
        if self.calls.len() >= layer.config.max_calls {
            return layer.refuse(&request, flow, StatusCode::SERVICE_UNAVAILABLE);
        }
        let named = match self.named(&layer.config, &request) {
            Ok(named) => named,
            Err(status) => {
                return inspect::answer_stranger(layer, now, &request, flow, status);
            }
        };
        let Ok(public) = layer.public(flow) else { return };
        let tag = layer.new_tag();
        let Some(dialog) = Dialog::of_callee(&request, &tag, flow, public) else {
            // §8.1.1.8, §12.1.1: the INVITE has to say where its caller is reached, and by whom.
            return inspect::answer(layer, now, &request, flow, StatusCode::BAD_REQUEST);
        };
        let Some(transaction) = layer.serve(&request, flow, &tag) else { return };
        layer.send_trying(now, transaction);
        let id = dialog.id().clone();
        let invitation = Invitation::new(layer, transaction, request.clone(), tag);
        let offers = Offers::of_callee(describes(request.headers(), &request.body()));
        let mut usage = Usage::new(Fork(0), dialog, offers);
        usage.lifetime.learn(request.headers());
        usage.learn_packages(request.headers());
        let Named { replaces, joins } = named;
        let state = State::Ringing(Box::new(Callee { invitation, usage, replaces }));
        let Some(call) = self.insert(state, layer.config.session_timer) else { return };
        self.dialogs.insert(id, call);
        self.uses.insert(transaction, Use::Invitation { call, late: None });
        self.set_timer(call, Timer::Progress, now + super::progress::REFRESH);
        self.start_expires(now, call, &request);
        let modes = layer.config.answer_mode;
        self.events.push_back(Event::Incoming {
            call,
            flow,
            replaces,
            joins,
            asserted: identity::asserted(layer, flow, &request),
            answer_mode: request.header().ok().flatten().filter(|_| modes),
            priv_answer_mode: request.header().ok().flatten().filter(|_| modes),
            request,
        });
    }

    /// The peer's INVITE that waits for an answer, and the dialog it is part of.
    pub(super) fn invitation(
        &mut self,
        call: CallId,
        verb: &'static str,
    ) -> Result<(&mut Invitation, &mut Usage), Error> {
        let wrong = Error::WrongState { verb, expected: "an INVITE of the peer that waits" };
        match &mut self.get_mut(call)?.state {
            State::Ringing(callee) => Ok((&mut callee.invitation, &mut callee.usage)),
            State::Standing(session) => match &mut session.exchange {
                Exchange::Invited(invitation) => Ok((invitation, &mut session.usage)),
                _ => Err(wrong),
            },
            State::Calling(_) | State::Leaving(_) => Err(wrong),
        }
    }
}

impl Invitation {
    pub(crate) fn new(
        layer: &mut TransactionLayer,
        transaction: TransactionId,
        request: ValidRequest,
        tag: Text,
    ) -> Self {
        let reliable = Reliable::of(layer, &request).map(Box::new);
        Self { transaction, request, tag, provisional: None, reliable }
    }

    /// Whether the caller has been told of the early dialog.
    pub(crate) fn has_dialog(&self) -> bool {
        self.provisional.is_some() || self.reliable.as_ref().is_some_and(|it| it.last().is_some())
    }

    /// A response that makes a dialog: with the `Record-Route` of the INVITE and our `Contact`
    /// (RFC 3261 §12.1.1).
    pub(crate) fn reply_in_dialog(
        &self,
        layer: &TransactionLayer,
        dialog: &Dialog,
        status: StatusCode,
    ) -> ResponseBuilder {
        let mut builder = layer.reply(&self.request, status, &self.tag).header(&dialog.contact());
        for row in self.request.headers().texts(HeaderName::RECORD_ROUTE).flatten() {
            builder = builder.raw(HeaderName::RECORD_ROUTE, &row);
        }
        builder
    }

    /// A final response other than 2xx.
    pub(crate) fn reply(&self, layer: &TransactionLayer, status: StatusCode) -> ResponseBuilder {
        layer.reply(&self.request, status, &self.tag)
    }
}
