//! One publication (RFC 3903 §4).
//!
//! 1. The first PUBLISH brings the state; the entity-tag of its 2xx names it from then on.
//! 2. Refreshes name it and bring nothing; changes name it and bring the new state.
//! 3. 412: the server has forgotten it. It is published anew.
//! 4. 423 asks for longer; any other refusal, or silence, waits for Timer Retry.
//! 5. A PUBLISH that removes the state ends it, whatever the answer.
//!
//! There is at most one PUBLISH under way (§4): what the owner wants meanwhile comes next.

mod driven;
mod outcome;

use std::{collections::VecDeque, mem, time::Instant};

use offhook_sansio::{Flow, Timers};
use offhook_sip_message::{
    Expires, Method, NameAddr, Request, Route, SipIfMatch, StatusCode, Text,
};
use tracing::debug;

use super::{Publication, PublicationEvent};
use crate::{
    Authenticator, Body, Error,
    transaction::TransactionLayer,
    usage::{Draft, Exchange, Identity, authenticator, check_security, with_body},
};

/// A state of this side at a server.
#[derive(Debug)]
pub(crate) struct Publishing {
    wanted: Publication,
    routes: Vec<Route>,
    identity: Identity,
    authenticator: Option<Box<Authenticator>>,
    /// The number of the last PUBLISH.
    cseq: u32,
    state: State,
    leaving: bool,
    /// The seconds to ask for: those wanted, or what a 423 asks for.
    seconds: u32,
    /// What names the published state; `None`: nothing is published.
    entity_tag: Option<Text>,
    /// The state of the owner is not the published one.
    changed: bool,
    /// Failures in a row (RFC 5626 §4.5).
    failures: u32,
    timers: Timers<Timer>,
    events: VecDeque<PublicationEvent>,
}

#[derive(Debug)]
enum State {
    /// A PUBLISH is under way.
    Asking(Box<Asking>),
    /// None is; the timers say when the next one is due.
    Resting,
    Over,
}

#[derive(Debug)]
struct Asking {
    exchange: Exchange,
    /// It brings the state of the owner.
    brings: bool,
    removes: bool,
    seconds: u32,
    /// How often 412 or 423 has come in a row.
    tries: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    /// Refreshes the state before it expires (RFC 3903 §4.3).
    Refresh,
    /// Tries again after a failure (RFC 5626 §4.5, RFC 3261 §20.33).
    Retry,
    /// The state has expired (RFC 3903 §4.2).
    Expiry,
}

impl Publishing {
    /// Sends the first PUBLISH, through `routes`.
    pub(crate) fn publish(
        layer: &mut TransactionLayer,
        now: Instant,
        mut wanted: Publication,
        routes: Vec<Route>,
    ) -> Result<Self, Error> {
        wanted.check()?;
        let logins = mem::take(&mut wanted.logins);
        let to = NameAddr::new(wanted.target.clone());
        let mut publishing = Self {
            routes,
            identity: Identity::new(layer, wanted.from.clone(), to),
            authenticator: authenticator(layer, logins),
            cseq: 0,
            state: State::Resting,
            leaving: false,
            seconds: wanted.seconds(),
            entity_tag: None,
            changed: true,
            failures: 0,
            timers: Timers::new(),
            events: VecDeque::new(),
            wanted,
        };
        publishing.send(layer, now, 0)?;
        Ok(publishing)
    }

    /// Publishes another state in place of the one of before (§4.4).
    pub(crate) fn modify(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        body: Body,
    ) -> Result<(), Error> {
        if self.leaving {
            return Err(Error::WrongState { verb: "republish", expected: "it is being removed" });
        }
        self.wanted.body = body;
        self.changed = true;
        if matches!(self.state, State::Resting) {
            self.ask(layer, now, 0);
        }
        Ok(())
    }

    /// Takes another flow, for the next PUBLISH or the one that Timer Retry waits for.
    pub(crate) fn retarget(&mut self, layer: &TransactionLayer, flow: Flow) -> Result<(), Error> {
        check_security(&self.wanted.target, flow)?;
        layer.public(flow)?;
        self.wanted.flow = flow;
        Ok(())
    }

    /// Removes the state (§4.5). Doing so twice is harmless.
    pub(crate) fn withdraw(&mut self, layer: &mut TransactionLayer, now: Instant) {
        if mem::replace(&mut self.leaving, true) {
            return;
        }
        self.timers.clear();
        if matches!(self.state, State::Resting) {
            self.leave(layer, now);
        }
    }

    /// Sends a PUBLISH; if that cannot be, it has failed.
    fn ask(&mut self, layer: &mut TransactionLayer, now: Instant, tries: u32) {
        let Err(error) = self.send(layer, now, tries) else { return };
        debug!(%error, "PUBLISH not sent");
        let status = StatusCode::SERVICE_UNAVAILABLE;
        match self.leaving {
            true => self.end(Some(status)),
            false => self.fail(layer, now, status, None),
        }
    }

    fn send(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        tries: u32,
    ) -> Result<(), Error> {
        let removes = self.leaving;
        let brings = !removes && (self.changed || self.entity_tag.is_none());
        let seconds = if removes { 0 } else { self.seconds };
        let request = self.build(layer, brings, seconds)?;
        let authenticator = self.authenticator.as_deref_mut();
        let exchange = Exchange::start(layer, now, request, self.wanted.flow, authenticator)?;
        self.cseq = exchange.cseq();
        if brings {
            self.changed = false;
        }
        self.timers.stop(Timer::Refresh);
        self.timers.stop(Timer::Retry);
        self.state = State::Asking(Box::new(Asking { exchange, brings, removes, seconds, tries }));
        Ok(())
    }

    /// One of the four operations of §4.1, table 1.
    fn build(
        &self,
        layer: &mut TransactionLayer,
        brings: bool,
        seconds: u32,
    ) -> Result<Request, Error> {
        let draft = Draft {
            method: Method::PUBLISH,
            target: &self.wanted.target,
            identity: &self.identity,
            cseq: self.cseq.saturating_add(1),
            flow: self.wanted.flow,
            routes: &self.routes,
            headers: &self.wanted.headers,
        };
        let mut builder =
            draft.compose(layer)?.header(&self.wanted.event).header(&Expires(seconds));
        if let Some(tag) = &self.entity_tag {
            builder = builder.header(&SipIfMatch(tag.clone()));
        }
        let built = with_body(builder, brings.then(|| self.wanted.body.clone())).build();
        built.map_err(|error| Error::Unbuildable(error.to_string()))
    }

    /// The PUBLISH under way is over.
    fn rest(&mut self) -> Option<Asking> {
        let State::Asking(_) = self.state else { return None };
        let State::Asking(asking) = mem::replace(&mut self.state, State::Resting) else {
            return None;
        };
        self.cseq = asking.exchange.cseq();
        Some(*asking)
    }
}
