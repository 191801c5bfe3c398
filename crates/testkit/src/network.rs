//! The virtual network: hosts, links, packets on their way, and the clock.
//!
//! 1. A machine is touched: by its owner, by a packet or by its deadline.
//! 2. Its outputs are drained at the same moment: packets go on their way, events wait in order.
//! 3. When nobody is left to drain, the clock jumps to the next arrival or deadline. Of those at
//!    the same moment arrivals come first, in the order in which their packets were sent.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    net::IpAddr,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use offhook_sansio::{Datagram, Deadlines, Flow, Machine, Random, Transmit};

use crate::{
    audit::{Auditor, Breach},
    impairment::{Arrivals, Impairer, Impairment},
    on_the_way::OnTheWay,
    stuck::Stuck,
    tap::{Counters, Loss, Passage, Seen},
};

/// Hosts on a virtual network under a virtual clock.
pub struct Network<M: Machine> {
    start: Instant,
    now: Instant,
    seed: u64,
    hosts: Vec<Host<M>>,
    addresses: HashMap<IpAddr, HostId>,
    links: HashMap<(HostId, HostId), Impairer>,
    default_impairment: Impairment,
    on_the_way: OnTheWay,
    deadlines: Deadlines<HostId>,
    /// Hosts that their owner has touched and that are still to be drained.
    touched: Vec<HostId>,
    events: VecDeque<Event<M::Event>>,
    counters: Counters,
    /// Arrivals since the clock last moved.
    arrivals_of_moment: u32,
    tap: Option<Tap>,
    auditor: Option<Auditor>,
    filter: Option<Filter>,
}

