//! A SUBSCRIBE or REFER, from its coming to its answer, and refreshes (RFC 6665 §4.2.1,
//! RFC 3515 §2.4.2).

use std::{
    collections::VecDeque,
    mem,
    time::{Duration, Instant},
};

use offhook_sansio::{Flow, Timers};
use offhook_sip_message::{
    Event as EventHeader, EventReason, Expires, HeaderName, ReferSub, ResponseBuilder, StatusCode,
    Text, ValidRequest,
};
use tracing::debug;

use super::{Notifier, Offered, Stage, Termination, Timer, sipfrag};
use crate::{
    Body, Error,
    call::{Asker, allowed, send, supported},
    dialog::DialogId,
    request::until_t2,
    subscription::{Ground, SubscriberEnd, events_allowed},
    transaction::TransactionId,
    usage::check_headers,
};

/// What is asked of this side.
pub(crate) struct Offer {
    pub(crate) is_refer: bool,
    pub(crate) event: EventHeader,
    pub(crate) dialog: DialogId,
    pub(crate) transaction: TransactionId,
    pub(crate) request: ValidRequest,
    pub(crate) tag: Text,
    pub(crate) seconds: u32,
    pub(crate) subscribes: bool,
}

impl Notifier {
    /// Lets a SUBSCRIBE or REFER wait for the owner.
    pub(crate) fn offered(ground: &Ground<'_>, offer: Offer) -> Self {
        let Offer { is_refer, event, dialog, transaction, request, tag, seconds, subscribes } =
            offer;
        let (mut timers, timing) = (Timers::new(), ground.layer.timing());
        timers.set(Timer::Trying, ground.now + until_t2(timing));
        timers.set(Timer::Unanswered, ground.now + timing.give_up() / 2);
        let offered = Offered { transaction, request, tag, seconds, subscribes };
        Self {
            is_refer,
            event,
            dialog,
            stage: Stage::Offered(Box::new(offered)),
            longest: u32::MAX,
            expires_at: ground.now,
            last: None,
            queue: VecDeque::new(),
            under_way: None,
            outcome: None,
            authenticator: None,
            timers,
            events: VecDeque::new(),
        }
    }

    /// Answers a SUBSCRIBE with 200; a NOTIFY follows at once (§4.2.1.2).
    pub(super) fn take(
        &mut self,
        ground: &mut Ground<'_>,
        stage: Stage,
        longest: Option<Duration>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        let offered = self.waiting("accept_subscription")?;
        let longest = longest.map_or(u32::MAX, seconds);
        let granted = offered.seconds.min(longest);
        let is_fetch = offered.seconds == 0;
        let builder = self.reply_in_dialog(ground, StatusCode::OK)?.header(&Expires(granted));
        let builder = builder
            .list(&allowed(ground.layer))
            .list(&supported(ground.layer, &ground.layer.config.session_timer));
        let builder = events_allowed(ground.layer, builder);
        self.respond(ground, builder)?;
        self.longest = longest;
        self.begin(ground, stage, granted);
        if granted > 0 {
            return self.tell_state(body);
        }
        let end = match is_fetch {
            true => SubscriberEnd::Terminated,
            false => SubscriberEnd::Expired,
        };
        self.finish(end, timeout(), body);
        Ok(())
    }

    /// Answers a REFER with 202, and tells that it is tried (RFC 3515 §2.4.2, §2.4.5).
    pub(crate) fn accept_refer(
        &mut self,
        ground: &mut Ground<'_>,
        lasts: Option<Duration>,
    ) -> Result<(), Error> {
        let offered = self.waiting("accept_refer")?;
        let subscribes = offered.subscribes;
        let mut builder = self.reply_in_dialog(ground, StatusCode::ACCEPTED)?;
        if !subscribes {
            builder = builder.header(&ReferSub::new(false));
        }
        self.respond(ground, builder.list(&allowed(ground.layer)))?;
        if !subscribes {
            self.tell_not_subscribed();
            return Ok(());
        }
        let granted = seconds(lasts.unwrap_or(REFERENCE)).max(1);
        self.longest = granted;
        self.begin(ground, Stage::Active, granted);
        self.tell_state(Some(sipfrag(StatusCode::TRYING)))
    }

    /// Answers with a failure.
    pub(crate) fn reject(
        &mut self,
        ground: &mut Ground<'_>,
        status: StatusCode,
        headers: &[(HeaderName, Text)],
    ) -> Result<(), Error> {
        if !(300..=699).contains(&status.as_u16()) {
            return Err(Error::InvalidStatus { status, expected: "300 to 699" });
        }
        check_headers(headers, &[])?;
        let offered = self.waiting("reject")?;
        let mut builder = ground.layer.reply(&offered.request, status, &offered.tag);
        for (name, value) in headers {
            builder = builder.raw(name.clone(), value);
        }
        self.respond(ground, builder)?;
        self.refused(status);
        Ok(())
    }

