//! What waits for an address or a connection: calls to be placed, and messages whose connection is
//! lost (RFC 3263 §4, §5).
//!
//! 1. The locator is asked for the next hop, and DNS for what the locator wants to know.
//! 2. Each target is tried in its order: a socket for UDP, an open or a new connection else.
//! 3. The call is placed, the message sent. A call whose INVITE then fails before anything came
//!    back goes to the next target as a new call (RFC 3263 §4.3).

use std::time::Instant;

use offhook_core::{CallId, Ending, Outgoing};
use offhook_sansio::{Flow, Protocol, Transmit};
use offhook_sip::{
    End, Error as SipError, Failure, LocateError, LocatorEvent, LookupId, NextHop, Target,
};
use offhook_sip_message::{NameAddr, StatusCode, Uri};
use tokio::sync::watch;
use tracing::debug;

use super::{Driver, Live, media_address, respond, way::Way};
use crate::{
    Call, Ended, Error,
    call::Status,
    command::Reply,
    streams::{Reach, count},
};

/// Something that is to be done once it is known where.
pub(super) struct Errand {
    purpose: Purpose,
    /// `None` if the target was known from the start.
    lookup: Option<LookupId>,
    /// What the last target failed of.
    fault: Option<String>,
}

enum Purpose {
    Place(Box<Placing>),
    Deliver(Transmit),
}

/// A call to be placed.
struct Placing {
    target: Uri,
    size: Size,
    origin: Origin,
}

/// How an INVITE that is too large for a datagram goes (RFC 3261 §18.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    /// It may be small enough: that shows when it is built.
    Unknown,
    /// It is not, and goes over a stream.
    Large,
    /// It is not, and there is no stream to send it by: as a datagram then.
    Whatever,
}

enum Origin {
    New {
        from: NameAddr,
        reply: Reply<Call>,
    },
    /// The target before has failed; its end is told if there is no other.
    Again {
        live: Box<Live>,
        ended: Ended,
    },
}

/// What a live call needs to go to another target: forgotten as soon as anything comes back.
pub(super) struct Attempt {
    lookup: LookupId,
    target: Uri,
    size: Size,
}

impl Driver {
    /// Starts to look for where a call goes.
    pub(super) fn seek(&mut self, target: Uri, from: NameAddr, reply: Reply<Call>) {
        let origin = Origin::New { from, reply };
        self.seek_for(Box::new(Placing { target, size: Size::Unknown, origin }), None);
    }

    /// Sends a message whose flow has no connection: by a new one (RFC 3261 §18.1.1, §18.2.2).
    pub(super) fn redirect(&mut self, transmit: Transmit) {
        match self.way_of(&transmit) {
            Some(Way::Target(target)) => {
                if let Some(id) = self.take_on(Purpose::Deliver(transmit), None) {
                    self.attempt(id, &target);
                }
            }
            Some(Way::Hop(hop)) => match self.locator.locate(Instant::now(), &hop) {
                Ok(lookup) => {
                    self.take_on(Purpose::Deliver(transmit), Some(lookup));
                }
                Err(error) => self.undelivered(&transmit, &error.to_string()),
            },
            None => self.undelivered(&transmit, "the connection is gone, and no other leads there"),
        }
    }

    /// Goes on with whatever DNS, or a failed target, has brought. False if there was nothing.
    pub(super) fn locate(&mut self) -> bool {
        let mut busy = false;
        while let Some(question) = self.locator.poll_question() {
            busy = true;
            if let Some(answer) = self.resolver.ask(&question) {
                self.locator.answer(Instant::now(), question.id, answer);
            }
        }
        while let Some(event) = self.locator.poll_event() {
            busy = true;
            let Some(id) = self.errand_of(event.lookup()) else { continue };
            match event {
                LocatorEvent::Try { target, .. } => self.attempt(id, &target),
                LocatorEvent::Refused { error, .. } => self.refused(id, error),
                other => debug!(?other, "an event that no errand waits for"),
            }
        }
        busy
    }

