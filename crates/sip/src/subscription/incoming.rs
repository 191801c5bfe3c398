//! SUBSCRIBE, NOTIFY and REFER of others, and which subscription each is for.

mod notify;
mod offer;

use std::time::Instant;

use offhook_sansio::{Flow, Key};
use offhook_sip_message::{Event as EventHeader, Method, StatusCode, ValidRequest};

use super::{Member, Notifier, Subscriber, Subscriptions, events_allowed};
use crate::{
    call::{Asker, Calls, inspect, send},
    dialog::DialogId,
    transaction::TransactionLayer,
};

/// What a request needs to be answered.
pub(super) struct Arrival<'a> {
    pub(super) layer: &'a mut TransactionLayer,
    pub(super) calls: &'a mut Calls,
    pub(super) now: Instant,
    pub(super) request: ValidRequest,
    pub(super) flow: Flow,
    /// The dialog that it names.
    pub(super) dialog: Option<DialogId>,
    /// Whether that is a dialog of this side.
    pub(super) is_known: bool,
}

/// The status that a request is refused with.
type Refused = StatusCode;

impl Arrival<'_> {
    fn asker(&self) -> Asker {
        if self.is_known { Asker::Peer } else { Asker::Stranger }
    }

    /// Answers finally. Nothing is kept of strangers.
    fn refuse(&mut self, status: StatusCode) {
        if status == StatusCode::SERVICE_UNAVAILABLE && !self.is_known {
            return self.layer.refuse(&self.request, self.flow, status);
        }
        let tag = self.layer.stateless_tag(&self.request);
        let mut reply = self.layer.reply(&self.request, status, &tag);
        if status == StatusCode::BAD_EVENT {
            reply = events_allowed(self.layer, reply);
        }
        send(self.layer, self.now, &self.request, self.flow, reply, self.asker());
    }

    fn accept(&mut self) {
        let reply = self.layer.reply(&self.request, StatusCode::OK, "");
        send(self.layer, self.now, &self.request, self.flow, reply, Asker::Peer);
    }

    /// The `Event` of the request, without which nothing is known of it (RFC 6665 §4.3).
    fn event(&self) -> Result<EventHeader, Refused> {
        match self.request.header::<EventHeader>() {
            Ok(Some(event)) => Ok(event),
            Ok(None) => Err(StatusCode::BAD_EVENT),
            Err(_) => Err(StatusCode::BAD_REQUEST),
        }
    }
}

impl Subscriptions {
    /// Takes a request that no transaction knows.
    pub(crate) fn receive(
        &mut self,
        layer: &mut TransactionLayer,
        calls: &mut Calls,
        now: Instant,
        request: ValidRequest,
        flow: Flow,
    ) {
        let dialog = DialogId::of_request(&request);
        let is_known = dialog.as_ref().is_some_and(|id| self.dialogs.get(calls, id).is_some());
        // As with calls: those who are known find room beyond the limit.
        let reserve = if is_known { layer.config.max_calls } else { 0 };
        if layer.is_full(reserve) {
            return layer.refuse(&request, flow, StatusCode::SERVICE_UNAVAILABLE);
        }
        let mut arrival = Arrival { layer, calls, now, request, flow, dialog, is_known };
        if let Err(refusal) =
            inspect(arrival.layer, &arrival.layer.config.session_timer, &arrival.request)
        {
            let asker = arrival.asker();
            return refusal.send(arrival.layer, now, &arrival.request, flow, asker);
        }
        let number = arrival.request.cseq().number;
        let dialog = arrival.dialog.as_ref().and_then(|id| self.dialogs.get(arrival.calls, id));
        let in_order = dialog.map(|dialog| dialog.receive_cseq(number));
        let served = match (in_order, arrival.request.method()) {
            // RFC 3261 §12.2.2: out of order.
            (Some(false), _) => Err(StatusCode::SERVER_INTERNAL_ERROR),
            (_, method) if method == Method::NOTIFY => self.notify_received(&mut arrival),
            (None, _) if arrival.dialog.is_some() => {
                Err(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST)
            }
            (_, method) if method == Method::REFER => self.refer_received(&mut arrival),
            _ => self.subscribe_received(&mut arrival),
        };
        if let Err(status) = served {
            arrival.refuse(status);
        }
    }

    /// Whether a request is for something that this machine has, or offers.
    pub(super) fn knows(&self, layer: &TransactionLayer, request: &ValidRequest) -> bool {
        let event = request.header::<EventHeader>().ok().flatten();
        let dialog = DialogId::of_request(request);
        match request.method() {
            method if method == Method::REFER => layer.config.takes_refer(),
            method if method == Method::NOTIFY => {
                let half = dialog.clone().map(half);
                let solicited = half.is_some_and(|half| self.solicited.contains_key(&half));
                solicited || dialog.is_some_and(|id| self.subscribers_in(&id).next().is_some())
            }
            _ => event.is_some_and(|event| {
                let offered = layer.config.event_packages.iter().any(|it| it.is_of(&event));
                offered || dialog.is_some_and(|id| self.refreshed(&id, &event) != Ok(None))
            }),
        }
    }

    /// The subscriptions of ours in a dialog.
    fn subscribers_in(
        &self,
        id: &DialogId,
    ) -> impl Iterator<Item = (Key<Subscriber>, &Subscriber)> {
        self.dialogs.members(id).iter().filter_map(|member| match member {
            Member::Subscriber(key) => Some((*key, self.subscribers.get(*key)?)),
            Member::Notifier(_) => None,
        })
    }

    /// The subscription of another that a SUBSCRIBE refreshes.
    fn refreshed(
        &self,
        id: &DialogId,
        event: &EventHeader,
    ) -> Result<Option<Key<Notifier>>, Refused> {
        let found = self.dialogs.members(id).iter().find_map(|member| match member {
            Member::Notifier(key) => {
                self.notifiers.get(*key).filter(|it| it.matches(event)).map(|it| (*key, it))
            }
            Member::Subscriber(_) => None,
        });
        match found {
            Some((key, notifier)) => notifier.refreshable().map(|()| Some(key)),
            None => Ok(None),
        }
    }
}

/// What is known of a dialog before its first NOTIFY.
fn half(dialog: DialogId) -> DialogId {
    DialogId { remote_tag: None, ..dialog }
}
