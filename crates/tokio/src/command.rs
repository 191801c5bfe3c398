//! What handles ask of the driver.

use offhook_audio::{Sink, Source};
use offhook_core::{CallId, CallStatistics};
use offhook_sip_message::{NameAddr, StatusCode, Uri};
use tokio::sync::oneshot;

use crate::{Call, Error};

/// A request of a handle. A dropped reply is harmless: the handle has lost interest.
pub(crate) enum Command {
    /// The reply is a handle, so that a caller who has lost interest ends the call by dropping it.
    Call {
        target: Box<Uri>,
        from: Box<NameAddr>,
        reply: Reply<Call>,
    },
    Verb {
        call: CallId,
        verb: Verb,
        reply: Reply<()>,
    },
    Play {
        call: CallId,
        source: Box<dyn Source>,
        reply: Reply<oneshot::Receiver<()>>,
    },
    Record {
        call: CallId,
        sink: Box<dyn Sink>,
        reply: Reply<()>,
    },
    Statistics {
        call: CallId,
        reply: Reply<CallStatistics>,
    },
    /// The last handle of a call is gone.
    Abandon {
        call: CallId,
    },
    /// End all calls, then stop.
    Close,
}

/// What a call's owner may do with it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verb {
    Ring,
    Answer,
    Reject(StatusCode),
    HangUp,
}

pub(crate) type Reply<T> = oneshot::Sender<Result<T, Error>>;
