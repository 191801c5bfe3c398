//! The sources of one leg: a bounded set, of which one plays.

use std::time::{Duration, Instant};

use super::{Reception, Source, Totals};
use crate::{Packet, rtcp::ReportBlock};

/// Tells the sources of a session apart, counts their packets and picks the one that plays.
///
/// A call has one source most of the time, and another when the far side hands it over (a gateway
/// that answers after an announcement, a transfer). The first source that is believed plays, until
/// it has left or been silent for 100 ms while another one sends.
#[derive(Debug)]
pub struct Receiver {
    clock_rate: u32,
    sources: Vec<Source>,
    max_sources: usize,
    playing: Option<u32>,
    /// The playing source has said BYE.
    left: bool,
    /// Packets of sources that are forgotten.
    past: Totals,
}

/// What a received packet is to its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It belongs to the source that plays.
    Playing,
    /// It belongs to a source that may become the first to play: store it, and play it once
    /// [`Receiver::playing`] names that source (RFC 3550 §A.1 allows that).
    Candidate,
    /// It belongs to a valid source while another one plays.
    NotPlaying,
    /// Its source is not validated yet, while another one plays (RFC 3550 §A.1).
    Probation,
    /// Its sequence number made a very large jump (RFC 3550 §A.1).
    BadSequence,
}

impl Receiver {
    /// A receiver that has heard nothing. It remembers `max_sources` sources, at least two and at
    /// most the 31 that one report can name.
    pub fn new(clock_rate: u32, max_sources: usize) -> Self {
        let max_sources = max_sources.clamp(2, 31);
        let sources = Vec::with_capacity(max_sources);
        Self {
            clock_rate,
            sources,
            max_sources,
            playing: None,
            left: false,
            past: Totals::default(),
        }
    }

    /// Takes note of a packet and says what to do with it.
    pub fn receive(&mut self, now: Instant, packet: &Packet<'_>) -> Received {
        let index = self.find_or_add(now, packet);
        let Some(source) = self.sources.get_mut(index) else { return Received::Probation };
        let reception = source.receive(now, packet);
        let ssrc = packet.ssrc();
        match (reception, self.playing) {
            (Reception::BadSequence, _) => Received::BadSequence,
            (Reception::Probation, None) => Received::Candidate,
            (Reception::Probation, Some(_)) => Received::Probation,
            (Reception::Valid, Some(playing)) if playing == ssrc => {
                self.left = false;
                Received::Playing
            }
            (Reception::Valid, Some(playing)) if !self.may_replace(now, playing) => {
                Received::NotPlaying
            }
            (Reception::Valid, _) => {
                self.playing = Some(ssrc);
                self.left = false;
                Received::Playing
            }
        }
    }

    /// Takes note that a source has said BYE (RFC 3550 §6.6). It makes place for another; should
    /// it send on, it plays on. Returns whether it was the one that plays.
    pub fn leave(&mut self, ssrc: u32) -> bool {
        let plays = self.playing == Some(ssrc);
        self.left |= plays;
        plays
    }

    /// The source that plays.
    pub fn playing(&self) -> Option<&Source> {
        self.playing.and_then(|ssrc| self.source(ssrc))
    }

    /// A source that is remembered.
    pub fn source(&self, ssrc: u32) -> Option<&Source> {
        self.sources.iter().find(|source| source.ssrc() == ssrc)
    }

    /// Packets received and expected, of all sources that were ever valid.
    pub fn totals(&self) -> Totals {
        let valid = self.sources.iter().filter(|source| source.is_valid());
        valid.fold(self.past, |sum, source| sum.plus(source.totals()))
    }

    /// Report blocks for the sources heard since the last report (RFC 3550 §6.4).
    pub(crate) fn report(&mut self) -> impl Iterator<Item = ReportBlock> {
        self.sources.iter_mut().filter_map(Source::report)
    }

    fn find_or_add(&mut self, now: Instant, packet: &Packet<'_>) -> usize {
        let known = self.sources.iter().position(|source| source.ssrc() == packet.ssrc());
        if let Some(index) = known {
            return index;
        }
        if self.sources.len() >= self.max_sources {
            self.forget_one();
        }
        self.sources.push(Source::new(now, self.clock_rate, packet));
        self.sources.len().saturating_sub(1)
    }

    /// Makes room: an unproven source goes first, then the one not heard for the longest time. The
    /// one that plays stays, so that made-up sources cannot push it out.
    fn forget_one(&mut self) {
        let playing = self.playing;
        let others = (0..).zip(&self.sources).filter(|(_, it)| Some(it.ssrc()) != playing);
        let Some((index, _)) = others.min_by_key(|(_, it)| (it.is_valid(), it.heard())) else {
            return;
        };
        let forgotten = self.sources.swap_remove(index);
        if forgotten.is_valid() {
            self.past = self.past.plus(forgotten.totals());
        }
    }

    fn may_replace(&self, now: Instant, playing: u32) -> bool {
        let silent = |it: &Source| now.saturating_duration_since(it.heard()) >= HAND_OVER;
        self.left || self.source(playing).is_none_or(silent)
    }
}

/// How long the playing source must be silent before another one takes its place.
const HAND_OVER: Duration = Duration::from_millis(100);
