//! INFO within calls (RFC 6086).

use std::time::Instant;

use offhook_sip::{CallId, Info, InfoId};
use offhook_sip_message::Method;

use crate::{Endpoint, Error};

impl Endpoint {
    /// Whether INFO is taken: `allow` and `info_packages` or `info_types` of `Config::sip`.
    pub fn takes_info(&self) -> bool {
        self.config.sip.allow.contains(&Method::INFO)
    }

    /// Tells the peer of a call something by INFO: [`Event::InfoAnswered`](crate::Event::InfoAnswered)
    /// follows, unless the call ends before.
    ///
    /// # Errors
    ///
    /// As for [`UserAgent::info`](offhook_sip::UserAgent::info).
    pub fn info(&mut self, now: Instant, call: CallId, info: Info) -> Result<InfoId, Error> {
        let id = self.agent.info(now, call, info)?;
        self.pump(now);
        Ok(id)
    }
}