type Tap = Box<dyn FnMut(&Seen<'_>)>;

type Filter = Box<dyn FnMut(Instant, &Transmit) -> bool>;

#[derive(Debug)]
struct Host<M> {
    machine: M,
    /// When and how often in a row the deadline had passed and passed again.
    told: (Instant, u32),
}

impl<M: Machine> Network<M> {
    /// A network without hosts whose clock stands at `start` and whose chance comes from `seed`.
    pub fn new(start: Instant, seed: u64) -> Self {
        Self {
            start,
            now: start,
            seed,
            hosts: Vec::new(),
            addresses: HashMap::new(),
            links: HashMap::new(),
            default_impairment: Impairment::NONE,
            on_the_way: OnTheWay::default(),
            deadlines: Deadlines::new(),
            touched: Vec::new(),
            events: VecDeque::new(),
            counters: Counters::default(),
            arrivals_of_moment: 0,
            tap: None,
            auditor: None,
            filter: None,
        }
    }

    /// The same network under an [`Auditor`], who sees every packet from now on; see
    /// [`audit`](Self::audit).
    #[must_use]
    pub fn audited(mut self) -> Self {
        self.auditor = Some(Auditor::new(self.now));
        self
    }

    /// The auditor of an [`audited`](Self::audited) network, to excuse a rule.
    pub const fn auditor_mut(&mut self) -> Option<&mut Auditor> {
        self.auditor.as_mut()
    }

    /// Ends the audit of an [`audited`](Self::audited) network: what was found, and what is missing
    /// by now. Nothing is found where nobody audits.
    pub fn audit(&mut self) -> Vec<Breach> {
        let now = self.now;
        self.auditor.take().map(|auditor| auditor.finish(now)).unwrap_or_default()
    }

    /// Puts a machine on the network. All ports of its `addresses` are its own; an address that
    /// another host had before moves to this one.
    pub fn host(&mut self, machine: M, addresses: &[IpAddr]) -> HostId {
        let id = HostId(self.hosts.len());
        self.hosts.push(Host { machine, told: (self.start, 0) });
        self.addresses.extend(addresses.iter().map(|address| (*address, id)));
        self.touched.push(id);
        id
    }

    /// Sets the faults of both directions between two hosts, from the next packet on.
    pub fn link(&mut self, one: HostId, other: HostId, impairment: Impairment) {
        self.link_one_way(one, other, impairment);
        self.link_one_way(other, one, impairment);
    }

    /// Sets the faults of one direction between two hosts, from the next packet on.
    pub fn link_one_way(&mut self, from: HostId, to: HostId, impairment: Impairment) {
        self.impairer(from, to).set(impairment);
    }

    /// Sets the faults of links that carry their first packet from now on and have none of their
    /// own. Without it they are perfect.
    pub const fn link_others(&mut self, impairment: Impairment) {
        self.default_impairment = impairment;
    }

    /// Shows every packet to `tap`, in order: for recordings. It replaces the tap before.
    pub fn tap(&mut self, tap: impl FnMut(&Seen<'_>) + 'static) {
        self.tap = Some(Box::new(tap));
    }

    /// Loses every packet for which `passes` gives `false`, in addition to what the links lose.
    /// It replaces the filter before.
    pub fn filter(&mut self, passes: impl FnMut(Instant, &Transmit) -> bool + 'static) {
        self.filter = Some(Box::new(passes));
    }

    /// A machine, to speak to it. What it wants sent and told is taken up before anything else
    /// happens on the network.
    ///
    /// # Panics
    ///
    /// If `host` comes from another network.
    #[expect(clippy::indexing_slicing, reason = "documented; an id of this network is in range")]
    pub fn host_mut(&mut self, host: HostId) -> &mut M {
        self.touched.push(host);
        &mut self.hosts[host.0].machine
    }

    /// Lets `speak` talk to a machine at the virtual time, and returns what it returns.
    ///
    /// # Panics
    ///
    /// If `host` comes from another network.
    pub fn tell<R>(&mut self, host: HostId, speak: impl FnOnce(&mut M, Instant) -> R) -> R {
        let now = self.now;
        speak(self.host_mut(host), now)
    }

    /// A machine, to ask it.
    ///
    /// # Panics
    ///
    /// If `host` comes from another network.
    #[expect(clippy::indexing_slicing, reason = "documented; an id of this network is in range")]
    pub fn host_ref(&self, host: HostId) -> &M {
        &self.hosts[host.0].machine
    }

    /// Does the next single thing: drains machines that their owner touched, else delivers the
    /// next packet or tells a machine that its deadline has come. Returns the time of it; `None`
    /// if nothing is on its way and nothing is due, however long one waits.
    pub fn step(&mut self) -> Result<Option<Instant>, Stuck> {
        self.step_before(None)
    }

    /// The next event that a machine reported, in order.
    pub fn poll_event(&mut self) -> Option<Event<M::Event>> {
        self.events.pop_front()
    }

    /// Lets everything up to and including `until` happen; then the clock stands at `until`.
    ///
    /// Each event goes to `on_event` together with its machine, which may be spoken to at once.
    /// Events left over from [`step`](Self::step) come first.
    pub fn run_until(
        &mut self,
        until: Instant,
        on_event: impl FnMut(Happened<'_, M>),
    ) -> Result<(), Stuck> {
        self.run_until_idle(until, on_event)?;
        self.advance(until);
        Ok(())
    }

    /// Lets things happen until nothing is left to happen, or until `limit`.
    ///
    /// The clock stands at the last thing that happened. Events go as in
    /// [`run_until`](Self::run_until).
    pub fn run_until_idle(
        &mut self,
        limit: Instant,
        mut on_event: impl FnMut(Happened<'_, M>),
    ) -> Result<Stopped, Stuck> {
        loop {
            self.hand_out(&mut on_event);
            if self.step_before(Some(limit))?.is_none() && self.events.is_empty() {
                let idle = self.next_moment().is_none();
                return Ok(if idle { Stopped::Idle } else { Stopped::Limit });
            }
        }
    }

    /// The virtual time.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The virtual time since the start.
    pub fn elapsed(&self) -> Duration {
        self.now.saturating_duration_since(self.start)
    }

    /// All hosts, in the order in which they were put on the network.
    pub fn hosts(&self) -> impl Iterator<Item = (HostId, &M)> {
        (0..).map(HostId).zip(self.hosts.iter().map(|host| &host.machine))
    }

    /// What has happened so far.
    pub const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many packets are on their way.
    pub fn packets_on_the_way(&self) -> usize {
        self.on_the_way.len()
    }

    fn impairer(&mut self, from: HostId, to: HostId) -> &mut Impairer {
        // Each link has its own stream of chance: traffic on one does not change another.
        let seed = self.seed ^ ((from.0 as u64) << 32 | (to.0 as u64)).wrapping_mul(GOLDEN_RATIO);
        let impairment = self.default_impairment;
        let new = || Impairer::new(impairment, Random::from_seed(seed));
        self.links.entry((from, to)).or_insert_with(new)
    }

    fn hand_out(&mut self, on_event: &mut impl FnMut(Happened<'_, M>)) {
        while let Some(Event { at, host, event }) = self.events.pop_front() {
            let Some(Host { machine, .. }) = self.hosts.get_mut(host.0) else { continue };
            let now = self.now;
            on_event(Happened { at, now, host, machine, event });
            self.touched.push(host);
        }
    }

    fn step_before(&mut self, limit: Option<Instant>) -> Result<Option<Instant>, Stuck> {
        if !self.touched.is_empty() {
            self.drain_touched()?;
            return Ok(Some(self.now));
        }
        let Some(moment) = self.next_moment() else { return Ok(None) };
        let moment = moment.max(self.now);
        if limit.is_some_and(|limit| moment > limit) {
            return Ok(None);
        }
        self.advance(moment);
        match self.on_the_way.arrived(moment) {
            Some((to, datagram)) => self.deliver(to, datagram)?,
            None => self.tell_deadline()?,
        }
        Ok(Some(moment))
    }

    fn drain_touched(&mut self) -> Result<(), Stuck> {
        let mut touched = std::mem::take(&mut self.touched);
        // A host that was touched many times is drained once.
        touched.dedup();
        for host in touched.drain(..) {
            self.drain(host)?;
        }
        // The list keeps its memory.
        self.touched = touched;
        Ok(())
    }

    fn next_moment(&self) -> Option<Instant> {
        self.on_the_way.next().into_iter().chain(self.deadlines.next()).min()
    }

    fn advance(&mut self, moment: Instant) {
        if moment > self.now {
            self.now = moment;
            self.arrivals_of_moment = 0;
        }
    }

    fn deliver(&mut self, to: HostId, datagram: Datagram) -> Result<(), Stuck> {
        self.arrivals_of_moment = self.arrivals_of_moment.saturating_add(1);
        if self.arrivals_of_moment > MOST_ARRIVALS_IN_A_MOMENT {
            return Err(Stuck::Packets { host: to, at: self.elapsed() });
        }
        self.counters.delivered += 1;
        self.show(to, Passage::Delivered, datagram.flow, &datagram.payload);
        if let Some(host) = self.hosts.get_mut(to.0) {
            host.told.1 = 0;
            host.machine.receive(self.now, datagram);
        }
        self.drain(to)
    }

    fn tell_deadline(&mut self) -> Result<(), Stuck> {
        let Some(id) = self.deadlines.expired(self.now) else { return Ok(()) };
        self.counters.timeouts += 1;
        if let Some(host) = self.hosts.get_mut(id.0) {
            let again = if host.told.0 == self.now { host.told.1 } else { 0 };
            host.told = (self.now, again.saturating_add(1));
            host.machine.handle_timeout(self.now);
        }
        self.drain(id)?;
        self.check_progress(id)
    }

    fn check_progress(&self, id: HostId) -> Result<(), Stuck> {
        let Some(Host { machine, told: (_, told) }) = self.hosts.get(id.0) else { return Ok(()) };
        match machine.poll_timeout() {
            Some(deadline) if deadline <= self.now && *told >= MOST_TIMEOUTS_IN_A_MOMENT => {
                let overdue = self.now.saturating_duration_since(deadline);
                Err(Stuck::Deadline { host: id, at: self.elapsed(), overdue, told: *told })
            }
            _ => Ok(()),
        }
    }

    /// Takes up what a machine wants sent and told, and when it wants to be woken.
    fn drain(&mut self, id: HostId) -> Result<(), Stuck> {
        for _ in 0..MOST_OUTPUTS {
            let Some(Host { machine, .. }) = self.hosts.get_mut(id.0) else { return Ok(()) };
            if let Some(transmit) = machine.poll_transmit() {
                self.send(id, transmit);
            } else if let Some(event) = machine.poll_event() {
                self.counters.events += 1;
                self.events.push_back(Event { at: self.now, host: id, event });
            } else {
                self.deadlines.set(id, machine.poll_timeout());
                return Ok(());
            }
        }
        Err(Stuck::Output { host: id, at: self.elapsed() })
    }

    fn send(&mut self, from: HostId, transmit: Transmit) {
        self.counters.sent += 1;
        self.show(from, Passage::Sent, transmit.flow, &transmit.payload);
        match self.route(from, &transmit) {
            Ok((to, arrivals)) => self.put_on_the_way(to, transmit, arrivals),
            Err(loss) => {
                self.counters.lose(loss);
                self.show(from, Passage::Lost(loss), transmit.flow, &transmit.payload);
            }
        }
    }

    fn route(&mut self, from: HostId, transmit: &Transmit) -> Result<(HostId, Arrivals), Loss> {
        let Flow { protocol, local, remote } = transmit.flow;
        if self.addresses.get(&local.ip()) != Some(&from) {
            return Err(Loss::ForeignSource);
        }
        let to = *self.addresses.get(&remote.ip()).ok_or(Loss::NoSuchAddress)?;
        let now = self.now;
        if self.filter.as_mut().is_some_and(|passes| !passes(now, transmit)) {
            return Err(Loss::Filter);
        }
        let link = self.impairer(from, to);
        let arrivals = if protocol.is_reliable() { link.delay(now) } else { link.impair(now) };
        if arrivals.is_lost() { Err(Loss::Impairment) } else { Ok((to, arrivals)) }
    }

    fn put_on_the_way(&mut self, to: HostId, transmit: Transmit, arrivals: Arrivals) {
        self.counters.duplicated += u64::from(arrivals.is_duplicated());
        self.counters.held_back += u64::from(arrivals.is_held_back());
        let Transmit { flow: Flow { protocol, local, remote }, payload } = transmit;
        let flow = Flow { protocol, local: remote, remote: local };
        for at in arrivals {
            // A receiver gets memory of its own, as from a socket.
            let datagram = Datagram { flow, payload: BytesMut::from(&payload[..]) };
            self.on_the_way.push(at, to, datagram);
        }
    }

    fn show(&mut self, host: HostId, passage: Passage, flow: Flow, payload: &[u8]) {
        let seen = Seen { at: self.now, host, passage, flow, payload };
        if let Some(auditor) = &mut self.auditor {
            auditor.see(&seen);
        }
        if let Some(tap) = &mut self.tap {
            tap(&seen);
        }
    }
}

impl<M: Machine> fmt::Debug for Network<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network")
            .field("elapsed", &self.elapsed())
            .field("hosts", &self.hosts.len())
            .field("packets_on_the_way", &self.packets_on_the_way())
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

/// The name of one host of a [`Network`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HostId(usize);

impl HostId {
    /// The position of the host in the order in which hosts were put on the network, from 0.
    pub const fn index(self) -> usize {
        self.0
    }
}

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host {}", self.0)
    }
}

/// An event, with when and where it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event<E> {
    /// The virtual time.
    pub at: Instant,
    /// Whose machine reported it.
    pub host: HostId,
    /// What it reported.
    pub event: E,
}

/// An event together with the machine that reported it.
#[derive(Debug)]
pub struct Happened<'a, M: Machine> {
    /// The virtual time of the event.
    pub at: Instant,
    /// The time to give to the machine's verbs. It differs from `at` only for an event left over
    /// from before.
    pub now: Instant,
    /// Whose machine reported it.
    pub host: HostId,
    /// The machine, to speak to it.
    pub machine: &'a mut M,
    /// What it reported.
    pub event: M::Event,
}

/// Why the network stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stopped {
    /// No packet is on its way and no machine waits for a deadline.
    Idle,
    /// What comes next lies beyond the limit.
    Limit,
}

/// Spreads the numbers of two hosts over all bits of a seed: 2⁶⁴ divided by the golden ratio.
const GOLDEN_RATIO: u64 = 0x9E37_79B9_7F4A_7C15;

/// A machine may have many timers due at once and handle one at a time, but not this many.
const MOST_TIMEOUTS_IN_A_MOMENT: u32 = 100_000;

/// A thousand packets for each of ten thousand calls at one moment.
const MOST_ARRIVALS_IN_A_MOMENT: u32 = 10_000_000;

/// More than any machine has to say after one input.
const MOST_OUTPUTS: u32 = 1_000_000;

#[cfg(test)]
mod tests;
