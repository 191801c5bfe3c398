//! What follows from answers, silence and time (RFC 3261 §10.2.4 to §10.2.8, RFC 5626 §4.4, §4.5).

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use bytes::Bytes;
use offhook_sansio::Protocol;
use offhook_sip_message::{MinExpires, StatusCode, ValidResponse};

use super::{
    super::{
        Registered, Registration, RegistrationEvent,
        keep_alive::{PING, PONG, Probe, next_ping, takes_pings},
        register::Purpose,
    },
    Asking, Binding, State, Timer,
};
use crate::{
    transaction::TransactionLayer,
    transport::StunId,
    usage::{refresh_after, retry_after},
};

impl Binding {
    /// A 2xx (§10.2.4).
    pub(super) fn granted(
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
        if (granted.outbound || granted.keep) && takes_pings(granted.flow) {
            self.ping_later(layer, now);
        } else {
            self.stop_pings();
        }
    }

    fn ping_later(&mut self, layer: &mut TransactionLayer, now: Instant) {
        let flow_timer = self.registered.as_ref().and_then(|it| it.flow_timer);
        let after = next_ping(flow_timer, self.wanted.flow.protocol, &mut layer.random);
        self.timers.set(Timer::Ping, now + after);
    }

    /// Any other final response.
    pub(super) fn rejected(
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

    pub(super) fn refused(
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
        self.failures = self.failures.saturating_add(1);
        let (status, asked) = (response.status(), retry_after(&response, self.failures));
        self.hopeless = !again && HOPELESS.contains(&status);
        let retry_in = match asked {
            _ if again => Some(Duration::ZERO),
            _ if self.hopeless => None,
            Some(asked) => Some(asked),
            None => Some(self.back_off(layer)),
        };
        self.fail(now, status, Some(response), retry_in);
    }

    /// Says that it has failed, and tries again in a while.
    pub(super) fn fail(
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
    pub(super) fn lose(&mut self, layer: &mut TransactionLayer, now: Instant) {
        // §4.5 counts the tries to form a flow, not the end of one that stood.
        if self.lost || self.registered.is_none() {
            self.failures = self.failures.saturating_add(1);
        }
        self.lost = true;
        self.stop_pings();
        self.timers.stop(Timer::Refresh);
        let retry_in = match self.timers.get(Timer::Retry) {
            _ if self.hopeless => None,
            // What a refusal has asked for still holds (RFC 5626 §4.5).
            Some(at) => Some(self.back_off(layer).max(at.saturating_duration_since(now))),
            None => Some(self.back_off(layer)),
        };
        if let Some(retry_in) = retry_in {
            self.timers.set(Timer::Retry, now + retry_in);
        }
        self.events.push_back(RegistrationEvent::Lost { retry_in });
    }

    pub(super) fn back_off(&self, layer: &mut TransactionLayer) -> Duration {
        let failures = self.failures.max(1);
        layer.config.back_off.wait(failures, self.others_stand, &mut layer.random)
    }

    /// The time of the binding is over.
    pub(super) fn expired(&mut self) {
        self.registered = None;
        self.may_stand = matches!(self.state, State::Asking(_));
        self.stop_pings();
        self.events.push_back(RegistrationEvent::Expired);
    }

    pub(super) fn ping(&mut self, layer: &mut TransactionLayer, now: Instant) {
        if self.wanted.flow.protocol == Protocol::Udp {
            let probe = self.probe.begin(layer.timing().t1, &mut layer.random);
            return self.send_probe(layer, now, probe);
        }
        layer.send(self.wanted.flow, &PING);
        if self.timers.get(Timer::Pong).is_none() {
            self.timers.set(Timer::Pong, now + PONG);
        }
        self.ping_later(layer, now);
    }

    fn send_probe(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        (request, wait): (Bytes, Duration),
    ) {
        layer.send(self.wanted.flow, &request);
        self.timers.set(Timer::Pong, now + wait);
    }

    /// No pong: over UDP it may have been lost. Else the flow has failed (§4.4), unless a REGISTER is
    /// under way that will tell.
    pub(super) fn pong_missed(&mut self, layer: &mut TransactionLayer, now: Instant) {
        if self.wanted.flow.protocol == Protocol::Udp
            && let Some(probe) = self.probe.again(layer.timing().t1)
        {
            return self.send_probe(layer, now, probe);
        }
        if matches!(self.state, State::Resting) {
            self.lose(layer, now);
        }
    }

    /// Takes the answer to a Binding request, without an address if it is an error. What the server
    /// sees from another address than before is another flow (§4.4.2).
    pub(in crate::registration) fn bound(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        id: StunId,
        mapped: Option<SocketAddr>,
    ) {
        let Some(stands) = self.probe.answered(id, mapped) else { return };
        self.timers.stop(Timer::Pong);
        match stands {
            true => self.ping_later(layer, now),
            false => self.flow_failed(layer, now),
        }
    }

    pub(super) fn stop_pings(&mut self) {
        self.timers.stop(Timer::Ping);
        self.timers.stop(Timer::Pong);
        self.probe = Probe::default();
    }

    /// Removes what may stand (§10.2.2).
    pub(super) fn leave(&mut self, layer: &mut TransactionLayer, now: Instant) {
        self.timers.clear();
        match self.leaving {
            Some(Purpose::RemoveAll) => self.ask(layer, now, Purpose::RemoveAll, 0),
            Some(purpose) if self.may_stand => self.ask(layer, now, purpose, 0),
            Some(_) | None => self.end(None),
        }
    }

    pub(super) fn end(&mut self, status: Option<StatusCode>) {
        self.state = State::Over;
        self.timers.clear();
        self.events.push_back(RegistrationEvent::Unregistered { status });
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
