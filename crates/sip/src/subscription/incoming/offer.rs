//! SUBSCRIBE and REFER: what is asked of this side (RFC 6665 §4.2.1, RFC 3515 §2.4.2).

use std::time::Duration;

use offhook_sip_message::{
    Event as EventHeader, Expires, HeaderName, MinExpires, ReferSub, ReferTo, ReferredBy,
    StatusCode, TargetDialog, Text,
};

use super::{Arrival, Refused};
use crate::{
    CallId, Referral, ReferralEvent, SubscriberEvent,
    call::send,
    dialog::{Dialog, DialogId},
    subscription::{
        EventPackage, Ground, Member, Notifier, Subscriptions,
        notifier::{Offer, Told},
    },
};

impl Subscriptions {
    pub(super) fn subscribe_received(&mut self, arrival: &mut Arrival<'_>) -> Result<(), Refused> {
        let event = arrival.event()?;
        let refreshed = match &arrival.dialog {
            Some(id) => self.refreshed(id, &event)?,
            None => None,
        };
        let seconds = arrival.seconds(&event);
        if let Some(key) = refreshed {
            if !arrival.is_too_brief(seconds) {
                let (request, flow) = (arrival.request.clone(), arrival.flow);
                let (layer, calls) = (&mut *arrival.layer, &mut *arrival.calls);
                self.drive_notifier(layer, calls, arrival.now, key, |notifier, ground| {
                    notifier.refresh(ground, &request, flow, seconds);
                });
            }
            return Ok(());
        }
        if EventPackage::REFER.is_of(&event) {
            // RFC 3515 §2.4.4: only a REFER begins such a subscription.
            return Err(StatusCode::FORBIDDEN);
        }
        if !arrival.layer.config.event_packages.iter().any(|package| package.is_of(&event)) {
            return Err(StatusCode::BAD_EVENT);
        }
        if arrival.is_too_brief(seconds) {
            return Ok(());
        }
        let (request, flow) = (arrival.request.clone(), arrival.flow);
        let expires = Duration::from_secs(seconds.into());
        let asked = Asked { event: event.clone(), is_refer: false, seconds, subscribes: true };
        self.offered(arrival, asked, |call| {
            Told::Subscriber(SubscriberEvent::Requested { request, flow, event, expires, call })
        })
    }

    pub(super) fn refer_received(&mut self, arrival: &mut Arrival<'_>) -> Result<(), Refused> {
        let request = arrival.request.clone();
        if request.headers().count(HeaderName::REFER_TO) != 1 {
            // RFC 3515 §2.4.2.
            return Err(StatusCode::BAD_REQUEST);
        }
        let refer_to = request.header::<ReferTo>().ok().flatten();
        let refer_to = refer_to.ok_or(StatusCode::BAD_REQUEST)?.address;
        let referred_by = request.header::<ReferredBy>().ok().flatten().map(|it| it.address);
        let sub = request.header::<ReferSub>().ok().flatten();
        let subscribes = sub.is_none_or(|field| field.subscribes);
        let mut event = EventPackage::REFER.event();
        if arrival.dialog.is_some() {
            event = event.with_id(request.cseq().number.to_string());
        }
        let target_dialog = arrival.target_dialog();
        let flow = arrival.flow;
        let asked = Asked { event, is_refer: true, seconds: 0, subscribes };
        self.offered(arrival, asked, |call| {
            let referral =
                Referral { request, flow, refer_to, referred_by, subscribes, call, target_dialog };
            Told::Referral(ReferralEvent::Requested(Box::new(referral)))
        })
    }

