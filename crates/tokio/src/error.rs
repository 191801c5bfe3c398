//! Why a handle's verb failed.

use std::{io, net::SocketAddr};

use offhook_audio::DeviceError;
use offhook_sip::{LocateError, RequestFailure};
use offhook_sip_message::{StatusCode, Uri};
use thiserror::Error;

use crate::{Ended, RegistrationFault, SubscriptionFault, TlsError};

/// A verb of an endpoint or a call failed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// A socket could not be opened.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// The address asked for.
        address: String,
        /// What the system said.
        source: io::Error,
    },
    /// No two free neighbouring ports were found for a call's RTP and RTCP.
    #[error("no free pair of media ports on {address} ({detail})")]
    NoMediaPorts {
        /// The address they were looked for on.
        address: SocketAddr,
        /// The range, or what the system said.
        detail: String,
    },
    /// The text is not a SIP URI, or one that this endpoint cannot call.
    #[error("{uri:?} cannot be called: {reason}")]
    Uri {
        /// The text.
        uri: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The host of the URI has no address of the endpoint's kind.
    #[error("{host} has no address that can be reached from here: {reason}")]
    Unresolved {
        /// The host.
        host: String,
        /// What DNS said, or did not.
        reason: String,
    },
    /// The host has addresses, but none of its servers can be reached.
    #[error("{host} cannot be reached: {reason}")]
    Unreachable {
        /// The host.
        host: String,
        /// What the last server tried has failed of.
        reason: String,
    },
    /// The settings of an account contradict each other.
    #[error("the account cannot be opened: {0}")]
    Account(String),
    /// The account has no registrar.
    #[error("the account has no registrar")]
    NoRegistrar,
    /// The account is not registered, and will not be by itself.
    #[error("not registered: {0}")]
    NotRegistered(RegistrationFault),
    /// There is no subscription, or none any more.
    #[error("not subscribed: {0}")]
    NotSubscribed(SubscriptionFault),
    /// The far side has refused what it was asked for.
    #[error("the far side refused: {status}")]
    Refused {
        /// Its status.
        status: StatusCode,
    },
    /// The far side has not answered a request outside of calls, or it could not be sent.
    #[error("no response: {}", .0.status())]
    NoResponse(RequestFailure),
    /// The far side has accepted a transfer, and has not told how it ended.
    #[error("the far side has not told how the transfer ended")]
    TransferUntold,
    /// TLS cannot be set up as asked.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The core refused the verb.
    #[error(transparent)]
    Core(#[from] offhook_core::Error),
    /// An audio device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The sound device has another sample rate than the call.
    #[error("the device gives or takes {device} Hz, the call {call} Hz")]
    SampleRate {
        /// The rate of the source or sink in Hz.
        device: u32,
        /// The rate of the call in Hz.
        call: u32,
    },
    /// Another source is spoken in place of this one, before its end.
    #[error("another source has taken this one's place")]
    Replaced,
    /// The call has ended, or ended before what was waited for came.
    #[error("the call ended: {0}")]
    Ended(Ended),
    /// The endpoint is closed.
    #[error("the endpoint is closed")]
    Closed,
}

impl Error {
    /// No server of `target` can be found, or the last one failed of `fault`.
    pub(crate) fn no_way(target: &Uri, error: LocateError, fault: Option<String>) -> Self {
        let host = target.as_sip().map(|uri| uri.host.to_string()).unwrap_or_default();
        match (error, fault) {
            (_, Some(reason)) => Self::Unreachable { host, reason },
            (
                error @ (LocateError::NotSip { .. }
                | LocateError::InvalidHost { .. }
                | LocateError::PortZero
                | LocateError::SecureOverUdp
                | LocateError::UnknownTransport { .. }
                | LocateError::UnusableTransport { .. }
                | LocateError::NoTransport { .. }),
                None,
            ) => Self::Uri { uri: target.to_string(), reason: error.to_string() },
            (error, None) => Self::Unresolved { host, reason: error.to_string() },
        }
    }
}
