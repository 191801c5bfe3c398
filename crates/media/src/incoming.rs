//! Packets become frames to play: taken from the jitter buffer, decoded or concealed.

use std::time::{Duration, Instant};

use offhook_codec::{Concealer, Decoder};
use offhook_rtp::{Session, Taken};
use offhook_sdp::Codec;
use tracing::debug;

use crate::{Error, leg::samples_in};

/// What a played frame is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// What the far side sent, sample for sample; only the first frame behind a gap is joined to
    /// what stood in its place.
    Speech,
    /// A lost packet's place, filled from what was heard before.
    Concealed,
    /// Nothing is being received.
    Silence,
}

/// A decoder and the payload type that asks for it.
type Listed = (u8, Box<dyn Decoder>);

/// The receiving half of a leg: decoder, concealment, and samples that wait for their frame.
pub(crate) struct Incoming {
    decoders: Vec<Listed>,
    concealer: Concealer,
    /// Decoded samples that do not fill a frame yet, or reach beyond it: peers choose their own
    /// packet times.
    waiting: Vec<i16>,
    /// Room for one decoded packet.
    decoded: Vec<i16>,
    /// Payloads that the codec refused.
    undecodable: u64,
}

impl Incoming {
    pub(crate) fn new(receivable: &[Codec]) -> Result<Self, Error> {
        let rate = receivable.first().map_or(TELEPHONE_RATE, |codec| codec.clock_rate);
        let decoded = vec![0; samples_in(LONGEST_PACKET, rate)];
        Ok(Self {
            decoders: new_decoders(receivable)?,
            concealer: Concealer::new(rate),
            waiting: Vec::with_capacity(decoded.len().saturating_mul(2)),
            decoded,
            undecodable: 0,
        })
    }

    pub(crate) fn renegotiate(&mut self, receivable: &[Codec]) -> Result<(), Error> {
        self.decoders = new_decoders(receivable)?;
        Ok(())
    }

    /// Fills one frame.
    pub(crate) fn frame(
        &mut self,
        now: Instant,
        frame: &mut [i16],
        session: &mut Session,
    ) -> Heard {
        let mut heard = Heard::Speech;
        while self.waiting.len() < frame.len() {
            match session.take(now) {
                Taken::Frame { payload, payload_type, .. } => self.decode(payload_type, payload),
                Taken::Missing => {
                    self.conceal(frame.len());
                    heard = Heard::Concealed;
                }
                Taken::Empty => {
                    self.waiting.resize(frame.len(), 0);
                    heard = Heard::Silence;
                }
            }
        }
        let length = frame.len();
        for (played, sample) in frame.iter_mut().zip(self.waiting.drain(..length)) {
            *played = sample;
        }
        heard
    }

    pub(crate) const fn undecodable(&self) -> u64 {
        self.undecodable
    }

    fn decode(&mut self, payload_type: u8, payload: &[u8]) {
        let decoder = self.decoders.iter_mut().find(|(number, _)| *number == payload_type);
        let Some((_, decoder)) = decoder else {
            self.undecodable = self.undecodable.saturating_add(1);
            debug!(payload_type, "payload dropped: its codec is not agreed on any more");
            return;
        };
        match decoder.decode(payload, &mut self.decoded) {
            Ok(samples) => {
                let Some(decoded) = self.decoded.get_mut(..samples) else { return };
                self.concealer.received(decoded);
                self.waiting.extend_from_slice(decoded);
            }
            Err(error) => {
                self.undecodable = self.undecodable.saturating_add(1);
                debug!(%error, "payload dropped: the codec cannot decode it");
            }
        }
    }

    fn conceal(&mut self, samples: usize) {
        let Some(room) = self.decoded.get_mut(..samples) else { return };
        self.concealer.conceal(room);
        self.waiting.extend_from_slice(room);
    }
}

fn new_decoders(receivable: &[Codec]) -> Result<Vec<Listed>, Error> {
    let decoder = |codec: &Codec| {
        let decoder = offhook_codec::decoder(&codec.encoding, codec.clock_rate);
        let decoder = decoder.ok_or_else(|| Error::no_codec(codec))?;
        Ok(codec.payload_type.map(|number| (number, decoder)))
    };
    receivable.iter().map(decoder).filter_map(Result::transpose).collect()
}

/// The rate of all codecs here, for an agreement that names none.
const TELEPHONE_RATE: u32 = 8000;
/// The longest packet that a receiver has to take (RFC 3551 §4.2).
pub(crate) const LONGEST_PACKET: Duration = Duration::from_millis(200);