    /// Lets the request wait for the owner, who is told of it.
    fn offered(
        &mut self,
        arrival: &mut Arrival<'_>,
        asked: Asked,
        told: impl FnOnce(Option<CallId>) -> Told,
    ) -> Result<(), Refused> {
        if self.notifiers.len() >= arrival.layer.config.max_subscribers {
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        }
        let (dialog, tag, call) = self.dialog_of(arrival)?;
        let (request, flow) = (arrival.request.clone(), arrival.flow);
        let Some(transaction) = arrival.layer.serve(&request, flow, &tag) else { return Ok(()) };
        let Asked { event, is_refer, seconds, subscribes } = asked;
        let (id, fresh) = match dialog {
            Place::Shared(id) => (id, None),
            Place::New(dialog) => (dialog.id().clone(), Some(dialog)),
        };
        let dialog = id.clone();
        let offer =
            Offer { is_refer, event, dialog, transaction, request, tag, seconds, subscribes };
        let (layer, calls) = (&mut *arrival.layer, &mut *arrival.calls);
        let ground = Ground { layer, calls, dialogs: &mut self.dialogs, now: arrival.now };
        let mut notifier = Notifier::offered(&ground, offer);
        notifier.say(told(call));
        let Some(key) = self.notifiers.begin(notifier) else { return Ok(()) };
        if let Some(dialog) = fresh {
            self.dialogs.begin(*dialog);
        }
        self.dialogs.join(arrival.calls, id, Member::Notifier(key));
        Ok(())
    }

    /// The dialog that the subscription will live in, with the To tag for the answers.
    fn dialog_of(
        &self,
        arrival: &mut Arrival<'_>,
    ) -> Result<(Place, Text, Option<CallId>), Refused> {
        if let Some(id) = &arrival.dialog {
            if self.dialogs.members(id).len() >= MAX_IN_DIALOG {
                return Err(StatusCode::SERVICE_UNAVAILABLE);
            }
            let call = arrival.calls.shareable(id);
            if call.is_none() && arrival.calls.with_dialog(id).is_some() {
                // The call is about to end, and what is asked for comes too late.
                return Err(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST);
            }
            return Ok((Place::Shared(id.clone()), Text::new(), call));
        }
        let tag = arrival.layer.new_tag();
        let public = arrival.layer.public(arrival.flow);
        let public = public.map_err(|_| StatusCode::SERVER_INTERNAL_ERROR)?;
        // RFC 3261 §12.1.1: the request has to say where its sender is reached.
        let dialog = Dialog::of_callee(&arrival.request, &tag, arrival.flow, public);
        let dialog = dialog.ok_or(StatusCode::BAD_REQUEST)?;
        Ok((Place::New(Box::new(dialog)), tag, None))
    }
}

/// What a request asks for.
struct Asked {
    event: EventHeader,
    is_refer: bool,
    seconds: u32,
    subscribes: bool,
}

enum Place {
    /// The dialog of a call or of other subscriptions (RFC 6665 §4.5.2).
    Shared(DialogId),
    New(Box<Dialog>),
}

impl Arrival<'_> {
    /// For how long is asked.
    fn seconds(&self, event: &EventHeader) -> u32 {
        let asked = self.request.header::<Expires>().ok().flatten();
        asked.map_or_else(|| EventPackage::default_seconds(event), |Expires(seconds)| seconds)
    }

    /// Answers with 423 what asks for too little (RFC 6665 §4.2.1.1).
    fn is_too_brief(&mut self, seconds: u32) -> bool {
        let least = self.layer.config.min_subscription.as_secs().min(HOUR);
        if seconds == 0 || u64::from(seconds) >= least {
            return false;
        }
        let least = MinExpires(u32::try_from(least).unwrap_or(u32::MAX));
        let tag = self.layer.stateless_tag(&self.request);
        let reply = self.layer.reply(&self.request, StatusCode::INTERVAL_TOO_BRIEF, &tag);
        let (reply, asker) = (reply.header(&least), self.asker());
        send(self.layer, self.now, &self.request, self.flow, reply, asker);
        true
    }

    /// The call that the request shows to know (RFC 4538 §4). One that is none is ignored.
    fn target_dialog(&self) -> Option<CallId> {
        let named = self.request.header::<TargetDialog>().ok()??;
        self.calls.with_dialog(&DialogId {
            call_id: named.call_id().0.clone(),
            local_tag: named.local_tag().into(),
            remote_tag: Some(named.remote_tag().into()),
        })
    }
}

/// Nobody who asks for an hour is refused (RFC 6665 §4.2.1.1).
const HOUR: u64 = 3600;
/// How many subscriptions share a dialog: as with forks, a peer that makes up ids gets no more.
const MAX_IN_DIALOG: usize = 16;
