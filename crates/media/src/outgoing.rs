//! A captured frame becomes a packet: the whole way on one screen.

use std::{convert::Infallible, time::Instant};

use bytes::{Bytes, BytesMut};
use offhook_codec::Encoder;
use offhook_rtp::Session;
use offhook_sdp::NegotiatedMedia;

use crate::Error;

/// The sending half of a leg: encoder and packet buffer.
pub(crate) struct Outgoing {
    encoder: Box<dyn Encoder>,
    /// Packets are written here one behind the other. When all that were split off are gone, the
    /// same memory is used again.
    buffer: BytesMut,
    sending: bool,
}

impl Outgoing {
    pub(crate) fn new(negotiated: &NegotiatedMedia) -> Result<Self, Error> {
        Ok(Self {
            encoder: new_encoder(negotiated)?,
            buffer: BytesMut::with_capacity(BUFFER),
            sending: negotiated.direction.sends(),
        })
    }

    pub(crate) fn renegotiate(&mut self, negotiated: &NegotiatedMedia) -> Result<(), Error> {
        self.encoder = new_encoder(negotiated)?;
        self.sending = negotiated.direction.sends();
        Ok(())
    }

    /// Encodes one frame and puts an RTP header before it, in place. `None`: the direction agreed
    /// on sends nothing.
    pub(crate) fn packet(
        &mut self,
        now: Instant,
        samples: &[i16],
        session: &mut Session,
    ) -> Result<Option<Bytes>, Error> {
        let ticks = u32::try_from(samples.len()).unwrap_or(u32::MAX);
        if !self.sending {
            session.pause(ticks);
            return Ok(None);
        }
        // No codec here needs more than two bytes for a sample.
        let room = HEADER.saturating_add(samples.len().saturating_mul(2));
        let Self { encoder, buffer, .. } = self;
        let mut failure = None;
        let packet = write(buffer, room, |room| {
            session.send(now, ticks, room, |payload| {
                encoder.encode(samples, payload).unwrap_or_else(|error| {
                    failure = Some(error);
                    0
                })
            })
        })?;
        failure.map_or(Ok(Some(packet)), |error| Err(error.into()))
    }

    /// Lets `report` write an RTCP packet into the same memory; empty if it writes none.
    pub(crate) fn report(&mut self, report: impl FnOnce(&mut [u8]) -> usize) -> Bytes {
        let written = write(&mut self.buffer, RTCP_ROOM, |room| Ok::<_, Infallible>(report(room)));
        written.unwrap_or_default()
    }
}

/// Lets `fill` write into `room` bytes of the buffer, and splits off what it wrote.
fn write<E>(
    buffer: &mut BytesMut,
    room: usize,
    fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
) -> Result<Bytes, E> {
    buffer.clear();
    buffer.resize(room, 0);
    let written = fill(buffer)?;
    buffer.truncate(written);
    Ok(buffer.split().freeze())
}

fn new_encoder(negotiated: &NegotiatedMedia) -> Result<Box<dyn Encoder>, Error> {
    let codec = &negotiated.codec;
    offhook_codec::encoder(&codec.encoding, codec.clock_rate).ok_or_else(|| Error::no_codec(codec))
}

/// Room for a good number of packets, so that the buffer is reclaimed and not grown while some
/// are still on their way to the socket.
const BUFFER: usize = 16 * 1024;
/// The fixed part of an RTP header (RFC 3550 §5.1); we send no CSRCs and no extensions.
const HEADER: usize = 12;
/// Room for a compound RTCP packet of a session with a handful of sources.
const RTCP_ROOM: usize = 1200;
