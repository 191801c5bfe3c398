//! Which received packet is which sent one.
//!
//! Nothing in a recording says so: the bytes do. Packets of equal bytes are paired in order. When
//! more were sent than received, each received one is the latest sent before it that keeps the
//! order, so that a lost first copy is not taken for a slow one.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use crate::{Direction, Packet, PartyId, Recording};

/// One packet on its way: who sent it, who received it. One of both is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Journey<'a> {
    pub(crate) sent: Option<&'a Packet>,
    pub(crate) received: Option<&'a Packet>,
}

impl<'a> Journey<'a> {
    /// The packet at the earliest point that was recorded.
    pub(crate) fn packet(&self) -> Option<&'a Packet> {
        self.sent.or(self.received)
    }

    /// How long it travelled, if both ends were recorded.
    pub(crate) fn took(&self) -> Option<Duration> {
        self.received?.at.checked_sub(self.sent?.at)
    }
}

/// All journeys of a recording in the order of their time.
pub(crate) fn journeys<'a>(recording: &'a Recording, places: &mut Places) -> Vec<Journey<'a>> {
    let mut packets: Vec<&Packet> = recording.packets().iter().collect();
    packets.sort_by_key(|packet| packet.at);
    let mut journeys = Vec::with_capacity(packets.len());
    for group in by_payload(&packets) {
        pair(group, places, &mut journeys);
    }
    journeys.iter().for_each(|journey| places.learn(journey));
    journeys.sort_by_key(|journey| journey.packet().map(|packet| packet.at));
    journeys
}

/// Packets of equal bytes, each group in the order of time, groups in that of their first.
fn by_payload<'a>(packets: &[&'a Packet]) -> Vec<Vec<&'a Packet>> {
    let mut groups: Vec<Vec<&Packet>> = Vec::new();
    let mut known: HashMap<&[u8], usize> = HashMap::new();
    for packet in packets {
        let index = *known.entry(&packet.payload).or_insert(groups.len());
        match groups.get_mut(index) {
            Some(group) => group.push(packet),
            None => groups.push(vec![packet]),
        }
    }
    groups
}

fn pair<'a>(group: Vec<&'a Packet>, places: &Places, journeys: &mut Vec<Journey<'a>>) {
    let (mut sent, mut received): (Vec<_>, Vec<_>) =
        group.into_iter().partition(|packet| packet.direction == Direction::Sent);
    while let Some(first) = sent.first().copied() {
        let (mine, others) = sent.into_iter().partition(|packet| packet.party == first.party);
        let (theirs, rest) =
            received.into_iter().partition(|packet| places.may_be_one(first, packet));
        pair_one_sender(mine, theirs, journeys);
        (sent, received) = (others, rest);
    }
    let strangers =
        received.into_iter().map(|packet| Journey { sent: None, received: Some(packet) });
    journeys.extend(strangers);
}

fn pair_one_sender<'a>(
    sent: Vec<&'a Packet>,
    received: Vec<&'a Packet>,
    journeys: &mut Vec<Journey<'a>>,
) {
    if received.len() > sent.len() {
        // The network made copies: the first to arrive is the packet, the others are copies.
        let mut sent = sent.into_iter().peekable();
        for packet in received {
            let sent = sent.next_if(|sent| sent.at <= packet.at);
            journeys.push(Journey { sent, received: Some(packet) });
        }
        journeys.extend(sent.map(|packet| Journey { sent: Some(packet), received: None }));
        return;
    }
    let mut received = received.into_iter().rev().peekable();
    for packet in sent.into_iter().rev() {
        let received = received.next_if(|received| packet.at <= received.at);
        journeys.push(Journey { sent: Some(packet), received });
    }
    journeys.extend(received.map(|packet| Journey { sent: None, received: Some(packet) }));
}

/// Who is where: the addresses of the recorded parties, and what stands before them.
#[derive(Debug, Default)]
pub(crate) struct Places {
    owners: HashMap<SocketAddr, PartyId>,
    /// Hosts on which exactly one party is: all their ports lead to it.
    hosts: HashMap<IpAddr, Option<PartyId>>,
    /// Addresses of nobody that lead from a party to another: a relay, a NAT.
    detours: HashMap<(PartyId, SocketAddr), PartyId>,
}

impl Places {
    pub(crate) fn of(recording: &Recording) -> Self {
        let mut places = Self::default();
        for Packet { flow, party, .. } in recording.packets() {
            places.owners.insert(flow.local, *party);
            let host = places.hosts.entry(flow.local.ip()).or_insert(Some(*party));
            *host = host.filter(|owner| owner == party);
        }
        places
    }

    /// Who is at the far end of this packet's flow.
    pub(crate) fn far_end(&self, packet: &Packet) -> Place {
        let remote = packet.flow.remote;
        let known = self.owners.get(&remote).or(self.detours.get(&(packet.party, remote)));
        // A party that is recorded speaks to another program on its own host now and then.
        let alone = || self.hosts.get(&remote.ip()).copied().flatten();
        let party = known.copied().or_else(|| alone().filter(|owner| *owner != packet.party));
        party.map_or(Place::Stranger(remote.ip()), Place::Party)
    }

    fn may_be_one(&self, sent: &Packet, received: &Packet) -> bool {
        let agrees = |address, party| self.owners.get(&address).is_none_or(|owner| *owner == party);
        sent.party != received.party
            && agrees(sent.flow.remote, received.party)
            && agrees(received.flow.remote, sent.party)
    }

    fn learn(&mut self, journey: &Journey<'_>) {
        if let Journey { sent: Some(sent), received: Some(received) } = journey {
            self.detours.insert((sent.party, sent.flow.remote), received.party);
            self.detours.insert((received.party, received.flow.remote), sent.party);
        }
    }
}

/// A column of a ladder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    Party(PartyId),
    /// An address that no recorded party has.
    Stranger(IpAddr),
    /// All further such addresses together.
    Others,
}
