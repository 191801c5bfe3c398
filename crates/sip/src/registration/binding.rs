//! One registration (RFC 3261 §10.2).
//!
//! 1. A REGISTER goes out, and again with credentials when it is challenged.
//! 2. A 2xx: what is granted counts, and Timer Refresh is set. The next REGISTER has the same
//!    Call-ID and the next CSeq.
//! 3. 423 asks for longer, 439 goes on without outbound; any other refusal, or silence, waits for
//!    Timer Retry. Timer Expiry says when the binding is over.
//! 4. The flow fails: it is lost until the registrar answers again, on this flow or another.
//! 5. A REGISTER that removes the binding ends it, whatever the answer.
//!
//! There is at most one REGISTER under way (§10.2): what the owner wants meanwhile comes next.

use std::{collections::VecDeque, mem, time::Duration, time::Instant};

use offhook_sansio::{Flow, Key, Timers};
use offhook_sip_message::{MinExpires, StatusCode, Uri, ValidResponse};
use tracing::debug;

use super::{
    Registered, Registration, RegistrationEvent, RegistrationId,
    keep_alive::{PING, PONG, next_ping, takes_pings},
    register::{Purpose, Register, contact_of},
};
use crate::{
    Authenticator, Error, Event,
    transaction::{Failure, TransactionId, TransactionLayer},
    usage::{Exchange, Identity, Usage, authenticator, check_security, refresh_after, retry_after},
};

/// A contact of this side at a registrar.
#[derive(Debug)]
pub(crate) struct Binding {
    wanted: Registration,
    identity: Identity,
    authenticator: Option<Box<Authenticator>>,
    /// The number of the last REGISTER.
    cseq: u32,
    state: State,
    /// What the registration shall end with.
    leaving: Option<Purpose>,
    /// The seconds to ask for: those wanted, or what a 423 asks for.
    seconds: u32,
    /// Whether outbound is asked for; a 439 ends that.
    outbound: bool,
    /// What was granted last, until it expires.
    registered: Option<Registered>,
    /// Whether the registrar may have a binding, as far as this side knows.
    may_stand: bool,
    /// The flow has failed since the registrar has answered on it.
    lost: bool,
    /// Failures in a row (RFC 5626 §4.5).
    failures: u32,
    /// Whether another flow of the instance stands (RFC 5626 §4.5).
    pub(super) others_stand: bool,
    timers: Timers<Timer>,
    events: VecDeque<RegistrationEvent>,
}

#[derive(Debug)]
enum State {
    /// A REGISTER is under way.
    Asking(Box<Asking>),
    /// None is; the timers say when the next one is due.
    Resting,
    Over,
}

#[derive(Debug)]
struct Asking {
    exchange: Exchange,
    purpose: Purpose,
    contact: Uri,
    seconds: u32,
    /// How often 423 has come in a row.
    briefs: u32,
    /// The owner has changed something meanwhile.
    again: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// Refreshes the binding before it expires (RFC 3261 §10.2.4).
    Refresh,
    /// Tries again after a failure (RFC 5626 §4.5, RFC 3261 §20.33).
    Retry,
    /// The binding has expired (RFC 3261 §10.2.1.1).
    Expiry,
    /// Sends a ping (RFC 5626 §4.4.1).
    Ping,
    /// Gives up waiting for the pong (RFC 5626 §4.4.1).
    Pong,
}

impl Binding {
    /// Sends the first REGISTER.
    pub(crate) fn register(
        layer: &mut TransactionLayer,
        now: Instant,
        mut wanted: Registration,
    ) -> Result<Self, Error> {
        wanted.check()?;
        let logins = mem::take(&mut wanted.logins);
        let mut binding = Self {
            identity: Identity::new(layer, wanted.aor.clone(), wanted.aor.clone()),
            authenticator: authenticator(layer, logins),
            cseq: 0,
            state: State::Resting,
            leaving: None,
            seconds: wanted.seconds(),
            outbound: wanted.reg_id.is_some(),
            registered: None,
            may_stand: false,
            lost: false,
            failures: 0,
            others_stand: false,
            timers: Timers::new(),
            events: VecDeque::new(),
            wanted,
        };
        binding.send(layer, now, Purpose::Bind, 0)?;
        Ok(binding)
    }

    /// Asks the registrar now.
    pub(crate) fn refresh(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
    ) -> Result<(), Error> {
        self.check_stays("refresh")?;
        if matches!(self.state, State::Resting) {
            self.ask(layer, now, Purpose::Bind, 0);
        }
        Ok(())
    }

