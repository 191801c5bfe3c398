//! The side that is subscribed to, by SUBSCRIBE (RFC 6665 §4.2) or by REFER (RFC 3515 §2.4.4).
//!
//! ```text
//!   SUBSCRIBE ─► offered ── pend ──► pending
//!                │    │                 │ activate
//!         reject │    └── accept ──► active ◄─ notify, refresh
//!                ▼                      │ terminate, Expires: 0, expired
//!               over ◄─ answer ── last NOTIFY
//! ```
//!
//! One NOTIFY is under way at a time, so that none overtakes another; the others wait in a queue.
//! A NOTIFY that is refused, or not answered, ends the subscription (§4.2.2).

mod driven;
mod notify;
mod offer;
mod told;

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use offhook_sansio::Timers;
use offhook_sip_message::{
    Event as EventHeader, EventReason, Sipfrag, StatusCode, Text, ValidRequest, ValidResponse,
};

pub(crate) use self::offer::Offer;
pub(crate) use self::told::Told;
use super::{Ground, SubscriberEnd};
use crate::{
    Authenticator, Body, Error, Login,
    dialog::DialogId,
    transaction::{Failure, TransactionId},
    usage::{Exchange, authenticator},
};

/// A subscription of another.
#[derive(Debug)]
pub(crate) struct Notifier {
    is_refer: bool,
    event: EventHeader,
    dialog: DialogId,
    stage: Stage,
    /// The owner grants no longer.
    longest: u32,
    expires_at: Instant,
    /// What was told last: it is told again after a refresh.
    last: Option<Body>,
    /// The first is the one under way, if one is.
    queue: VecDeque<Notification>,
    under_way: Option<Box<Exchange>>,
    outcome: Option<Outcome>,
    authenticator: Option<Box<Authenticator>>,
    timers: Timers<Timer>,
    events: VecDeque<Told>,
}

#[derive(Debug)]
enum Stage {
    /// The SUBSCRIBE or REFER waits for the owner.
    Offered(Box<Offered>),
    /// Whether it is allowed is open.
    Pending,
    Active,
    /// The last NOTIFY waits for its answer, and the owner knows that it is over.
    Ending,
    Over,
}

/// A SUBSCRIBE or REFER without final answer.
#[derive(Debug)]
struct Offered {
    transaction: TransactionId,
    request: ValidRequest,
    /// The To tag of our responses.
    tag: Text,
    seconds: u32,
    /// Whether the progress of a REFER is to be told.
    subscribes: bool,
}

/// What a NOTIFY is to tell.
#[derive(Clone, Debug)]
struct Notification {
    body: Option<Body>,
    /// It is the last.
    end: Option<Termination>,
}

#[derive(Clone, Debug)]
struct Termination {
    reason: EventReason,
    retry_after: Option<u32>,
}

#[derive(Debug)]
enum Outcome {
    Answered(ValidResponse),
    Failed(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// Says that the answer takes longer (RFC 4320 §4.1).
    Trying,
    /// Answers for the owner, while the subscriber still listens (RFC 4320 §4.2).
    Unanswered,
    /// The subscription was not refreshed (RFC 6665 §4.2.1.4).
    Expiry,
    /// Sends the NOTIFY again that was to come later (RFC 3261 §20.33).
    Retry,
}

impl Notifier {
    /// Lets a subscription stand, with the state of the resource.
    pub(crate) fn accept(
        &mut self,
        ground: &mut Ground<'_>,
        longest: Option<Duration>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.take(ground, Stage::Active, longest, body)
    }

    /// Lets a subscription wait for permission (§4.2.1.3).
    pub(crate) fn pend(
        &mut self,
        ground: &mut Ground<'_>,
        longest: Option<Duration>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        self.take(ground, Stage::Pending, longest, body)
    }

    /// Permits what is pending.
    pub(crate) fn activate(&mut self, body: Option<Body>) -> Result<(), Error> {
        if !matches!(self.stage, Stage::Pending) {
            return Err(self.wrong("activate_subscription", "a pending subscription"));
        }
        self.tell_state(body)?;
        self.stage = Stage::Active;
        Ok(())
    }

    /// Tells the state of the resource.
    pub(crate) fn notify(&mut self, body: Option<Body>) -> Result<(), Error> {
        if !matches!(self.stage, Stage::Pending | Stage::Active) {
            return Err(self.wrong("notify", "a subscription that was accepted"));
        }
        self.tell_state(body)
    }

