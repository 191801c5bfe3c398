//! The offerer's part: making an offer (RFC 3264 §5, §8) and reading the answer (§7).

use bytestring::ByteString;

use super::{
    agreement::{NegotiatedMedia, Terms, agree},
    capabilities::Capabilities,
    matching::{match_answer, receivable},
    packet_time::bounded,
    proposal::{Format, Proposal, RTP_AVP, Stream},
    remote::{AUDIO, Remote, shown},
};
use crate::{
    codec::Codec,
    description::{Direction, SessionDescription, unbounded},
    error::Error,
};

/// The first offer of a session: one audio stream with all our codecs.
pub(super) fn initial(capabilities: &Capabilities) -> Result<Proposal, Error> {
    if capabilities.codecs.is_empty() {
        return Err(Error::NoCodec);
    }
    Ok(Proposal {
        times: vec![unbounded()],
        before: Vec::new(),
        stream: Stream {
            protocol: ByteString::from_static(RTP_AVP),
            formats: numbered(&capabilities.codecs)?,
            direction: capabilities.direction,
            ptime: bounded(capabilities.ptime),
            rtcp_mux: capabilities.rtcp_mux,
        },
        after: Vec::new(),
    })
}

/// A later offer: our last description, so that nothing changes that nobody wants changed.
///
/// Only the direction is our own wish again and not what an earlier answer was bound to: who was
/// put on hold says so no longer by itself (RFC 3264 §8.4). Payload types keep their meaning
/// through the session (RFC 3264 §8.3.2).
pub(super) fn repeated(last: &Proposal, direction: Direction) -> Proposal {
    let stream = Stream { direction, ..last.stream.clone() };
    Proposal { stream, ..last.clone() }
}

/// What an answer agrees to, and the codecs that the peer may send from now on.
pub(super) fn conclude(
    offered: &Proposal,
    answer: &SessionDescription,
) -> Result<(NegotiatedMedia, Vec<Codec>), Error> {
    let (count, theirs) = (offered.len(), answer.media.len());
    if theirs != count {
        let expected = format!("{count} m= lines instead of {theirs}");
        return Err(Error::Mismatch { expected, rfc: "RFC 3264 §6" });
    }
    let media = answer.media.get(offered.index()).ok_or(Error::NoAudio)?;
    let (line, stream) = (media.media(), &offered.stream);
    if line.media != AUDIO {
        let expected = format!("audio instead of {}", shown(&line.media));
        return Err(Error::Mismatch { expected, rfc: "RFC 3264 §6.1" });
    }
    let remote = Remote::read(answer, media, &stream.formats)?;
    if remote.protocol != stream.protocol {
        return Err(Error::UnsupportedProfile { profile: shown(&remote.protocol) });
    }
    let matched = match_answer(&remote, &stream.formats)?;
    let Stream { direction, ptime, rtcp_mux, .. } = *stream;
    let agreed = agree(&remote, &matched, Terms { direction, ptime, rtcp_mux })?;
    Ok((agreed, receivable(&remote, &stream.formats)))
}

/// Gives each codec its payload type: the one it asks for, its static one, or a dynamic one.
///
/// Wishes come first, so that a codec without one does not take another's number.
fn numbered(codecs: &[Codec]) -> Result<Vec<Format>, Error> {
    let mut taken = Vec::new();
    let wishes: Vec<_> = codecs.iter().map(|codec| take_wish(codec, &mut taken)).collect();
    let number = |(codec, wish): (&Codec, Option<u8>)| {
        let number = wish.or_else(|| take_dynamic(&mut taken)).ok_or(Error::TooManyCodecs)?;
        Ok(Format { number, codec: Codec { payload_type: Some(number), ..codec.clone() } })
    };
    codecs.iter().zip(wishes).map(number).collect()
}

fn take_wish(codec: &Codec, taken: &mut Vec<u8>) -> Option<u8> {
    let wish = codec.payload_type.or_else(|| codec.static_payload_type())?;
    let free = is_allowed(wish, codec) && !taken.contains(&wish);
    free.then(|| {
        taken.push(wish);
        wish
    })
}

fn take_dynamic(taken: &mut Vec<u8>) -> Option<u8> {
    let number = (96..=127).chain(35..=63).find(|number| !taken.contains(number))?;
    taken.push(number);
    Some(number)
}

/// Static numbers belong to their codecs (RFC 3551 §6); 64 to 95 look like RTCP packet types on
/// a shared port (RFC 5761 §4).
fn is_allowed(number: u8, codec: &Codec) -> bool {
    match number {
        0..=34 => Codec::of_static(number).is_some_and(|it| it.is_same(codec)),
        35..=63 | 96..=127 => true,
        64..=95 | 128..=255 => false,
    }
}