    /// Takes another flow (RFC 5626 §4.5).
    pub(crate) fn retarget(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        flow: Flow,
    ) -> Result<(), Error> {
        self.check_stays("retarget")?;
        check_security(&self.wanted.registrar, flow)?;
        layer.public(flow)?;
        let before = mem::replace(&mut self.wanted.flow, flow);
        let same_hop = (before.protocol, before.remote) == (flow.protocol, flow.remote);
        self.stop_pings();
        // §4.5: the next hop that has failed is left alone until Timer Retry.
        if same_hop && self.failures > 0 && self.timers.get(Timer::Retry).is_some() {
            return Ok(());
        }
        self.ask_or_note(layer, now);
        Ok(())
    }

    /// Registers another contact in place of the one of before.
    pub(crate) fn recontact(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        contact: Option<Uri>,
    ) -> Result<(), Error> {
        self.check_stays("recontact")?;
        self.wanted.contact = contact;
        self.ask_or_note(layer, now);
        Ok(())
    }

    /// Removes the binding, or all of the address of record. Doing so twice is harmless.
    pub(crate) fn unregister(&mut self, layer: &mut TransactionLayer, now: Instant, all: bool) {
        if self.leaving.is_some() {
            return;
        }
        self.leaving = Some(if all { Purpose::RemoveAll } else { Purpose::Remove });
        self.timers.clear();
        if matches!(self.state, State::Resting) {
            self.leave(layer, now);
        }
    }

    /// Takes a pong.
    pub(crate) fn pong(&mut self, flow: Flow) {
        if flow == self.wanted.flow {
            self.timers.stop(Timer::Pong);
        }
    }

    /// What stands; `None` before it is granted and after it has expired.
    pub(crate) fn registered(&self) -> Option<&Registered> {
        self.registered.as_ref()
    }

    /// The instance that this is a flow of, and the user it is for.
    pub(super) fn instance(&self) -> Option<String> {
        let instance = self.wanted.reg_id.and(self.wanted.instance.as_ref())?;
        Some(format!("{} {}", instance.to_ascii_lowercase(), self.wanted.aor.uri))
    }

    /// The same while the flow stands.
    pub(super) fn flow_of(&self) -> Option<String> {
        self.registered.as_ref().filter(|_| !self.lost)?;
        self.instance()
    }

    fn check_stays(&self, verb: &'static str) -> Result<(), Error> {
        match self.leaving {
            Some(_) => Err(Error::WrongState { verb, expected: "it is being removed" }),
            None => Ok(()),
        }
    }

    /// Asks now, or as soon as the REGISTER under way has its answer (§10.2).
    fn ask_or_note(&mut self, layer: &mut TransactionLayer, now: Instant) {
        match &mut self.state {
            State::Asking(asking) => asking.again = true,
            State::Resting => self.ask(layer, now, Purpose::Bind, 0),
            State::Over => {}
        }
    }

    /// Sends a REGISTER; if that cannot be, the flow counts as lost.
    fn ask(&mut self, layer: &mut TransactionLayer, now: Instant, purpose: Purpose, briefs: u32) {
        let Err(error) = self.send(layer, now, purpose, briefs) else { return };
        debug!(%error, "REGISTER not sent");
        match purpose {
            Purpose::Bind => self.lose(layer, now),
            Purpose::Remove | Purpose::RemoveAll => {
                self.end(Some(StatusCode::SERVICE_UNAVAILABLE));
            }
        }
    }

    fn send(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        purpose: Purpose,
        briefs: u32,
    ) -> Result<(), Error> {
        let bound = self.registered.as_ref().map(|registered| &registered.contact);
        let contact = match (purpose, bound) {
            (Purpose::Remove | Purpose::RemoveAll, Some(bound)) => bound.clone(),
            (Purpose::Remove | Purpose::RemoveAll | Purpose::Bind, _) => {
                contact_of(layer, &self.wanted)?
            }
        };
        // Outbound replaces the binding of the same flow by itself (RFC 5626 §6).
        let old =
            bound.filter(|bound| purpose == Purpose::Bind && !self.outbound && **bound != contact);
        let register = Register {
            wanted: &self.wanted,
            identity: &self.identity,
            purpose,
            cseq: self.cseq.saturating_add(1),
            contact: &contact,
            old,
            expires: self.seconds,
            outbound: self.outbound,
        };
        let request = register.build(layer)?;
        let authenticator = self.authenticator.as_deref_mut();
        let exchange = Exchange::start(layer, now, request, self.wanted.flow, authenticator)?;
        self.cseq = exchange.cseq();
        self.may_stand = true;
        self.timers.stop(Timer::Refresh);
        self.timers.stop(Timer::Retry);
        let (seconds, again) = (self.seconds, false);
        self.state =
            State::Asking(Box::new(Asking { exchange, purpose, contact, seconds, briefs, again }));
        Ok(())
    }

    /// The REGISTER under way is over.
    fn rest(&mut self) -> Option<Asking> {
        match mem::replace(&mut self.state, State::Resting) {
            State::Asking(asking) => {
                self.cseq = asking.exchange.cseq();
                Some(*asking)
            }
            State::Resting => None,
            State::Over => {
                self.state = State::Over;
                None
            }
        }
    }

