//! Calls whose media is elsewhere: the verbs of back-to-back user agents and controllers, who bring
//! the session descriptions themselves (RFC 3725, RFC 7092).

use std::sync::atomic::Ordering;

use bytes::Bytes;
use offhook_core::Fork;
use offhook_sip_message::StatusCode;

use crate::{
    Call, Error,
    call::Status,
    command::{Command, Described},
};

impl Call {
    /// The session description in the INVITE of a call that has come in; `None`: the caller wants an
    /// offer. It is there if [`Builder::check_offers`](crate::Builder::check_offers) is off.
    pub fn offer(&self) -> Option<&Bytes> {
        self.shared.told.offer.as_ref()
    }

    /// The last description of the peer that answers one of the owner's, be it a preview in a
    /// provisional response.
    pub fn description(&self) -> Option<Bytes> {
        self.shared.status.borrow().description.clone()
    }

    /// Sends a provisional response, 101 to 199, to an incoming call, such as 183 with a description.
    ///
    /// # Errors
    ///
    /// If the call does not wait for an answer, or has media here.
    pub async fn progress_with(
        &self,
        status: StatusCode,
        description: Option<Bytes>,
    ) -> Result<(), Error> {
        self.describe(Described::Progress(status, description)).await
    }

    /// Takes an incoming call with a description of the owner's: the answer to [`offer`](Self::offer),
    /// or an offer if there is none; `None` if a reliable provisional response has brought it. No
    /// media socket is opened.
    ///
    /// # Errors
    ///
    /// If the call does not wait for an answer, or has media here.
    pub async fn answer_with(&self, description: Option<Bytes>) -> Result<(), Error> {
        self.describe(Described::Answer(description)).await
    }

    /// Waits until the far side has answered a call that was placed with an offer of the owner's, and
    /// gives its description.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if the call ends instead, and a core error if the answer has no description.
    pub async fn answered_with(&self) -> Result<Bytes, Error> {
        self.answered().await?;
        self.description().ok_or(Error::Core(offhook_core::Error::NoMedia))
    }

    /// Waits for an offer of the peer: in a re-INVITE or an UPDATE, in a PRACK, or in the answer to
    /// an INVITE without one. Each is given once.
    ///
    /// # Errors
    ///
    /// [`Error::Ended`] if the call ends before that.
    pub async fn next_offer(&self) -> Result<PeerOffer, Error> {
        let seen = &self.shared.offers_seen;
        let offered = self
            .wait(|status| {
                let offered = status.offered.as_ref();
                offered.filter(|offered| offered.number > seen.load(Ordering::Relaxed)).cloned()
            })
            .await?;
        seen.store(offered.number, Ordering::Relaxed);
        Ok(PeerOffer {
            call: self.clone(),
            fork: offered.fork,
            content: offered.content,
            due: true,
        })
    }

    /// Asks the peer to change the session as an offer of the owner's says, and gives its answer.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] if the peer refuses: the session stays as it was. If the call has media
    /// here, or another change is under way.
    pub async fn modify(&self, offer: Bytes) -> Result<Bytes, Error> {
        let answer = self.modify_with(Some(offer)).await?;
        answer.ok_or(Error::Core(offhook_core::Error::NoMedia))
    }

    /// Asks the peer for an offer, by a re-INVITE without one (RFC 3725 §4.4).
    ///
    /// # Errors
    ///
    /// As for [`modify`](Self::modify).
    pub async fn ask_for_offer(&self) -> Result<PeerOffer, Error> {
        let content = self.modify_with(None).await?;
        Ok(PeerOffer { call: self.clone(), fork: None, content, due: true })
    }

    async fn modify_with(&self, offer: Option<Bytes>) -> Result<Option<Bytes>, Error> {
        let call = self.shared.id;
        self.ask(|reply| Command::Modify { call, offer, reply }).await
    }

    async fn describe(&self, described: Described) -> Result<(), Error> {
        let call = self.shared.id;
        self.ask(|reply| Command::Describe { call, described, reply: Some(reply) }).await
    }
}

/// An offer of the peer, in a call whose media is elsewhere: accept or reject it soon, since it expires.
///
/// Dropped, it is rejected with 488.
#[derive(Debug)]
pub struct PeerOffer {
    call: Call,
    fork: Option<Fork>,
    content: Option<Bytes>,
    /// Whether it waits for its answer.
    due: bool,
}

impl PeerOffer {
    /// The description; `None`: the peer wants an offer instead, and will answer it.
    pub fn description(&self) -> Option<&Bytes> {
        self.content.as_ref()
    }

    /// Gives the peer the description that it waits for.
    ///
    /// # Errors
    ///
    /// If the offer is withdrawn or has expired, or the call is over.
    pub async fn accept(mut self, description: Bytes) -> Result<(), Error> {
        self.due = false;
        self.call.describe(Described::Reply(self.fork, description)).await
    }

    /// Gives the peer an offer where it wants one, and waits for its answer.
    ///
    /// # Errors
    ///
    /// As for [`accept`](Self::accept), if the peer has made an offer itself, or the call ends before
    /// the answer comes.
    pub async fn offer(self, description: Bytes) -> Result<Bytes, Error> {
        if self.content.is_some() {
            return Err(Error::Core(offhook_core::Error::NotWaiting));
        }
        let call = self.call.clone();
        let before = call.shared.status.borrow().descriptions;
        self.accept(description).await?;
        let answer =
            |status: &Status| status.description.clone().filter(|_| status.descriptions > before);
        call.wait(answer).await
    }

    /// Refuses the change with `status`, 300 to 699: the session stays as it was. An offer in a
    /// response or in a PRACK cannot be refused: the call is hung up.
    ///
    /// # Errors
    ///
    /// As for [`accept`](Self::accept).
    pub async fn reject(mut self, status: StatusCode) -> Result<(), Error> {
        self.due = false;
        self.call.describe(Described::Refuse(self.fork, status)).await
    }
}

impl Drop for PeerOffer {
    fn drop(&mut self) {
        if self.due {
            let described = Described::Refuse(self.fork, StatusCode::NOT_ACCEPTABLE_HERE);
            let call = self.call.shared.id;
            // A closed driver has ended the call already.
            let _ =
                self.call.shared.commands.send(Command::Describe { call, described, reply: None });
        }
    }
}

/// An offer of the peer that was told of.
#[derive(Clone, Debug)]
pub(crate) struct Offered {
    pub(crate) number: u64,
    pub(crate) fork: Option<Fork>,
    pub(crate) content: Option<Bytes>,
}
