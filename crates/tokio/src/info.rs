//! INFO within calls (RFC 6086): events of an info package, or DTMF digits of old.

use offhook_sip::{Body, Info};
use offhook_sip_message::{InfoPackage, StatusCode};

use tokio::sync::broadcast::error::RecvError;
use tracing::debug;

use crate::{Call, Error, command::Command};

/// What the far side has told by INFO.
#[derive(Clone, Debug)]
pub struct IncomingInfo {
    /// Its package; `None` for the ways of old, such as `application/dtmf-relay`.
    pub package: Option<InfoPackage>,
    /// What it says.
    pub body: Option<Body>,
}

impl Call {
    /// Tells the far side something by INFO, and waits until it has it.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if it does not take it, or nobody answers (408). If it has not said that it
    /// takes the package, or the call has no dialog.
    pub async fn send_info(&self, info: Info) -> Result<(), Error> {
        let call = self.shared.id;
        let status: StatusCode =
            self.ask(|reply| Command::Info { call, info: Box::new(info), reply }).await?;
        if status.is_success() { Ok(()) } else { Err(Error::Refused { status }) }
    }

    /// Waits for the next INFO of the far side. It is told of if [`Builder::info`](crate::Builder::info)
    /// takes it; of more than 32 that wait the first are lost.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if the call ends before that.
    pub async fn info(&self) -> Result<IncomingInfo, Error> {
        let next = self.shared.told.infos.as_ref().ok_or(Error::Closed)?;
        let mut infos = next.lock().await;
        loop {
            match infos.recv().await {
                Ok(info) => return Ok(info),
                Err(RecvError::Lagged(lost)) => debug!(lost, "INFOs that nobody has taken"),
                Err(RecvError::Closed) => return Err(self.gone()),
            }
        }
    }
}