    /// A 2xx (§10.2.4).
    fn granted(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        asking: Asking,
        response: ValidResponse,
    ) {
        let flow = asking.exchange.flow();
        let wanted = Registration { flow, ..self.wanted.clone() };
        let read = Registered::read(response.clone(), &wanted, asking.contact, asking.seconds);
        let Some(registered) = read else {
            (self.registered, self.may_stand) = (None, false);
            self.timers.clear();
            if self.leaving.is_some() {
                return self.leave(layer, now);
            }
            return self.refused(layer, now, response, asking.again);
        };
        (self.failures, self.lost) = (0, false);
        self.registered = Some(registered.clone());
        if self.leaving.is_some() {
            return self.leave(layer, now);
        }
        self.set_timers(layer, now, &registered);
        self.events.push_back(RegistrationEvent::Registered(Box::new(registered)));
        if asking.again {
            self.ask(layer, now, Purpose::Bind, 0);
        }
    }

    fn set_timers(&mut self, layer: &mut TransactionLayer, now: Instant, granted: &Registered) {
        let refresh = refresh_after(granted.expires, layer.timing(), &mut layer.random);
        self.timers.set(Timer::Refresh, now + refresh);
        self.timers.set(Timer::Expiry, now + granted.expires);
        if granted.outbound && takes_pings(granted.flow) {
            self.timers.set(Timer::Ping, now + next_ping(granted.flow_timer, &mut layer.random));
        } else {
            self.stop_pings();
        }
    }

    /// Any other final response.
    fn rejected(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        asking: &Asking,
        response: ValidResponse,
    ) {
        self.may_stand = self.registered.is_some();
        if self.leaving.is_some() {
            return self.leave(layer, now);
        }
        match response.status() {
            StatusCode::INTERVAL_TOO_BRIEF if let Some(longer) = longer(asking, &response) => {
                self.seconds = longer;
                self.ask(layer, now, Purpose::Bind, asking.briefs.saturating_add(1));
            }
            // §11.6 allows another try without outbound.
            StatusCode::FIRST_HOP_LACKS_OUTBOUND_SUPPORT if self.outbound => {
                self.outbound = false;
                self.ask(layer, now, Purpose::Bind, 0);
            }
            StatusCode::FLOW_FAILED if !asking.again => self.lose(layer, now),
            _ => self.refused(layer, now, response, asking.again),
        }
    }

    fn refused(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        response: ValidResponse,
        again: bool,
    ) {
        // RFC 3608 §6.1: the route goes, while GRUUs stay (RFC 5627 §4.2).
        if let Some(registered) = &mut self.registered {
            registered.service_route.clear();
        }
        let (status, asked) = (response.status(), retry_after(&response));
        self.failures = self.failures.saturating_add(1);
        let retry_in = match asked {
            _ if again => Some(Duration::ZERO),
            _ if HOPELESS.contains(&status) => None,
            Some(asked) => Some(asked),
            None => Some(self.back_off(layer)),
        };
        self.fail(now, status, Some(response), retry_in);
    }

    /// Says that it has failed, and tries again in a while.
    fn fail(
        &mut self,
        now: Instant,
        status: StatusCode,
        response: Option<ValidResponse>,
        retry_in: Option<Duration>,
    ) {
        if let Some(retry_in) = retry_in {
            self.timers.set(Timer::Retry, now + retry_in);
        }
        self.events.push_back(RegistrationEvent::Failed { status, response, retry_in });
    }

    /// The flow has failed.
    fn lose(&mut self, layer: &mut TransactionLayer, now: Instant) {
        // §4.5 counts the tries to form a flow, not the end of one that stood.
        if self.lost || self.registered.is_none() {
            self.failures = self.failures.saturating_add(1);
        }
        self.lost = true;
        self.stop_pings();
        self.timers.stop(Timer::Refresh);
        let retry_in = self.back_off(layer);
        self.timers.set(Timer::Retry, now + retry_in);
        self.events.push_back(RegistrationEvent::Lost { retry_in });
    }

    fn back_off(&self, layer: &mut TransactionLayer) -> Duration {
        let failures = self.failures.max(1);
        layer.config.back_off.wait(failures, self.others_stand, &mut layer.random)
    }

    /// The time of the binding is over.
    fn expired(&mut self) {
        self.registered = None;
        self.may_stand = matches!(self.state, State::Asking(_));
        self.stop_pings();
        self.events.push_back(RegistrationEvent::Expired);
    }

