//! Requests in a dialog that are not about its session (RFC 3261 §12.2.2): their method is served
//! outside of calls.

use offhook_sip_message::{StatusCode, ValidRequest};

use super::{CallId, Calls};
use crate::dialog::DialogId;

impl Calls {
    /// The call that `request` was sent in; `Ok(None)` if it was sent outside of dialogs.
    ///
    /// # Errors
    ///
    /// The status to refuse it with: it is out of order, or belongs to no dialog of this side.
    pub(crate) fn call_of(&mut self, request: &ValidRequest) -> Result<Option<CallId>, StatusCode> {
        let Some(dialog) = DialogId::of_request(request) else { return Ok(None) };
        let unknown = StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST;
        let call = self.dialogs.get(&dialog).copied().ok_or(unknown)?;
        let dialog = self.dialog_mut(call, &dialog).ok_or(unknown)?;
        match dialog.receive_cseq(request.cseq().number) {
            true => Ok(Some(call)),
            false => Err(StatusCode::SERVER_INTERNAL_ERROR),
        }
    }
}
