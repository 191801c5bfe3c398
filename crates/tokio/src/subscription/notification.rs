//! What a notifier has told.

use bytes::Bytes;
use offhook_sip_message::{ContentType, SubscriptionState, ValidRequest};

/// One notification (RFC 6665 §4.1.3). It was answered with 200.
#[derive(Clone, Debug)]
pub struct Notification {
    state: SubscriptionState,
    request: ValidRequest,
}

impl Notification {
    pub(crate) const fn new(state: SubscriptionState, request: ValidRequest) -> Self {
        Self { state, request }
    }

    /// What has become of the subscription, with its reason and times.
    pub const fn state(&self) -> &SubscriptionState {
        &self.state
    }

    /// The state of the resource; empty if nothing is told of it.
    pub fn body(&self) -> Bytes {
        self.request.body()
    }

    /// The type of the body, if it has one that can be read.
    pub fn content_type(&self) -> Option<ContentType> {
        self.request.header::<ContentType>().ok().flatten()
    }

    /// The body as text, if it is UTF-8.
    pub fn text(&self) -> Option<String> {
        String::from_utf8(self.body().to_vec()).ok()
    }

    /// Who tells, of several that a forked SUBSCRIBE has reached: its tag in the dialog. A
    /// subscription that was lost and asked for again has a new one.
    pub fn notifier(&self) -> &str {
        self.request.from().tag().unwrap_or_default()
    }

    /// The NOTIFY.
    pub const fn request(&self) -> &ValidRequest {
        &self.request
    }
}