    /// A connection that errands waited for has come up, or has not.
    pub(super) fn reached(&mut self, errands: Vec<u64>, result: &Result<Flow, String>) {
        for id in errands {
            match result {
                Ok(flow) => self.carry_out(id, *flow),
                Err(fault) => self.missed(id, fault.clone()),
            }
        }
    }

    /// Something came back: the call stays with its target.
    pub(super) fn settle(&mut self, call: CallId) {
        let live = self.calls.get_mut(&call);
        if let Some(attempt) = live.and_then(|live| live.attempt.take()) {
            // A lookup that took too long is over already.
            let _ = self.locator.reached(attempt.lookup);
        }
    }

    /// Tries the next target for a call that nobody has answered, if its end allows that. The call
    /// is given back if it is over for good.
    pub(super) fn try_again(&mut self, mut live: Live, ended: Ended) -> Option<(Live, Ended)> {
        let Some(Attempt { lookup, target, size }) = live.attempt.take() else {
            return Some((live, ended));
        };
        let failure = failure(&ended.ending).filter(|_| self.closing.is_none());
        let Some(failure) = failure else {
            let _ = self.locator.reached(lookup);
            return Some((live, ended));
        };
        if self.locator.failed(Instant::now(), lookup, failure).is_err() {
            return Some((live, ended));
        }
        let placing =
            Placing { target, size, origin: Origin::Again { live: Box::new(live), ended } };
        self.take_on(Purpose::Place(Box::new(placing)), Some(lookup));
        None
    }

    /// Gives up a call between two targets; false if there is none of this handle.
    pub(super) fn give_up_trying(&mut self, handle: CallId) -> bool {
        let waits = |errand: &Errand| match &errand.purpose {
            Purpose::Place(placing) => match &placing.origin {
                Origin::Again { live, .. } => live.handle == Some(handle),
                Origin::New { .. } => false,
            },
            Purpose::Deliver(_) => false,
        };
        let found = self.errands.iter().find(|(_, errand)| waits(errand)).map(|(id, _)| *id);
        let Some(errand) = found.and_then(|id| self.errands.remove(&id)) else { return false };
        self.drop_errand(errand, Error::Closed);
        true
    }

    /// Ends all calls that are still to be placed.
    pub(super) fn give_up_seeking(&mut self) {
        let places = |_: &u64, errand: &mut Errand| matches!(errand.purpose, Purpose::Place(_));
        let given_up: Vec<_> = self.errands.extract_if(places).collect();
        for (_, errand) in given_up {
            self.drop_errand(errand, Error::Closed);
        }
    }
}

/// The steps.
impl Driver {
    fn seek_for(&mut self, placing: Box<Placing>, fault: Option<String>) {
        let hop = NextHop::of_uri(&placing.target).map(|hop| match placing.size {
            Size::Large => hop.over_stream(),
            Size::Unknown | Size::Whatever => hop,
        });
        match hop.and_then(|hop| self.locator.locate(Instant::now(), &hop)) {
            Ok(lookup) => {
                if let Some(id) = self.take_on(Purpose::Place(placing), Some(lookup))
                    && let Some(errand) = self.errands.get_mut(&id)
                {
                    errand.fault = fault;
                }
            }
            Err(error) => {
                let errand = Errand { purpose: Purpose::Place(placing), lookup: None, fault };
                self.lost_its_way(errand, error);
            }
        }
    }

    fn take_on(&mut self, purpose: Purpose, lookup: Option<LookupId>) -> Option<u64> {
        let errand = Errand { purpose, lookup, fault: None };
        // The lookups bound the calls, which strangers must not keep from their places.
        if matches!(errand.purpose, Purpose::Deliver(_)) && self.errands.len() >= MOST_ERRANDS {
            self.drop_errand(errand, Error::Core(SipError::TooManyTransactions.into()));
            return None;
        }
        self.errand_ids += 1;
        self.errands.insert(self.errand_ids, errand);
        Some(self.errand_ids)
    }

    fn errand_of(&self, lookup: LookupId) -> Option<u64> {
        let of_lookup = |errand: &Errand| errand.lookup == Some(lookup);
        self.errands.iter().find(|(_, errand)| of_lookup(errand)).map(|(id, _)| *id)
    }

