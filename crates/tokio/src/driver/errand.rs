//! What waits for an address or a connection: calls to be placed, requests, registrations, and
//! messages whose connection is lost (RFC 3263 §4, §5).
//!
//! 1. The locator is asked for the next hop, and DNS for what the locator wants to know.
//! 2. Each target is tried in its order: a socket for UDP, an open or a new connection else.
//! 3. What is sent there may still fail before anything has come back. Then it goes to the next
//!    target as a new request (RFC 3263 §4.3).

use std::time::Instant;

use offhook_sansio::{Flow, Protocol, Transmit};
use offhook_sip::{
    Error as SipError, Failure, LocateError, LocatorEvent, LookupId, NextHop, Target,
};
use tracing::debug;

use super::{
    Driver,
    placing::{Following, Placing},
    requests::Asking,
    way::Way,
};
use crate::{
    AccountId, Error, publication::PublicationKey, streams::Reach, subscription::SubscriptionKey,
};

/// Something that is to be done once it is known where.
pub(super) struct Errand {
    pub(super) purpose: Purpose,
    /// `None` if the target was known from the start.
    pub(super) lookup: Option<LookupId>,
    /// What the last target failed of.
    pub(super) fault: Option<String>,
}

pub(super) enum Purpose {
    Place(Box<Placing>),
    Follow(Following),
    Deliver(Transmit),
    Enroll(AccountId),
    Ask(Box<Asking>),
    Publish(PublicationKey),
    Watch(SubscriptionKey),
}

/// How a request that is too large for a datagram goes (RFC 3261 §18.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// It may be small enough: that shows when it is built.
    Unknown,
    /// It is not, and goes over a stream.
    Large,
    /// It is not, and there is no stream to send it by: as a datagram then.
    Whatever,
}

impl Size {
    pub(super) fn of(self, hop: NextHop) -> NextHop {
        match self {
            Self::Large => hop.over_stream(),
            Self::Unknown | Self::Whatever => hop,
        }
    }
}

impl Driver {
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

    /// Starts to look for where something goes; gives it back if that is not to be found out.
    pub(super) fn seek(
        &mut self,
        purpose: Purpose,
        hop: Result<NextHop, LocateError>,
        fault: Option<String>,
    ) {
        match hop.and_then(|hop| self.locator.locate(Instant::now(), &hop)) {
            Ok(lookup) => {
                if let Some(id) = self.take_on(purpose, Some(lookup))
                    && let Some(errand) = self.errands.get_mut(&id)
                {
                    errand.fault = fault;
                }
            }
            Err(error) => self.lost_its_way(Errand { purpose, lookup: None, fault }, error),
        }
    }

    /// The target given last has failed whoever asked for it: what is to be done goes to the next
    /// one. False if the lookup is over.
    pub(super) fn seek_on(&mut self, purpose: Purpose, lookup: LookupId, failure: Failure) -> bool {
        if self.locator.failed(Instant::now(), lookup, failure).is_err() {
            return false;
        }
        self.take_on(purpose, Some(lookup));
        true
    }

    pub(super) fn take_on(&mut self, purpose: Purpose, lookup: Option<LookupId>) -> Option<u64> {
        let errand = Errand { purpose, lookup, fault: None };
        // The lookups bound the calls, which strangers must not keep from their places.
        if matches!(errand.purpose, Purpose::Deliver(_)) && self.errands.len() >= MOST_ERRANDS {
            self.drop_errand(errand, Error::Core(SipError::TooManyTransactions.into()));
            return None;
        }
        let id = self.new_id();
        self.errands.insert(id, errand);
        Some(id)
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
        let ours = !matches!(errand.purpose, Purpose::Deliver(_));
        if target.protocol == Protocol::Udp {
            return match self.udp_flow(target) {
                Some(flow) => self.carry_out(id, flow),
                None => self.missed(id, format!("nothing listens to reach {}", target.address)),
            };
        }
        match self.pool.reach(target, id, ours) {
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
            Purpose::Follow(following) => self.follow(following, errand.lookup, flow),
            Purpose::Enroll(account) => self.enroll(account, errand.lookup, flow),
            Purpose::Ask(asking) => self.ask(asking, errand.lookup, flow),
            Purpose::Publish(key) => self.publish_by(key, errand.lookup, flow),
            Purpose::Watch(key) => self.subscribe_by(key, errand.lookup, flow),
            Purpose::Deliver(transmit) => {
                self.pool.stands_for(flow, transmit.flow);
                self.reach_target(errand.lookup);
                self.send(Transmit { flow, ..transmit });
            }
        }
    }

    /// Something has come back from the target, or it is not ours to judge: the lookup is over.
    pub(super) fn reach_target(&mut self, lookup: Option<LookupId>) {
        if let Some(lookup) = lookup {
            // A lookup that took too long is over already.
            let _ = self.locator.reached(lookup);
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
        let Errand { purpose, lookup, fault } = errand;
        match purpose {
            Purpose::Place(mut placing) if placing.size == Size::Large => {
                placing.size = Size::Whatever;
                self.seek_call(placing, fault);
            }
            Purpose::Ask(mut asking) if asking.size == Size::Large => {
                asking.size = Size::Whatever;
                self.seek_request(asking);
            }
            Purpose::Place(ref placing) => {
                let error = Error::no_way(&placing.target, error, fault.clone());
                self.drop_errand(Errand { purpose, lookup, fault }, error);
            }
            Purpose::Ask(asking) => self.no_answer(*asking, error, fault),
            Purpose::Follow(following) => self.follow_other(following),
            Purpose::Enroll(account) => {
                self.no_registrar(account, fault, &error);
            }
            Purpose::Publish(key) => {
                self.no_server(key, &fault.unwrap_or_else(|| error.to_string()));
            }
            Purpose::Watch(key) => {
                self.no_notifier(key, fault.unwrap_or_else(|| error.to_string()));
            }
            Purpose::Deliver(transmit) => {
                let fault = fault.unwrap_or_else(|| error.to_string());
                self.undelivered(&transmit, &fault);
            }
        }
    }

    pub(super) fn drop_errand(&mut self, errand: Errand, error: Error) {
        if let Some(lookup) = errand.lookup {
            self.locator.abandon(lookup);
        }
        match errand.purpose {
            Purpose::Deliver(transmit) => self.undelivered(&transmit, &error.to_string()),
            Purpose::Place(placing) => self.drop_placing(*placing, error),
            Purpose::Ask(asking) => super::respond(asking.reply, Err(error)),
            Purpose::Follow(_) | Purpose::Enroll(_) => {}
            Purpose::Publish(_) | Purpose::Watch(_) => {}
        }
    }

    /// Forgets the errands that `gone` names.
    pub(super) fn drop_errands(&mut self, gone: impl Fn(&Purpose) -> bool) {
        let dropped: Vec<_> = self.errands.extract_if(|_, errand| gone(&errand.purpose)).collect();
        for (_, errand) in dropped {
            self.drop_errand(errand, Error::Closed);
        }
    }
}

/// How many errands may wait when one more message asks for its way.
const MOST_ERRANDS: usize = 1_000;
