//! The answerer's part: choosing a stream of an offer and answering it (RFC 3264 §6).

use super::{
    agreement::{NegotiatedMedia, Terms, agree},
    capabilities::Capabilities,
    matching::{Match, match_offer},
    proposal::{Format, Proposal, Stream},
    remote::Remote,
};
use crate::{
    codec::Codec,
    description::{MediaDescription, MediaLine, SessionDescription},
    error::Error,
};

/// An answer that is ready to be sent, and what it agrees to.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    pub(super) proposal: Proposal,
    pub(super) media: NegotiatedMedia,
}

/// Chooses one audio stream and refuses all others.
///
/// The stream in use is `current`; it stays in use when it can. Otherwise the first usable one is
/// taken. When none is, the error says why: the offer is refused as a whole (RFC 3264 §6.1).
///
/// The answer has the lines of this offer. A later offer must not have fewer than the one before
/// (RFC 3264 §8); one that does is answered as it stands, for refusing it would cost the call.
pub(super) fn accept(
    offer: &SessionDescription,
    capabilities: &Capabilities,
    current: Option<usize>,
) -> Result<Accepted, Error> {
    let mut refusal = Error::NoAudio;
    for index in current.into_iter().chain(0..offer.media.len()) {
        let Some((before, media, after)) = split(&offer.media, index) else { continue };
        match answer_stream(offer, media, capabilities) {
            Ok((stream, media)) => {
                let (before, after) = (lines(before), lines(after));
                let proposal = Proposal { times: offer.times(), before, stream, after };
                return Ok(Accepted { proposal, media });
            }
            Err(error) if refusal == Error::NoAudio => refusal = error,
            Err(_) => {}
        }
    }
    Err(refusal)
}

/// Our side of a stream, or why it cannot be used.
fn answer_stream(
    offer: &SessionDescription,
    media: &MediaDescription,
    capabilities: &Capabilities,
) -> Result<(Stream, NegotiatedMedia), Error> {
    let remote = Remote::read(offer, media, &[])?;
    let matched = match_offer(&remote, &capabilities.codecs)?;
    let Capabilities { direction, ptime, .. } = *capabilities;
    let rtcp_mux = capabilities.rtcp_mux && !LOOKS_LIKE_RTCP.contains(&matched.receive);
    let agreed = agree(&remote, &matched, Terms { direction, ptime, rtcp_mux })?;
    let stream = Stream {
        protocol: remote.protocol,
        formats: vec![announced(&matched, capabilities)],
        direction: agreed.direction,
        ptime: agreed.ptime,
        rtcp_mux: agreed.rtcp_mux,
    };
    Ok((stream, agreed))
}

/// The one format of the answer.
///
/// Every format that an answer lists may arrive at any time (RFC 3264 §6.1), and a stream here
/// decodes one. Listing only that one keeps the promise. The parameters are our own.
fn announced(matched: &Match, capabilities: &Capabilities) -> Format {
    let ours = capabilities.codecs.iter().find(|codec| codec.is_same(&matched.codec));
    let format_parameters = ours.and_then(|codec| codec.format_parameters.clone());
    let codec = Codec { format_parameters, ..matched.codec.clone() };
    Format { number: matched.receive, codec }
}

fn split(
    media: &[MediaDescription],
    index: usize,
) -> Option<(&[MediaDescription], &MediaDescription, &[MediaDescription])> {
    let (before, rest) = media.split_at_checked(index)?;
    let (chosen, after) = rest.split_first()?;
    Some((before, chosen, after))
}

fn lines(media: &[MediaDescription]) -> Vec<MediaLine> {
    media.iter().map(|media| media.media().refused()).collect()
}

/// Payload types that cannot be told from RTCP packet types on a shared port (RFC 5761 §4).
const LOOKS_LIKE_RTCP: std::ops::RangeInclusive<u8> = 64..=95;
