//! What the core tells of calls, and what their handles want.

use std::{sync::Arc, time::Instant};

use offhook_core::{CallId, Ending, Event};
use offhook_sip::End;
use offhook_sip_message::StatusCode;
use tokio::sync::watch;
use tracing::debug;

use super::{Driver, LINGER, UNAVAILABLE, live::Live, media_address, no_call, respond};
use crate::{
    Call, Ended, Error, IncomingInfo,
    call::{Status, Told},
    command::{Change, Reply, Verb},
    devices::Devices,
};

impl Driver {
    pub(super) fn heard(&mut self, event: Event) {
        match event {
            Event::Incoming { .. } => self.called(event),
            Event::Progress { call, status: progress, .. } => {
                self.settle(call);
                self.start_devices(call);
                self.report_on(call, progress);
                self.tell(call, |status| status.progress = Some(progress));
            }
            Event::Redirected { call, targets } => self.redirected(call, targets),
            Event::Answered { call } => {
                self.settle(call);
                self.start_devices(call);
                self.report_on(call, StatusCode::OK);
                self.tell(call, |status| status.answered = true);
            }
            Event::Established { call } => {
                self.start_devices(call);
                self.tell(call, |status| status.established = true);
            }
            Event::EarlyMedia { call } => self.start_devices(call),
            Event::Hold { call, hold } => self.tell(call, |status| status.hold = hold),
            Event::Changed { call } => self.changed(call, || Ok(())),
            Event::NotChanged { call, status } => {
                self.changed(call, || Err(Error::Refused { status }));
            }
            Event::Ended { call, ending, reasons, statistics } => {
                let ended = Ended { ending, reasons, statistics: Arc::new(*statistics) };
                self.forget(call, ended);
            }
            Event::Registration { registration, event } => {
                self.registration_changed(registration, *event);
            }
            Event::Publication { publication, event } => {
                self.publication_changed(publication, *event);
            }
            Event::Subscription { subscription, event } => {
                self.subscription_changed(subscription, *event);
            }
            Event::Subscriber { subscriber, event, registration } => {
                let account = self.account_named(registration);
                self.subscriber_changed(subscriber, *event, account);
            }
            Event::Response { request, response } => self.responded(request, *response),
            Event::Failed { request, failure } => self.unanswered(request, failure),
            Event::Requested { incoming, request, registration, .. } => {
                let account = self.account_named(registration);
                self.requested(incoming, request, account);
            }
            Event::Refer { refer, event } => self.transfer_heard(refer, *event),
            Event::Referral { referral, event } => self.referral_heard(referral, *event),
            Event::Info { call, package, body } => {
                self.info_heard(call, IncomingInfo { package, body });
            }
            Event::InfoAnswered { call, info, status } => self.info_answered(call, info, status),
            other => self.heard_description(other),
        }
    }

    /// Someone calls: makes a handle and gives it to whoever waits for calls.
    fn called(&mut self, event: Event) {
        let Event::Incoming {
            call,
            request,
            flow,
            registration,
            replaces,
            joins,
            asserted,
            answer_mode,
            priv_answer_mode,
        } = event
        else {
            return;
        };
        let account = self.account_named(registration);
        let (status, seen) = watch::channel(Status::default());
        let (infos, heard) = self.infos();
        let live = Live { status: Some(status), account, infos, ..Live::new(Some(flow), None) };
        self.calls.insert(call, Live { handle: Some(call), ..live });
        let (from, to) = (request.from().address.clone(), request.to().address.clone());
        let told = Told {
            offer: self.offer_of(&request),
            replaces: replaces.and_then(|call| self.calls.get(&call)?.handle),
            joins: joins.and_then(|call| self.calls.get(&call)?.handle),
            asserted,
            answer_mode,
            priv_answer_mode,
            infos: heard,
        };
        let commands = self.commands.upgrade().filter(|_| !self.closing.has_begun());
        let taken = commands.is_some_and(|commands| {
            let handle = Call::new(call, from, to, account, seen, commands, told);
            self.incoming.try_send(handle).is_ok()
        });
        if !taken && let Err(error) = self.core.reject(Instant::now(), call, UNAVAILABLE) {
            debug!(?call, %error, "nobody takes calls");
        }
    }