    /// Takes a SUBSCRIBE in the dialog: it refreshes the subscription, or ends it (§4.2.1.4).
    pub(crate) fn refresh(
        &mut self,
        ground: &mut Ground<'_>,
        request: &ValidRequest,
        flow: Flow,
        asked: u32,
    ) {
        let granted = asked.min(self.longest);
        if let Some(dialog) = ground.dialog(&self.dialog) {
            dialog.refresh_target(request.header().ok().flatten());
        }
        let Some(contact) = ground.dialog(&self.dialog).map(|dialog| dialog.contact()) else {
            return;
        };
        let reply = ground.layer.reply(request, StatusCode::OK, "");
        let reply = reply.header(&contact).header(&Expires(granted));
        send(ground.layer, ground.now, request, flow, reply, Asker::Peer);
        if asked == 0 {
            return self.finish(SubscriberEnd::Unsubscribed, timeout(), self.last.clone());
        }
        self.lasts(ground.now, granted);
        self.tell_refreshed(Duration::from_secs(granted.into()));
        // The state that waits in the queue is the newer one.
        if self.queue.len() <= usize::from(self.under_way.is_some()) {
            let told = self.tell_state(self.last.clone());
            ground.layer.built(told);
        }
    }

    /// Timer: the owner has not answered.
    pub(super) fn not_answered(&mut self, ground: &mut Ground<'_>) {
        debug!(dialog = ?self.dialog, "answered for its owner");
        let status = StatusCode::TEMPORARILY_UNAVAILABLE;
        self.answer(ground, status);
        self.refused(status);
    }

    /// Answers what waits, without a word more.
    pub(super) fn answer(&mut self, ground: &mut Ground<'_>, status: StatusCode) {
        let Stage::Offered(offered) = &self.stage else { return };
        let reply = ground.layer.reply(&offered.request, status, &offered.tag).build();
        if let Some(response) = ground.layer.built(reply) {
            ground.layer.respond(ground.now, offered.transaction, &response);
        }
    }

    /// The subscription lasts for `seconds` from now on.
    pub(super) fn lasts(&mut self, now: Instant, seconds: u32) {
        self.expires_at = now + Duration::from_secs(seconds.into());
        self.timers.set(Timer::Expiry, self.expires_at);
    }

    fn waiting(&self, verb: &'static str) -> Result<&Offered, Error> {
        match &self.stage {
            Stage::Offered(offered) => Ok(offered),
            _ => Err(self.wrong(verb, "a request that waits for its answer")),
        }
    }

    /// A response that makes a dialog: with the `Record-Route` of the request and our `Contact`
    /// (RFC 3261 §12.1.1).
    fn reply_in_dialog(
        &self,
        ground: &mut Ground<'_>,
        status: StatusCode,
    ) -> Result<ResponseBuilder, Error> {
        let offered = self.waiting("accept")?;
        let contact = ground.dialog(&self.dialog).ok_or(Error::NoCall)?.contact();
        let reply = ground.layer.reply(&offered.request, status, &offered.tag);
        Ok(with_routes(reply.header(&contact), &offered.request))
    }

    fn respond(&self, ground: &mut Ground<'_>, reply: ResponseBuilder) -> Result<(), Error> {
        let offered = self.waiting("respond")?;
        let response = reply.build().map_err(|error| Error::Unbuildable(error.to_string()))?;
        ground.layer.respond(ground.now, offered.transaction, &response);
        Ok(())
    }

    /// The request was accepted: its target counts (RFC 3261 §12.2.2), and time runs.
    fn begin(&mut self, ground: &mut Ground<'_>, stage: Stage, granted: u32) {
        self.timers.clear();
        if let Stage::Offered(offered) = mem::replace(&mut self.stage, stage)
            && let Some(dialog) = ground.dialog(&self.dialog)
        {
            dialog.refresh_target(offered.request.header().ok().flatten());
        }
        self.lasts(ground.now, granted);
    }
}

fn with_routes(mut reply: ResponseBuilder, request: &ValidRequest) -> ResponseBuilder {
    for row in request.headers().texts(HeaderName::RECORD_ROUTE).flatten() {
        reply = reply.raw(HeaderName::RECORD_ROUTE, &row);
    }
    reply
}

fn timeout() -> Termination {
    Termination { reason: EventReason::Timeout, retry_after: None }
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

/// How long the progress of a reference is told: longer than an INVITE may ring (RFC 3515 §3.4).
const REFERENCE: Duration = Duration::from_secs(300);
