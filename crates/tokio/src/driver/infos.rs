//! INFO within calls: what the far side tells, and what it says to what is told here.

use std::time::Instant;

use offhook_core::CallId;
use offhook_sip::{Info, InfoId};
use offhook_sip_message::StatusCode;
use tokio::sync::{Mutex, broadcast};

use super::{Driver, no_call, respond};
use crate::{IncomingInfo, command::Reply};

impl Driver {
    /// Both ends of what a new call tells by INFO, if that is taken.
    pub(super) fn infos(&self) -> Infos {
        let taken = self.core.takes_info().then(|| broadcast::channel(WAITING));
        let (told, heard) = taken.unzip();
        (told, heard.map(Mutex::new))
    }

    /// What an INFO of a handle was answered with.
    pub(super) fn info_answered(&mut self, call: CallId, info: InfoId, status: StatusCode) {
        let Some(live) = self.calls.get_mut(&call) else { return };
        let Some(place) = live.telling.iter().position(|(id, _)| *id == info) else { return };
        respond(live.telling.swap_remove(place).1, Ok(status));
    }

    /// The far side tells something.
    pub(super) fn info_heard(&mut self, call: CallId, info: IncomingInfo) {
        if let Some(infos) = self.calls.get(&call).and_then(|live| live.infos.as_ref()) {
            // A handle that is gone hears nothing.
            let _ = infos.send(info);
        }
    }

    pub(super) fn send_info(&mut self, call: CallId, info: Info, reply: Reply<StatusCode>) {
        let Some(live) = self.calls.get_mut(&call) else { return respond(reply, Err(no_call())) };
        match self.core.info(Instant::now(), call, info) {
            Ok(id) => live.telling.push((id, reply)),
            Err(error) => respond(reply, Err(error.into())),
        }
    }
}

/// Where INFOs are put, and where a handle finds them.
type Infos =
    (Option<broadcast::Sender<IncomingInfo>>, Option<Mutex<broadcast::Receiver<IncomingInfo>>>);

/// How many INFOs of one call may wait for its owner.
const WAITING: usize = 32;
