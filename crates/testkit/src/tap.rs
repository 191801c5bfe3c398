//! What can be seen and counted on the network.

use std::time::Instant;

use offhook_sansio::Flow;

use crate::HostId;

/// One packet at one end of its journey, as a tap sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen<'a> {
    /// The virtual time.
    pub at: Instant,
    /// The host that sends it, or the one that it is delivered to.
    pub host: HostId,
    /// Which end of the journey this is.
    pub passage: Passage,
    /// The path as that host sees it: its own address is `local`.
    pub flow: Flow,
    /// The bytes.
    pub payload: &'a [u8],
}

/// What happens to a packet.
///
/// Every packet is seen as `Sent` first. A lost one is then seen as `Lost` at the same moment,
/// with its sender; any other as `Delivered` when it arrives, once for each copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Passage {
    /// Its host sends it.
    Sent,
    /// It arrives at its host.
    Delivered,
    /// It never arrives.
    Lost(Loss),
}

/// Why a packet never arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Loss {
    /// The [`Impairment`](crate::Impairment) of its link lost it.
    Impairment,
    /// The filter of the network refused it.
    Filter,
    /// No host has the address that it goes to.
    NoSuchAddress,
    /// The sender does not have the address that it sends from. A real socket cannot do so.
    ForeignSource,
}

/// How often what happened since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Packets that machines sent.
    pub sent: u64,
    /// Packets that arrived; a duplicate counts again.
    pub delivered: u64,
    /// Packets that the impairments lost.
    pub lost: u64,
    /// Packets that the filter refused.
    pub filtered: u64,
    /// Packets to an address that no host has.
    pub no_such_address: u64,
    /// Packets from an address that their sender does not have.
    pub foreign_source: u64,
    /// Packets that travel twice.
    pub duplicated: u64,
    /// Packets that were held back for others to overtake them.
    pub held_back: u64,
    /// Deadlines that machines were told of.
    pub timeouts: u64,
    /// Events that machines reported.
    pub events: u64,
}

impl Counters {
    pub(crate) const fn lose(&mut self, loss: Loss) {
        let counter = match loss {
            Loss::Impairment => &mut self.lost,
            Loss::Filter => &mut self.filtered,
            Loss::NoSuchAddress => &mut self.no_such_address,
            Loss::ForeignSource => &mut self.foreign_source,
        };
        *counter += 1;
    }
}