    /// Finds or makes a path to `target`.
    fn attempt(&mut self, id: u64, target: &Target) {
        let Some(errand) = self.errands.get(&id) else { return };
        if let Purpose::Deliver(transmit) = &errand.purpose
            && transmit.flow.protocol != target.protocol
        {
            return self.missed(id, format!("it leads to {}", target.protocol));
        }
        let for_call = matches!(errand.purpose, Purpose::Place(_));
        if target.protocol == Protocol::Udp {
            return match self.udp_flow(target) {
                Some(flow) => self.carry_out(id, flow),
                None => self.missed(id, format!("nothing listens to reach {}", target.address)),
            };
        }
        match self.pool.reach(target, id, for_call) {
            Reach::Open(flow) => self.carry_out(id, flow),
            Reach::Soon => {}
            Reach::Never(error) => self.missed(id, error.to_string()),
        }
    }

    fn udp_flow(&self, target: &Target) -> Option<Flow> {
        let fits = |one: &&crate::listener::Listening| {
            one.protocol == Protocol::Udp && one.local.is_ipv4() == target.address.is_ipv4()
        };
        let listening = self.listening.iter().find(fits)?;
        Some(Flow::udp(listening.local, target.address))
    }

    fn carry_out(&mut self, id: u64, flow: Flow) {
        // Who waited for it may have lost interest.
        let Some(errand) = self.errands.remove(&id) else { return };
        match errand.purpose {
            Purpose::Place(placing) => self.place(placing, errand.lookup, flow),
            Purpose::Deliver(transmit) => {
                self.pool.stands_for(flow, transmit.flow);
                if let Some(lookup) = errand.lookup {
                    let _ = self.locator.reached(lookup);
                }
                self.send(Transmit { flow, ..transmit });
            }
        }
    }

    /// A target could not be had: on to the next.
    fn missed(&mut self, id: u64, fault: String) {
        debug!(%fault, "target failed");
        let Some(errand) = self.errands.get_mut(&id) else { return };
        errand.fault = Some(fault);
        let lookup = errand.lookup;
        let next =
            lookup.map(|lookup| self.locator.failed(Instant::now(), lookup, Failure::Transport));
        if !matches!(next, Some(Ok(()))) {
            self.refused(id, LocateError::NoTarget);
        }
    }

    fn refused(&mut self, id: u64, error: LocateError) {
        if let Some(errand) = self.errands.remove(&id) {
            self.lost_its_way(errand, error);
        }
    }

    /// There is no target, or none any more.
    fn lost_its_way(&mut self, errand: Errand, error: LocateError) {
        match errand.purpose {
            Purpose::Place(mut placing) if placing.size == Size::Large => {
                placing.size = Size::Whatever;
                self.seek_for(placing, errand.fault);
            }
            Purpose::Place(ref placing) => {
                let error = unreachable(&placing.target, error, errand.fault.clone());
                self.drop_errand(errand, error);
            }
            Purpose::Deliver(transmit) => {
                let fault = errand.fault.unwrap_or_else(|| error.to_string());
                self.undelivered(&transmit, &fault);
            }
        }
    }

    fn drop_errand(&mut self, errand: Errand, error: Error) {
        if let Some(lookup) = errand.lookup {
            self.locator.abandon(lookup);
        }
        match errand.purpose {
            Purpose::Deliver(transmit) => self.undelivered(&transmit, &error.to_string()),
            Purpose::Place(placing) => match placing.origin {
                Origin::New { reply, .. } => respond(reply, Err(error)),
                Origin::Again { live, ended } => self.end(*live, ended),
            },
        }
    }

    fn undelivered(&mut self, transmit: &Transmit, fault: &str) {
        count(&self.pool.counters().unsent);
        debug!(flow = %transmit.flow, fault, "message not sent");
        self.failed(Instant::now(), transmit);
    }

