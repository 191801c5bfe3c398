//! What names a dialog (RFC 3261 §12).

use offhook_sip_message::{Text, ValidRequest, ValidResponse};

/// Call-ID, local tag and remote tag. RFC 2543 peers have no tag.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct DialogId {
    pub(crate) call_id: Text,
    pub(crate) local_tag: Text,
    pub(crate) remote_tag: Option<Text>,
}

impl DialogId {
    /// The dialog that `invite` makes at its callee, who answers with `tag`.
    pub(crate) fn of_callee(invite: &ValidRequest, tag: &str) -> Self {
        Self {
            call_id: invite.call_id().0.clone(),
            local_tag: tag.into(),
            remote_tag: invite.from().tag().map(Text::from),
        }
    }

    /// The dialog that `response` makes at the caller. All but the remote tag is what we sent.
    pub(crate) fn of_caller(invite: &ValidRequest, response: &ValidResponse) -> Self {
        Self {
            call_id: invite.call_id().0.clone(),
            local_tag: invite.from().tag().unwrap_or_default().into(),
            remote_tag: response.to().tag().map(Text::from),
        }
    }

    /// The dialog that a request of ours is sent in, or is to make.
    pub(crate) fn of_own(request: &ValidRequest) -> Self {
        Self {
            call_id: request.call_id().0.clone(),
            local_tag: request.from().tag().unwrap_or_default().into(),
            remote_tag: request.to().tag().map(Text::from),
        }
    }

    /// The dialog that a request of the peer is sent in; `None` if it is sent in none.
    pub(crate) fn of_request(request: &ValidRequest) -> Option<Self> {
        let tag = request.to().tag()?;
        Some(Self::of_callee(request, tag))
    }
}