    /// Ends a subscription that was accepted.
    pub(crate) fn terminate(
        &mut self,
        reason: EventReason,
        retry_after: Option<Duration>,
        body: Option<Body>,
    ) -> Result<(), Error> {
        if !matches!(self.stage, Stage::Pending | Stage::Active) {
            return Err(self.wrong("terminate_subscription", "a subscription that was accepted"));
        }
        let retry_after = retry_after.map(|it| u32::try_from(it.as_secs()).unwrap_or(u32::MAX));
        self.finish(SubscriberEnd::Terminated, Termination { reason, retry_after }, body);
        Ok(())
    }

    /// Tells how the reference goes; a final status is the last word (RFC 3515 §2.4.7).
    pub(crate) fn report(&mut self, status: StatusCode) -> Result<(), Error> {
        if !matches!(self.stage, Stage::Active) {
            return Err(self.wrong("report_refer", "a REFER that was accepted"));
        }
        // A report is complete: one that waits is of no use any more (RFC 3515 §2.4.5).
        self.queue.truncate(usize::from(self.under_way.is_some()));
        let body = Some(sipfrag(status));
        if status.is_final() {
            let end = Termination { reason: EventReason::Noresource, retry_after: None };
            self.finish(SubscriberEnd::Terminated, end, body);
            return Ok(());
        }
        self.tell_state(body)
    }

    /// Answers challenges to NOTIFY from now on.
    pub(crate) fn log_in(&mut self, ground: &mut Ground<'_>, logins: Vec<Login>) {
        self.authenticator = authenticator(ground.layer, logins);
    }

    pub(crate) fn is_refer(&self) -> bool {
        self.is_refer
    }

    pub(crate) fn dialog(&self) -> Option<&DialogId> {
        (!matches!(self.stage, Stage::Over)).then_some(&self.dialog)
    }

    /// Whether a SUBSCRIBE with this `Event` is about it (§8.2.1).
    pub(crate) fn matches(&self, event: &EventHeader) -> bool {
        // The first REFER of a dialog need not be named (RFC 3515 §2.4.6).
        let unnamed = self.is_refer && event.id().is_none();
        let same = self.event.matches(event);
        same || (unnamed && self.event.event_type == event.event_type)
    }

    /// Whether it can be refreshed.
    ///
    /// # Errors
    ///
    /// The status to refuse that with.
    pub(crate) fn refreshable(&self) -> Result<(), StatusCode> {
        match self.stage {
            Stage::Pending | Stage::Active => Ok(()),
            // Two at a time, as with INVITE (RFC 3261 §14.2).
            Stage::Offered(_) => Err(StatusCode::SERVER_INTERNAL_ERROR),
            Stage::Ending | Stage::Over => Err(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST),
        }
    }

    /// Whether its owner may still act on it.
    pub(crate) fn is_owned(&self) -> bool {
        !matches!(self.stage, Stage::Ending | Stage::Over)
    }

    /// Goes on after whatever has happened: the one place from which NOTIFYs are sent.
    pub(crate) fn go_on(&mut self, ground: &mut Ground<'_>) {
        if let Some(outcome) = self.outcome.take() {
            self.take_outcome(ground, outcome);
        }
        while let Some(timer) = self.timers.expired(ground.now) {
            match timer {
                Timer::Trying => self.answer(ground, StatusCode::TRYING),
                Timer::Unanswered => self.not_answered(ground),
                Timer::Expiry => self.expired(),
                Timer::Retry => {}
            }
        }
        self.pump(ground);
    }

    fn expired(&mut self) {
        let end = Termination { reason: EventReason::Timeout, retry_after: None };
        self.finish(SubscriberEnd::Expired, end, self.last.clone());
    }

    /// Lets the state wait for its NOTIFY.
    fn tell_state(&mut self, body: Option<Body>) -> Result<(), Error> {
        if self.queue.len() >= MAX_QUEUED {
            return Err(Error::TooManyNotifications);
        }
        self.last.clone_from(&body);
        self.queue.push_back(Notification { body, end: None });
        Ok(())
    }

    /// The owner is told of the end now; the subscriber, by the last NOTIFY.
    fn finish(&mut self, end: SubscriberEnd, termination: Termination, body: Option<Body>) {
        self.queue.push_back(Notification { body, end: Some(termination) });
        self.timers.stop(Timer::Expiry);
        self.stage = Stage::Ending;
        self.tell_end(end);
    }

    fn wrong(&self, verb: &'static str, expected: &'static str) -> Error {
        match self.is_owned() {
            true => Error::WrongState { verb, expected },
            false => Error::NoSubscription,
        }
    }
}

/// A progress report (RFC 3515 §2.4.5).
fn sipfrag(status: StatusCode) -> Body {
    Body {
        content_type: Text::from_static("message/sipfrag;version=2.0"),
        content: Sipfrag::status_line(status),
    }
}

/// A subscriber that does not answer gets no more memory than this many notifications.
const MAX_QUEUED: usize = 32;