    fn place(&mut self, mut placing: Box<Placing>, lookup: Option<LookupId>, flow: Flow) {
        let mut outgoing = Outgoing::new(placing.target.clone(), flow);
        if flow.protocol == Protocol::Udp && placing.size == Size::Unknown {
            outgoing.largest = Some(LARGEST_DATAGRAM);
        }
        match self.call(outgoing) {
            Ok(call) => self.placed(call, *placing, lookup),
            Err(Error::Core(offhook_core::Error::Sip(SipError::TooLarge { .. }))) => {
                if let Some(lookup) = lookup {
                    self.locator.abandon(lookup);
                }
                placing.size = Size::Large;
                self.seek_for(placing, None);
            }
            Err(error) => {
                let purpose = Purpose::Place(placing);
                self.drop_errand(Errand { purpose, lookup, fault: None }, error);
            }
        }
    }

    fn call(&mut self, outgoing: Outgoing) -> Result<CallId, Error> {
        let flow = outgoing.flow;
        let sockets = self.sockets.bind_media(media_address(&self.listening, flow))?;
        let placed = self.core.call(Instant::now(), outgoing, sockets);
        match placed {
            Ok(call) => self.calls.insert(call, Live::new(Some(flow), Some(sockets))),
            Err(_) => {
                self.sockets.close_media(sockets);
                None
            }
        };
        Ok(placed?)
    }

    /// Gives a new call its handle, or the handle its new call.
    fn placed(&mut self, call: CallId, placing: Placing, lookup: Option<LookupId>) {
        let Some(live) = self.calls.get_mut(&call) else { return };
        let (target, size) = (placing.target, placing.size);
        let to = NameAddr::new(target.clone());
        live.attempt = lookup.map(|lookup| Attempt { lookup, target, size });
        match placing.origin {
            Origin::New { from, reply } => {
                let (status, seen) = watch::channel(Status::default());
                (live.handle, live.status) = (Some(call), Some(status));
                let commands = self.commands.upgrade().ok_or(Error::Closed);
                // A handle that nobody takes any more ends the call.
                respond(reply, commands.map(|commands| Call::new(call, from, to, seen, commands)));
            }
            Origin::Again { live: before, .. } => {
                (live.handle, live.status) = (before.handle, before.status);
                if let Some(handle) = live.handle {
                    self.renamed.insert(handle, call);
                }
            }
        }
    }

    /// The call that a handle means now.
    pub(super) fn named(&self, handle: CallId) -> CallId {
        self.renamed.get(&handle).copied().unwrap_or(handle)
    }
}

/// Which ends mean that the target has failed (RFC 3263 §4.3).
fn failure(ending: &Ending) -> Option<Failure> {
    match ending {
        Ending::Signalling(End::TransportFailed) => Some(Failure::Transport),
        Ending::Signalling(End::TimedOut) => Some(Failure::TimedOut),
        Ending::Signalling(End::Rejected { status, .. })
            if *status == StatusCode::SERVICE_UNAVAILABLE =>
        {
            Some(Failure::Unavailable { retry_after: None })
        }
        _ => None,
    }
}

fn unreachable(target: &Uri, error: LocateError, fault: Option<String>) -> Error {
    let host = target.as_sip().map(|uri| uri.host.to_string()).unwrap_or_default();
    match (error, fault) {
        (_, Some(reason)) => Error::Unreachable { host, reason },
        (
            error @ (LocateError::NotSip { .. }
            | LocateError::InvalidHost { .. }
            | LocateError::PortZero
            | LocateError::SecureOverUdp
            | LocateError::UnknownTransport { .. }
            | LocateError::UnusableTransport { .. }
            | LocateError::NoTransport { .. }),
            None,
        ) => Error::Uri { uri: target.to_string(), reason: error.to_string() },
        (error, None) => Error::Unresolved { host, reason: error.to_string() },
    }
}

/// The largest request that goes as a datagram while the path MTU is unknown (RFC 3261 §18.1.1).
const LARGEST_DATAGRAM: usize = 1_300;
/// How many errands may wait when one more message asks for its way.
const MOST_ERRANDS: usize = 1_000;