    pub(super) fn tell(&self, call: CallId, news: impl FnOnce(&mut Status)) {
        if let Some(live) = self.calls.get(&call) {
            live.tell(news);
        }
    }

    /// The peer has answered what a handle wants to be changed.
    fn changed(&mut self, call: CallId, result: impl Fn() -> Result<(), Error>) {
        let live = self.calls.get_mut(&call);
        if let Some(reply) = live.and_then(|live| live.changing.take()) {
            respond(reply, result());
        }
        self.modified(call, result());
    }

    /// A call of the core is over: its INVITE may have failed at one of several targets.
    fn forget(&mut self, call: CallId, ended: Ended) {
        let Some(mut live) = self.calls.remove(&call) else { return };
        self.frames.set(call, None);
        if matches!(ended.ending, Ending::Signalling(End::PeerHungUp)) {
            self.closing.peer_hung_up(&live);
        }
        if let Some(sockets) = live.sockets.take() {
            self.lingering.push_back((Instant::now() + LINGER, sockets));
        }
        if let Some((live, ended)) = self.try_again(live, ended) {
            self.end(live, ended);
        }
    }

    /// Closes what belonged to a call, and only then tells of its end: who hears of it finds the
    /// recordings complete.
    pub(super) fn end(&mut self, mut live: Live, ended: Ended) {
        if let Some(devices) = &mut live.devices {
            devices.finish();
        }
        let failed = ended.status().unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
        self.report(live.referral.take(), failed);
        if let Some(handle) = live.handle {
            self.renamed.remove(&handle);
        }
        live.tell(|status| status.ended = Some(ended));
    }

    pub(super) fn verb(&mut self, call: CallId, verb: Verb) -> Result<(), Error> {
        let now = Instant::now();
        match verb {
            Verb::Ring => self.core.ring(now, call)?,
            Verb::EarlyMedia => self.with_sockets(call, |driver, sockets| {
                driver.core.early_media(now, call, sockets)
            })?,
            Verb::Answer if self.core.has_early_media(call) => self.core.answer_early(now, call)?,
            Verb::Answer => {
                self.with_sockets(call, |driver, sockets| driver.core.answer(now, call, sockets))?;
            }
            Verb::Reject(status, None) => self.core.reject(now, call, status)?,
            Verb::Reject(status, Some(why)) => {
                self.core.reject_because(now, call, status, &why)?;
            }
            Verb::HangUp(None) => self.core.hang_up(now, call)?,
            Verb::HangUp(Some(reason)) => self.core.hang_up_because(now, call, reason)?,
        }
        self.start_devices(call);
        Ok(())
    }

    /// Opens the media sockets of a call for `verb`, and closes them if it fails.
    fn with_sockets(
        &mut self,
        call: CallId,
        verb: impl FnOnce(&mut Self, offhook_core::MediaSockets) -> Result<(), offhook_core::Error>,
    ) -> Result<(), Error> {
        let flow = self.calls.get(&call).and_then(|live| live.flow).ok_or_else(no_call)?;
        let sockets = self.sockets.bind_media(media_address(&self.listening, flow))?;
        let done = verb(self, sockets);
        match (&done, self.calls.get_mut(&call)) {
            (Ok(()), Some(live)) => live.sockets = Some(sockets),
            (_, _) => self.sockets.close_media(sockets),
        }
        Ok(done?)
    }

    /// Asks the peer for a change of the session; the reply waits for its answer.
    pub(super) fn change(&mut self, call: CallId, change: Change, reply: Reply<()>) {
        let now = Instant::now();
        let asked = match change {
            Change::Hold => self.core.hold(now, call),
            Change::HoldSilently => self.core.hold_silently(now, call),
            Change::Resume => self.core.resume(now, call),
        };
        match (asked, self.calls.get_mut(&call)) {
            (Ok(()), Some(live)) => live.changing = Some(reply),
            (Ok(()), None) => respond(reply, Err(no_call())),
            (Err(error), _) => respond(reply, Err(error.into())),
        }
    }

    pub(super) fn devices(&mut self, call: CallId) -> Result<&mut Devices, Error> {
        let live = self.calls.get_mut(&call).ok_or_else(no_call)?;
        live.devices.as_mut().ok_or(Error::Core(offhook_core::Error::NoMedia))
    }
}
