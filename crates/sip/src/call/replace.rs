//! Calls that take the place of another call, or join it (RFC 3891, RFC 3911).
//!
//! 1. An INVITE names a dialog in `Replaces` or `Join`; it has to be one of a call of this side.
//! 2. The owner is told which call it is, and decides whether the caller may.
//! 3. When a call that replaces another is answered, the other one is hung up.

use std::time::Instant;

use offhook_sip_message::{
    CallId as CallIdField, HeaderName, Join, Method, Replaces, StatusCode, Text, Uri, ValidRequest,
};

use super::{CallId, Calls, State};
use crate::{Config, Error, dialog::DialogId, transaction::TransactionLayer};

/// The calls that an INVITE speaks of.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Named {
    pub(super) replaces: Option<CallId>,
    pub(super) joins: Option<CallId>,
}

impl Calls {
    /// The calls that a first INVITE names, or the status to refuse it with.
    pub(super) fn named(
        &self,
        config: &Config,
        invite: &ValidRequest,
    ) -> Result<Named, StatusCode> {
        let mut named = Named::default();
        let bad = |_| StatusCode::BAD_REQUEST;
        let replaces = match config.replaces {
            true => invite.header::<Replaces>().map_err(bad)?,
            false => None,
        };
        let join = match config.join {
            true => invite.header::<Join>().map_err(bad)?,
            false => None,
        };
        if replaces.is_some() && join.is_some() {
            return Err(StatusCode::BAD_REQUEST);
        }
        if let Some(it) = replaces {
            let call = self.matching(it.call_id(), it.to_tag(), it.from_tag())?;
            named.replaces = Some(self.replaceable(call, it.is_early_only())?);
        }
        if let Some(it) = join {
            let call = self.matching(it.call_id(), it.to_tag(), it.from_tag())?;
            named.joins = Some(self.live_one(call)?);
        }
        Ok(named)
    }

    /// The call of the dialog with these tags, of our side and of the other (RFC 3891 §3).
    fn matching(&self, call_id: &CallIdField, to: &str, from: &str) -> Result<CallId, StatusCode> {
        let id =
            |remote_tag| DialogId { call_id: call_id.0.clone(), local_tag: to.into(), remote_tag };
        // A tag of 0 also stands for no tag (RFC 3891 §6.1).
        let without = (from == "0").then(|| id(None));
        let ids = [Some(id(Some(from.into()))), without];
        let mut found = ids.iter().flatten().filter_map(|id| self.dialogs.get(id));
        match (found.next(), found.next()) {
            (Some(call), None) => Ok(*call),
            // More than one match is none.
            (Some(_), Some(_)) => Err(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST),
            (None, _) if ids.iter().flatten().any(|id| self.ended.contains(id)) => {
                Err(StatusCode::DECLINE)
            }
            (None, _) => Err(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST),
        }
    }

    /// Whether the call may be replaced (RFC 3891 §3).
    fn replaceable(&self, call: CallId, early_only: bool) -> Result<CallId, StatusCode> {
        let call = self.live_one(call)?;
        match self.get(call).map(|call| &call.state) {
            Ok(State::Standing(_)) if early_only => Err(StatusCode::BUSY_HERE),
            // An early dialog that we did not begin.
            Ok(State::Ringing(_)) => Err(StatusCode::CALL_OR_TRANSACTION_DOES_NOT_EXIST),
            _ => Ok(call),
        }
    }

    /// A call that has not been hung up.
    fn live_one(&self, call: CallId) -> Result<CallId, StatusCode> {
        match self.get(call).map(|call| &call.state) {
            Ok(State::Calling(_) | State::Ringing(_)) => Ok(call),
            Ok(State::Standing(session)) if !session.hung_up => Ok(call),
            Ok(State::Standing(_) | State::Leaving(_)) | Err(_) => Err(StatusCode::DECLINE),
        }
    }

    /// A call was answered: the one that it replaces is hung up (RFC 3891 §3).
    pub(super) fn replace(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        replaced: Option<CallId>,
    ) {
        if let Some(replaced) = replaced {
            // It may have ended while the new one rang.
            let _ = self.hang_up(layer, now, replaced);
        }
    }

    /// Keeps in mind that a dialog is over, for the INVITE that would replace it (RFC 3891 §3).
    pub(super) fn bury(&mut self, dialog: &DialogId) {
        if self.ended.len() >= MOST_ENDED {
            self.ended.pop_front();
        }
        // Copies, so that no whole message is kept for them.
        let copy = |text: &Text| Text::from(String::from(text.as_str()));
        self.ended.push_back(DialogId {
            call_id: copy(&dialog.call_id),
            local_tag: copy(&dialog.local_tag),
            remote_tag: dialog.remote_tag.as_ref().map(copy),
        });
    }

    /// The `Replaces` by which somebody takes our place in a call (RFC 3891 §4).
    pub(crate) fn replaces(&self, call: CallId) -> Result<Replaces, Error> {
        let wrong = Error::WrongState {
            verb: "replaces",
            expected: "a call that stands, or one of the peer's that rings (RFC 3891 §4)",
        };
        if matches!(self.get(call)?.state, State::Calling(_)) {
            return Err(wrong);
        }
        let (id, local, remote) = self.names(call).ok_or(wrong)?;
        Ok(Replaces::new(id, remote, local))
    }

    /// The `Join` by which somebody joins a call (RFC 3911 §5).
    pub(crate) fn join(&self, call: CallId) -> Result<Join, Error> {
        self.get(call)?;
        let (id, local, remote) = self.names(call).ok_or(Error::NoFork)?;
        Ok(Join::new(id, remote, local))
    }

    /// Where the peer of a call is reached: its `Contact`.
    pub(crate) fn remote_target(&self, call: CallId) -> Result<Uri, Error> {
        self.get(call)?;
        let mut usages = self.usages(call);
        match (usages.next(), usages.next()) {
            (Some(usage), None) => Ok(usage.dialog.remote_target().clone()),
            _ => Err(Error::NoFork),
        }
    }

    /// The only dialog of a call: its Call-ID, our tag and the peer's.
    fn names(&self, call: CallId) -> Option<(CallIdField, Text, Text)> {
        let mut usages = self.usages(call);
        let usage = usages.next().filter(|_| usages.next().is_none())?;
        let DialogId { call_id, local_tag, remote_tag } = usage.dialog.id().clone();
        let remote = remote_tag.unwrap_or_else(|| Text::from_static("0"));
        Some((CallIdField(call_id), local_tag, remote))
    }
}

/// Whether a request other than INVITE carries what only an INVITE may (RFC 3891 §3, RFC 3911 §4).
pub(super) fn is_misplaced(config: &Config, request: &ValidRequest) -> bool {
    let fields = [(HeaderName::REPLACES, config.replaces), (HeaderName::JOIN, config.join)];
    let mut taken = fields.into_iter().filter(|(_, taken)| *taken);
    request.method() != Method::INVITE && taken.any(|(name, _)| request.headers().count(name) > 0)
}

/// The option tag of RFC 3891 §6.2.
pub(super) const REPLACES: &str = "replaces";
/// The option tag of RFC 3911 §7.2.
pub(super) const JOIN: &str = "join";
/// How many dialogs that are over are remembered: those of the last seconds in a busy place.
const MOST_ENDED: usize = 100;
