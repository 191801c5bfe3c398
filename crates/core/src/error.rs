//! Why a verb of the endpoint was refused.

use std::net::SocketAddr;

use offhook_sip_message::{ParseError, StatusCode};
use thiserror::Error;

/// A verb could not be carried out. The endpoint and its other calls are as they were.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The SIP layer refused: the call is over, or in a state that does not know the verb.
    #[error(transparent)]
    Sip(#[from] offhook_sip::Error),
    /// The session descriptions do not fit (RFC 3264). An offered call was refused with 488.
    #[error("session description: {0}")]
    Sdp(#[from] offhook_sdp::Error),
    /// The media could not be set up.
    #[error("media: {0}")]
    Media(#[from] offhook_media::Error),
    /// A setting cannot be honoured. It is refused, so that it is not silently ignored.
    #[error("setting refused: {0}")]
    Setting(String),
    /// A body is no session description (RFC 3261 §21.4.13).
    #[error("the body is not application/sdp")]
    ContentType,
    /// The type of a body cannot be read.
    #[error(transparent)]
    Header(#[from] ParseError),
    /// The call does not wait for an answer: it is ours, or answered already.
    #[error("the call does not wait for an answer")]
    NotWaiting,
    /// The call has made no offer that early media could answer.
    #[error("the caller has made no offer, and takes no reliable provisional responses")]
    NoOffer,
    /// The peer was asked to change the session, and has not answered.
    #[error("a change of the session is under way")]
    ChangeInProgress,
    /// No call has this id, or it is over.
    #[error("no such call, or it is over")]
    NoCall,
    /// The call has no media yet, or none any more.
    #[error("the call has no media in this state")]
    NoMedia,
    /// The media of the call is carried by this endpoint: it writes the descriptions itself.
    #[error("the endpoint carries the media of the call itself")]
    MediaHere,
    /// The offer is one that cannot be refused: it came in a response, which asks for its answer, or
    /// in a PRACK (RFC 3262 §5).
    #[error("the offer cannot be refused: answer it or hang up")]
    CannotRefuse,
    /// The socket already carries the media of another call, or signalling.
    #[error("socket {0} is in use")]
    SocketInUse(SocketAddr),
}

impl Error {
    /// The status that tells the peer why its offer was refused (RFC 3261 §13.3.1.3, §21.4.26).
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Sdp(error) => {
                StatusCode::new(error.status()).unwrap_or(StatusCode::NOT_ACCEPTABLE_HERE)
            }
            Self::Media(_) | Self::NoMedia => StatusCode::NOT_ACCEPTABLE_HERE,
            Self::ContentType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Header(error) => error.status(),
            Self::Sip(_)
            | Self::Setting(_)
            | Self::NotWaiting
            | Self::NoOffer
            | Self::ChangeInProgress
            | Self::NoCall
            | Self::MediaHere
            | Self::CannotRefuse
            | Self::SocketInUse(_) => StatusCode::SERVER_INTERNAL_ERROR,
        }
    }
}