    fn ping(&mut self, layer: &mut TransactionLayer, now: Instant) {
        let flow_timer = self.registered.as_ref().and_then(|it| it.flow_timer);
        layer.send(self.wanted.flow, &PING);
        if self.timers.get(Timer::Pong).is_none() {
            self.timers.set(Timer::Pong, now + PONG);
        }
        self.timers.set(Timer::Ping, now + next_ping(flow_timer, &mut layer.random));
    }

    /// No pong: the flow has failed (§4.4.1), unless a REGISTER is under way that will tell.
    fn pong_missed(&mut self, layer: &mut TransactionLayer, now: Instant) {
        if matches!(self.state, State::Resting) {
            self.lose(layer, now);
        }
    }

    fn stop_pings(&mut self) {
        self.timers.stop(Timer::Ping);
        self.timers.stop(Timer::Pong);
    }

    /// Removes what may stand (§10.2.2).
    fn leave(&mut self, layer: &mut TransactionLayer, now: Instant) {
        self.timers.clear();
        match self.leaving {
            Some(Purpose::RemoveAll) => self.ask(layer, now, Purpose::RemoveAll, 0),
            Some(purpose) if self.may_stand => self.ask(layer, now, purpose, 0),
            Some(_) | None => self.end(None),
        }
    }

    fn end(&mut self, status: Option<StatusCode>) {
        self.state = State::Over;
        self.timers.clear();
        self.events.push_back(RegistrationEvent::Unregistered { status });
    }
}

impl Usage for Binding {
    type Event = RegistrationEvent;

    fn answered(&mut self, layer: &mut TransactionLayer, now: Instant, response: ValidResponse) {
        let State::Asking(asking) = &mut self.state else { return };
        let authenticator = self.authenticator.as_deref_mut();
        if asking.exchange.challenged(layer, now, &response, authenticator) {
            return;
        }
        let Some(asking) = self.rest() else { return };
        match asking.purpose {
            Purpose::Remove | Purpose::RemoveAll => self.end(Some(response.status())),
            Purpose::Bind if response.status().is_success() => {
                self.granted(layer, now, asking, response);
            }
            Purpose::Bind => self.rejected(layer, now, &asking, response),
        }
    }

    fn failed(&mut self, layer: &mut TransactionLayer, now: Instant, failure: Failure) {
        let Some(asking) = self.rest() else { return };
        let status = match failure {
            Failure::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Failure::Transport => StatusCode::SERVICE_UNAVAILABLE,
        };
        if asking.purpose != Purpose::Bind {
            return self.end(Some(status));
        }
        if self.leaving.is_some() {
            return self.leave(layer, now);
        }
        match failure {
            // The owner has moved on already.
            _ if asking.again => self.ask(layer, now, Purpose::Bind, 0),
            Failure::Transport => self.lose(layer, now),
            Failure::TimedOut => {
                self.failures = self.failures.saturating_add(1);
                let retry_in = self.back_off(layer);
                self.fail(now, status, None, Some(retry_in));
            }
        }
    }

    fn flow_failed(&mut self, layer: &mut TransactionLayer, now: Instant, flow: Flow) {
        let stood = self.registered.is_some() && !self.lost && self.leaving.is_none();
        if stood && flow == self.wanted.flow && matches!(self.state, State::Resting) {
            self.lose(layer, now);
        }
    }

    fn handle_timeout(&mut self, layer: &mut TransactionLayer, now: Instant) {
        while let Some(timer) = self.timers.expired(now) {
            match timer {
                Timer::Refresh | Timer::Retry => self.ask(layer, now, Purpose::Bind, 0),
                Timer::Expiry => self.expired(),
                Timer::Ping => self.ping(layer, now),
                Timer::Pong => self.pong_missed(layer, now),
            }
        }
    }

    fn poll_event(&mut self) -> Option<RegistrationEvent> {
        self.events.pop_front()
    }

    fn poll_timeout(&self) -> Option<Instant> {
        self.timers.next()
    }

    fn transaction(&self) -> Option<TransactionId> {
        match &self.state {
            State::Asking(asking) => Some(asking.exchange.transaction()),
            State::Resting | State::Over => None,
        }
    }

    fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    fn tell(key: Key<Self>, event: RegistrationEvent) -> Event {
        Event::Registration { registration: RegistrationId(key), event }
    }
}

/// What a 423 asks for, if it makes sense (§10.2.8).
fn longer(asking: &Asking, response: &ValidResponse) -> Option<u32> {
    let MinExpires(least) = response.header::<MinExpires>().ok()??;
    (least > asking.seconds && asking.briefs < MAX_BRIEFS).then_some(least)
}

/// A registrar that asks for longer each time is left alone.
const MAX_BRIEFS: u32 = 2;
/// Trying again does not help: RFC 3261 §22.1, §21.4.4.
const HOPELESS: [StatusCode; 3] =
    [StatusCode::UNAUTHORIZED, StatusCode::PROXY_AUTHENTICATION_REQUIRED, StatusCode::FORBIDDEN];
