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

mod driven;
mod outcome;

use std::{collections::VecDeque, mem, time::Instant};

use offhook_sansio::{Flow, Timers};
use offhook_sip_message::{StatusCode, Uri};
use tracing::debug;

use super::{
    Push, Registered, Registration, RegistrationEvent,
    keep_alive::Probe,
    register::{Purpose, Register, contact_of, without_prid},
};
use crate::{
    Authenticator, Error,
    transaction::TransactionLayer,
    usage::{Exchange, Identity, authenticator, check_security},
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
    /// The last refusal leaves the next try to the owner.
    hopeless: bool,
    /// Failures in a row (RFC 5626 §4.5).
    failures: u32,
    /// Whether another flow of the instance stands (RFC 5626 §4.5).
    pub(super) others_stand: bool,
    timers: Timers<Timer>,
    /// The keepalive over UDP.
    probe: Probe,
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
    /// Sends a ping (RFC 5626 §4.4).
    Ping,
    /// Gives up waiting for the pong, or asks again (RFC 5626 §4.4).
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
            hopeless: false,
            failures: 0,
            others_stand: false,
            timers: Timers::new(),
            probe: Probe::default(),
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

    /// Registers another name at the push service, or none (RFC 8599 §4.1.1).
    pub(crate) fn set_push(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        push: Option<Push>,
    ) -> Result<(), Error> {
        self.check_stays("set_push")?;
        self.wanted.push = push;
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
    pub(super) fn pong(&mut self) {
        self.timers.stop(Timer::Pong);
    }

    /// Messages cannot be sent on its flow. The REGISTER under way has been told apart from this.
    pub(super) fn flow_failed(&mut self, layer: &mut TransactionLayer, now: Instant) {
        let stood = self.registered.is_some() && !self.lost && self.leaving.is_none();
        if stood && matches!(self.state, State::Resting) {
            self.lose(layer, now);
        }
    }

    /// Whether it is sent on `flow`.
    pub(super) fn is_on(&self, flow: Flow) -> bool {
        self.wanted.flow == flow
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
        let before = self.registered.as_ref();
        let bound = before.map(|registered| &registered.contact);
        let contact = match (purpose, bound) {
            (Purpose::Remove | Purpose::RemoveAll, Some(bound)) => bound.clone(),
            (Purpose::Remove | Purpose::RemoveAll | Purpose::Bind, _) => {
                contact_of(layer, &self.wanted)?
            }
        };
        // Outbound replaces the binding of the same flow by itself (RFC 5626 §6).
        let stays = before.is_some_and(|it| !it.outbound) && purpose == Purpose::Bind;
        let old = bound.filter(|_| stays).map(without_prid).filter(|old| *old != contact);
        let register = Register {
            wanted: &self.wanted,
            identity: &self.identity,
            purpose,
            cseq: self.cseq.saturating_add(1),
            contact: &contact,
            old: old.as_ref(),
            expires: self.seconds,
            outbound: self.outbound,
        };
        let request = register.build(layer)?;
        let authenticator = self.authenticator.as_deref_mut();
        let exchange = Exchange::start(layer, now, request, self.wanted.flow, authenticator)?;
        self.cseq = exchange.cseq();
        (self.may_stand, self.hopeless) = (true, false);
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
}
