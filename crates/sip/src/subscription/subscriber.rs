//! The side that subscribes, by SUBSCRIBE (RFC 6665 §4.1) or by REFER (RFC 3515 §2.4.4).
//!
//! ```text
//!   subscribe ─► asking ── NOTIFY ──► stands ── refresh, in its dialog ─► stands
//!                  │  │                  │
//!     refused, or  │  │ Timer N          │ terminated, expired, not refreshed
//!                  ▼  ▼                  ▼
//!                 over, or asks again, in a new dialog, after Timer Retry
//! ```
//!
//! The 2xx says that a NOTIFY follows; the NOTIFY may come before it, and makes the dialog (§4.4.1).
//! There is at most one request under way.

mod ask;
mod begin;
mod driven;
mod notified;
mod outcome;
mod told;

use std::{collections::VecDeque, time::Instant};

use offhook_sansio::{Flow, Timers};
use offhook_sip_message::{
    Event as EventHeader, HeaderName, NameAddr, Route, StatusCode, Text, Uri, ValidResponse,
};

use self::told::Told;
use super::{Ground, SubscriptionLoss, refer::Reference};
use crate::{
    Authenticator, Body, Error, Login,
    dialog::DialogId,
    transaction::Failure,
    usage::{Exchange, Identity, check_security},
};

/// A subscription of this side.
#[derive(Debug)]
pub(crate) struct Subscriber {
    subject: Subject,
    /// How it is asked for outside of dialogs; `None`: in the dialog of a call.
    outside: Option<Outside>,
    headers: Vec<(HeaderName, Text)>,
    logins: Vec<Login>,
    authenticator: Option<Box<Authenticator>>,
    /// The number of the last request.
    cseq: u32,
    dialog: Option<DialogId>,
    /// A NOTIFY has come: the subscription is there.
    stands: bool,
    state: State,
    /// What became of the request under way.
    outcome: Option<Outcome>,
    /// What is to be sent next.
    due: Option<Ask>,
    /// The owner wants to hear no more, and whether that was sent.
    leaving: bool,
    left: bool,
    /// The seconds to ask for.
    seconds: u32,
    /// The seconds that the 2xx has granted.
    granted: Option<u32>,
    /// One more that a forked request has made: it is not asked for again.
    is_fork: bool,
    /// How many more it may make.
    forks: usize,
    /// When it was asked for outside of its dialog, and how often it has failed since it held.
    asked_at: Instant,
    failures: u32,
    timers: Timers<Timer>,
    events: VecDeque<Told>,
}

/// What is subscribed to.
#[derive(Clone, Debug)]
enum Subject {
    /// The state of a resource.
    Resource { event: EventHeader, accept: Vec<Text>, body: Option<Body>, is_fetch: bool },
    /// The progress of what a REFER asks for.
    Progress(Box<Progress>),
}

#[derive(Clone, Debug)]
struct Progress {
    reference: Reference,
    /// The number of the REFER.
    cseq: u32,
    /// What the notifications have in `Event`, perhaps that number as id (RFC 3515 §2.4.6).
    event: EventHeader,
    /// What was told last.
    status: Option<StatusCode>,
}

/// What asks outside of dialogs.
#[derive(Clone, Debug)]
struct Outside {
    target: Uri,
    from: NameAddr,
    flow: Flow,
    routes: Vec<Route>,
    /// It is another for each try (RFC 6665 §4.1.2.2).
    identity: Identity,
}

#[derive(Debug)]
enum State {
    /// A request is under way.
    Asking(Box<Asking>),
    /// None is; the timers say what comes next.
    Resting,
    Over,
}

