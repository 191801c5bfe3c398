//! Transfers (RFC 3515, RFC 5589): asking the peer of a call to call somebody else, and being asked.

use std::time::Instant;

use offhook_sip::{CallId, Refer, ReferId, ReferralId};
use offhook_sip_message::{StatusCode, Uri};

use crate::{Endpoint, Error};

impl Endpoint {
    /// Asks the peer of a call to call somebody else (RFC 3515 §2.4.1). What becomes of it comes as
    /// [`Event::Refer`](crate::Event::Refer); the call goes on until somebody hangs up.
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::refer`](offhook_sip::UserAgent::refer).
    pub fn refer(&mut self, now: Instant, call: CallId, refer: Refer) -> Result<ReferId, Error> {
        let id = self.agent.refer(now, call, refer)?;
        self.pump(now);
        Ok(id)
    }

    /// Whom to name in a [`Refer`] so that the one who is referred takes this side's place in `call`:
    /// an attended transfer (RFC 5589 §7).
    ///
    /// # Errors
    ///
    /// If the call does not stand.
    pub fn replacing(&self, call: CallId) -> Result<Uri, Error> {
        Ok(self.agent.replacing(call)?)
    }

    /// Wants to hear no more of a REFER (RFC 3515 §2.4.4).
    ///
    /// # Errors
    ///
    /// If nothing more is told of it.
    pub fn forget_refer(&mut self, now: Instant, id: ReferId) -> Result<(), Error> {
        self.agent.forget_refer(now, id)?;
        self.pump(now);
        Ok(())
    }

    /// Takes a REFER of [`Event::Referral`](crate::Event::Referral): 202, and its progress can be told.
    ///
    /// # Errors
    ///
    /// If it was answered, or is over.
    pub fn accept_refer(&mut self, now: Instant, id: ReferralId) -> Result<(), Error> {
        self.agent.accept_refer(now, id, None)?;
        self.pump(now);
        Ok(())
    }

    /// Refuses a REFER with `status`, 300 to 699.
    ///
    /// # Errors
    ///
    /// As for [`accept_refer`](Self::accept_refer), and if the status is another.
    pub fn reject_refer(
        &mut self,
        now: Instant,
        id: ReferralId,
        status: StatusCode,
    ) -> Result<(), Error> {
        self.agent.reject_refer(now, id, status, &[])?;
        self.pump(now);
        Ok(())
    }

    /// Tells how it goes with the call that was asked for (RFC 3515 §2.4.5). A final status is the
    /// last word.
    ///
    /// # Errors
    ///
    /// If the REFER was not accepted, or nothing more is told of it.
    pub fn report_refer(
        &mut self,
        now: Instant,
        id: ReferralId,
        status: StatusCode,
    ) -> Result<(), Error> {
        self.agent.report_refer(now, id, status)?;
        self.pump(now);
        Ok(())
    }
}
