//! Transfers (RFC 5589): the handle of one that this side asks for, and of one that it is asked for.

use offhook_core::CallId;
use offhook_sip::{Referral, ReferralId};
use offhook_sip_message::{NameAddr, StatusCode};
use tokio::sync::{mpsc, oneshot, watch};

use crate::{Call, Error, command::Command, uri};

impl Call {
    /// Asks the far side to call `target` in place of this call: a blind transfer (RFC 5589 §6).
    /// Returns when the REFER is on its way.
    ///
    /// This call goes on. After a success hang it up, or the far side does; after a failure talk on.
    ///
    /// # Errors
    ///
    /// If the call does not stand, or `target` is no URI.
    pub async fn transfer(&self, target: &str) -> Result<Transfer, Error> {
        let (call, refer_to) = (self.shared.id, NameAddr::new(uri(target)?));
        self.ask(|reply| Command::Transfer { call, refer_to: Box::new(refer_to), reply }).await
    }

    /// Asks the far side to take the place of this side in `other`: an attended transfer (RFC 5589 §7,
    /// RFC 3891). Both calls are of one endpoint. A success ends `other`.
    ///
    /// # Errors
    ///
    /// If one of the calls does not stand.
    pub async fn transfer_to(&self, other: &Self) -> Result<Transfer, Error> {
        let (call, other) = (self.shared.id, other.shared.id);
        self.ask(|reply| Command::TransferTo { call, other, reply }).await
    }

    /// The call of this endpoint whose place this incoming call takes when it is answered (RFC 3891):
    /// whether it is `other`.
    pub fn replaces(&self, other: &Self) -> bool {
        self.shared.told.replaces.is_some_and(|replaced| replaced == other.shared.id)
    }

    /// The call of this endpoint that this incoming call wants to take part in, as in a conference
    /// (RFC 3911): whether it is `other`. [`Builder::take_joins`](crate::Builder::take_joins) lets
    /// such calls in; whoever answers one mixes the sound of both.
    pub fn joins(&self, other: &Self) -> bool {
        self.shared.told.joins.is_some_and(|joined| joined == other.shared.id)
    }
}

/// A transfer that the far side of a call was asked for. Dropped, nothing more is heard of it; what
/// was asked for goes on (RFC 3515 §2.4.4).
#[derive(Debug)]
pub struct Transfer {
    pub(crate) news: watch::Receiver<TransferNews>,
}

/// How a transfer goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TransferNews {
    /// What the far side has told last of the new call.
    pub(crate) status: Option<StatusCode>,
    /// How it has ended; `None` inside: nobody has told.
    pub(crate) end: Option<Option<StatusCode>>,
}

impl Transfer {
    /// Waits for the next sign of the new call, such as 180 when it rings.
    ///
    /// # Errors
    ///
    /// [`Error::TransferUntold`] if no more is told.
    pub async fn progress(&mut self) -> Result<StatusCode, Error> {
        loop {
            let (status, ended, changed) = {
                let changed = self.news.has_changed().is_ok_and(|changed| changed);
                let news = self.news.borrow_and_update();
                (news.status, news.end.is_some(), changed)
            };
            match status {
                Some(status) if changed => return Ok(status),
                _ if ended => return Err(Error::TransferUntold),
                _ => {}
            }
            // Marks nothing as seen: what comes is looked at above.
            self.wait().await?;
        }
    }

    async fn wait(&mut self) -> Result<(), Error> {
        let known = self.news.borrow().clone();
        self.news.wait_for(|news| *news != known).await.map_err(|_| Error::Closed)?;
        self.news.mark_changed();
        Ok(())
    }

    /// Waits until the far side is connected where it was sent.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if it refuses to call, or its call fails: with the status.
    /// [`Error::TransferUntold`] if it does not tell.
    pub async fn finished(&mut self) -> Result<(), Error> {
        let news = self.news.wait_for(|news| news.end.is_some()).await;
        let end = news.map_err(|_| Error::Closed)?.end.flatten();
        match end {
            Some(status) if status.is_success() => Ok(()),
            Some(status) if status.is_final() => Err(Error::Refused { status }),
            Some(_) | None => Err(Error::TransferUntold),
        }
    }
}

/// Someone asks this side to call somebody: taken with
/// [`Endpoint::incoming_transfer`](crate::Endpoint::incoming_transfer).
///
/// Accept it only from whom you trust to spend your calls. Dropped without an answer it is refused
/// (603).
#[derive(Debug)]
pub struct IncomingTransfer {
    id: ReferralId,
    referral: Box<Referral>,
    call: Option<CallId>,
    /// `None` once it is answered.
    commands: Option<mpsc::UnboundedSender<Command>>,
}

impl IncomingTransfer {
    pub(crate) const fn new(
        id: ReferralId,
        referral: Box<Referral>,
        call: Option<CallId>,
        commands: mpsc::UnboundedSender<Command>,
    ) -> Self {
        Self { id, referral, call, commands: Some(commands) }
    }

    /// Who asks.
    pub fn from(&self) -> &NameAddr {
        &self.referral.request.from().address
    }

    /// Whom to call.
    pub fn target(&self) -> &NameAddr {
        &self.referral.refer_to
    }

    /// On whose behalf, as it claims (RFC 3892).
    pub fn referred_by(&self) -> Option<&NameAddr> {
        self.referral.referred_by.as_ref()
    }

    /// Whether the far side of `call` asks. One that comes outside of calls may ask for a new one.
    pub fn is_of(&self, call: &Call) -> bool {
        self.call == Some(call.shared.id)
    }

    /// Does it: places the call, with the `Replaces` that an attended transfer brings, and tells the
    /// one who has asked how it goes. The call that it was asked in goes on: hang it up, or let the
    /// one who has asked do so.
    ///
    /// # Errors
    ///
    /// If the transfer is over by now, the target cannot be called, or as for
    /// [`Endpoint::call`](crate::Endpoint::call).
    pub async fn accept(mut self) -> Result<Call, Error> {
        let commands = self.commands.take().ok_or(Error::Closed)?;
        let (reply, answer) = oneshot::channel();
        let (id, referral) = (self.id, self.referral.clone());
        let command = Command::AcceptTransfer { id, referral, call: self.call, reply };
        commands.send(command).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Refuses with `status`, 300 to 699, such as 603.
    ///
    /// # Errors
    ///
    /// If the transfer is over by now.
    pub async fn reject(mut self, status: StatusCode) -> Result<(), Error> {
        let commands = self.commands.take().ok_or(Error::Closed)?;
        let (reply, answer) = oneshot::channel();
        let command = Command::RejectTransfer { id: self.id, status, reply: Some(reply) };
        commands.send(command).map_err(|_| Error::Closed)?;
        answer.await.map_err(|_| Error::Closed)?
    }

    /// Nobody is there to answer it: the driver does.
    pub(crate) fn forget(mut self) {
        self.commands = None;
    }
}

impl Drop for IncomingTransfer {
    fn drop(&mut self) {
        if let Some(commands) = self.commands.take() {
            let status = StatusCode::DECLINE;
            // A closed driver has refused it already.
            let _ = commands.send(Command::RejectTransfer { id: self.id, status, reply: None });
        }
    }
}