#[derive(Debug)]
struct Asking {
    exchange: Exchange,
    ask: Ask,
    seconds: u32,
    /// How often 423 has come in a row.
    tries: u32,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ask {
    /// SUBSCRIBE or REFER, to begin.
    Begin,
    /// SUBSCRIBE in the dialog (§4.1.2.2).
    Refresh,
    /// The same, with `Expires: 0` (§4.1.2.3).
    Leave,
}

#[derive(Debug)]
enum Outcome {
    Answered(ValidResponse),
    Failed(Failure),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// Timer N: no NOTIFY has come within 64*T1 (RFC 6665 §4.1.2.4).
    N,
    /// No more forks are taken: Timer N of the first request (RFC 6665 §4.1.2.4).
    Forks,
    /// Refreshes the subscription before it expires (RFC 6665 §4.1.2.2).
    Refresh,
    /// The subscription has expired.
    Expiry,
    /// Asks again for what is lost (RFC 6665 §4.1.3).
    Retry,
}

impl Subscriber {
    /// Wants to hear no more. Doing so twice is harmless.
    pub(crate) fn unsubscribe(&mut self) {
        if std::mem::replace(&mut self.leaving, true) {
            return;
        }
        self.forks = 0;
        let more = [Timer::Refresh, Timer::Expiry, Timer::Retry];
        more.into_iter().for_each(|timer| self.timers.stop(timer));
        let waits = matches!(self.state, State::Asking(_)) || self.timers.get(Timer::N).is_some();
        match self.stands {
            true => self.due = Some(Ask::Leave),
            // The dialog to say so in is made by the NOTIFY.
            false if waits => {}
            false => self.end(None),
        }
    }

    /// Asks now: for the state again (§4.4.3), or anew without waiting. Harmless while a request is
    /// under way.
    pub(crate) fn refresh(&mut self) -> Result<(), Error> {
        if self.leaving {
            let expected = "it is being ended";
            return Err(Error::WrongState { verb: "refresh_subscription", expected });
        }
        if self.stands {
            self.due = Some(Ask::Refresh);
        } else if self.timers.get(Timer::Retry).is_some() {
            self.due = Some(Ask::Begin);
        }
        Ok(())
    }

    /// Takes another flow, for the next request.
    pub(crate) fn retarget(&mut self, ground: &mut Ground<'_>, flow: Flow) -> Result<(), Error> {
        let Some(outside) = &mut self.outside else { return Err(Error::NoSubscription) };
        check_security(&outside.target, flow)?;
        ground.layer.public(flow)?;
        outside.flow = flow;
        if let Some(dialog) = self.dialog.as_ref().and_then(|id| ground.dialog(id)) {
            dialog.move_to(flow);
        }
        Ok(())
    }

    pub(crate) fn is_refer(&self) -> bool {
        matches!(self.subject, Subject::Progress(_))
    }

    /// The dialog that it lives in.
    pub(crate) fn dialog(&self) -> Option<&DialogId> {
        self.dialog.as_ref().filter(|_| !matches!(self.state, State::Over))
    }

    /// The half of a dialog whose other half a NOTIFY may bring.
    pub(crate) fn solicits(&self) -> Option<DialogId> {
        let is_open = self.awaits_first() || self.may_fork();
        let outside = self.outside.as_ref().filter(|_| is_open && !self.is_fork)?;
        Some(outside.identity.half_dialog())
    }

    /// Whether the first NOTIFY has not come.
    pub(crate) fn awaits_first(&self) -> bool {
        self.dialog.is_none() && self.timers.get(Timer::N).is_some()
    }

    /// Whether a NOTIFY of another dialog makes one more subscription.
    pub(crate) fn may_fork(&self) -> bool {
        self.forks > 0 && self.timers.get(Timer::Forks).is_some()
    }

    /// Goes on after whatever has happened: the one place from which requests are sent later.
    pub(crate) fn go_on(&mut self, ground: &mut Ground<'_>) {
        if let Some(outcome) = self.outcome.take() {
            self.take_outcome(ground, outcome);
        }
        while let Some(timer) = self.timers.expired(ground.now) {
            match timer {
                Timer::N => self.not_notified(ground),
                Timer::Forks => self.forks = 0,
                Timer::Refresh => self.due = self.due.or(Some(Ask::Refresh)),
                Timer::Expiry => self.lose(ground, SubscriptionLoss::Expired, None),
                Timer::Retry => self.due = Some(Ask::Begin),
            }
        }
        if matches!(self.state, State::Resting)
            && let Some(ask) = self.due.take()
        {
            self.ask(ground, ask, 0);
        }
    }
}
