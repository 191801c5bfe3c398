//! Which codec both sides have (RFC 3264 §6.1).

use super::{proposal::Format, remote::Remote};
use crate::{codec::Codec, error::Error};

/// The codec that both sides have, and its number on each side.
#[derive(Clone, Debug)]
pub(super) struct Match {
    /// Our codec, with the peer's format parameters and the payload type that we receive with.
    pub(super) codec: Codec,
    /// The number in the peer's description.
    pub(super) send: u8,
    /// The number in ours.
    pub(super) receive: u8,
}

/// The first codec of an offer that we have. The answer takes over the offer's payload type.
pub(super) fn match_offer(remote: &Remote, ours: &[Codec]) -> Result<Match, Error> {
    first(remote, |theirs| {
        let codec = ours.iter().find(|codec| codec.is_same(&theirs.codec))?;
        Some((codec.clone(), theirs.number))
    })
}

/// The first codec of an answer that we offered.
///
/// An answer may list formats that were not offered (RFC 3264 §6.1); they are passed over.
pub(super) fn match_answer(remote: &Remote, offered: &[Format]) -> Result<Match, Error> {
    first(remote, |theirs| {
        let format = offered.iter().find(|format| format.codec.is_same(&theirs.codec))?;
        Some((format.codec.clone(), format.number))
    })
}

/// The formats of our offer that the peer may send after its answer, with our numbers.
pub(super) fn receivable(remote: &Remote, offered: &[Format]) -> Vec<Codec> {
    let listed = |format: &&Format| remote.formats.iter().any(|it| it.codec.is_same(&format.codec));
    let numbered =
        |format: &Format| Codec { payload_type: Some(format.number), ..format.codec.clone() };
    offered.iter().filter(listed).map(numbered).collect()
}

fn first(remote: &Remote, find: impl Fn(&Format) -> Option<(Codec, u8)>) -> Result<Match, Error> {
    let matched = remote.formats.iter().find_map(|theirs| {
        let (codec, receive) = find(theirs)?;
        let format_parameters = theirs.codec.format_parameters.clone();
        let codec = Codec { format_parameters, payload_type: Some(receive), ..codec };
        Some(Match { codec, send: theirs.number, receive })
    });
    matched.ok_or_else(|| Error::NoCommonCodec { theirs: remote.shown_codecs() })
}
