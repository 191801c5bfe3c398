//! The INVITE usage of one dialog, early or confirmed, and what is being asked in it beside INVITE.

use std::time::Instant;

use offhook_sip_message::{Headers, Method, RAck, StatusCode, Text, ValidRequest};

use super::{
    CallId, Calls, State, described::Described, info, offer::Offers, session_timer::Lifetime,
};
use crate::{
    Error, Fork,
    dialog::{Dialog, DialogId},
    transaction::{TransactionId, TransactionLayer},
};

/// A dialog and the session that is negotiated in it.
#[derive(Clone, Debug)]
pub(crate) struct Usage {
    pub(crate) fork: Fork,
    pub(crate) dialog: Dialog,
    pub(crate) offers: Offers,
    /// The peer's UPDATE or PRACK whose offer waits for the user's answer.
    pub(crate) asked: Option<Asked>,
    /// Our UPDATE that has no final answer.
    pub(crate) updating: Option<TransactionId>,
    /// The last reliable provisional response that came in order (RFC 3262 §4).
    pub(crate) heard: Option<RAck>,
    /// The one whose offer waits for the user's answer, to be given in the PRACK.
    pub(crate) owed: Option<RAck>,
    pub(crate) described: Described,
    pub(crate) lifetime: Lifetime,
    /// The info packages that the peer takes (RFC 6086 §5.2.2).
    pub(crate) takes_packages: Vec<Text>,
}

/// A request of the peer that waits for the user.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) transaction: TransactionId,
    pub(crate) request: ValidRequest,
}

impl Usage {
    pub(crate) fn new(fork: Fork, dialog: Dialog, offers: Offers) -> Self {
        Self {
            fork,
            dialog,
            offers,
            asked: None,
            updating: None,
            heard: None,
            owed: None,
            described: Described::default(),
            lifetime: Lifetime::default(),
            takes_packages: Vec::new(),
        }
    }

    /// Takes the `Recv-Info` of a message that counts: what is refused sets nothing
    /// (RFC 6086 §5.2.4).
    pub(crate) fn learn_packages(&mut self, headers: &Headers) {
        if let Some(packages) = info::packages(headers) {
            self.takes_packages = packages;
        }
    }

    /// Whether the PRACK that came last waits for its answer.
    pub(crate) fn is_asked_in_prack(&self) -> bool {
        self.asked.as_ref().is_some_and(|asked| asked.request.method() == Method::PRACK)
    }

    /// Answers what the peer waits for: the dialog is over, or no part of the call any more.
    pub(crate) fn dismiss(
        &mut self,
        layer: &mut TransactionLayer,
        now: Instant,
        status: StatusCode,
    ) {
        let Some(asked) = self.asked.take() else { return };
        asked.reply(layer, now, status);
    }
}

impl Asked {
    /// Answers without a word more.
    pub(crate) fn reply(self, layer: &mut TransactionLayer, now: Instant, status: StatusCode) {
        let mut reply = layer.reply(&self.request, status, "");
        if status.is_success() {
            reply = info::tell(layer, &self.request, reply);
        }
        let reply = reply.build();
        if let Some(response) = layer.built(reply) {
            layer.respond(now, self.transaction, &response);
        }
    }
}

impl Calls {
    /// The usages of a call: several while we call, one later, none while we leave.
    pub(super) fn usages(&self, id: CallId) -> impl Iterator<Item = &Usage> {
        let (many, one) = match self.get(id).map(|call| &call.state) {
            Ok(State::Calling(caller)) => (&caller.forks[..], None),
            Ok(State::Ringing(callee)) => (&[][..], Some(&callee.usage)),
            Ok(State::Standing(session)) => (&[][..], Some(&session.usage)),
            Ok(State::Leaving(_)) | Err(_) => (&[][..], None),
        };
        many.iter().chain(one)
    }

    pub(super) fn usages_mut(&mut self, id: CallId) -> impl Iterator<Item = &mut Usage> {
        let (many, one) = match self.get_mut(id).map(|call| &mut call.state) {
            Ok(State::Calling(caller)) => (&mut caller.forks[..], None),
            Ok(State::Ringing(callee)) => (&mut [][..], Some(&mut callee.usage)),
            Ok(State::Standing(session)) => (&mut [][..], Some(&mut session.usage)),
            Ok(State::Leaving(_)) | Err(_) => (&mut [][..], None),
        };
        many.iter_mut().chain(one)
    }

    /// Whether the peer knows of a dialog that `verb` could send a request in.
    pub(super) fn check_dialog(&self, id: CallId, verb: &'static str) -> Result<(), Error> {
        match &self.get(id)?.state {
            State::Ringing(callee) if !callee.invitation.has_dialog() => {
                let expected = "a dialog: no provisional response has gone out (RFC 3261 §12.1.1)";
                Err(Error::WrongState { verb, expected })
            }
            _ => Ok(()),
        }
    }

    /// The usage of a dialog, found by a message.
    pub(super) fn usage_of(&mut self, id: CallId, dialog: &DialogId) -> Option<&mut Usage> {
        self.usages_mut(id).find(|usage| usage.dialog.id() == dialog)
    }

    /// The usage that the user names; without a name the only one.
    pub(super) fn usage(&mut self, id: CallId, fork: Option<Fork>) -> Result<&mut Usage, Error> {
        self.get(id)?;
        let several = self.usages(id).count() > 1;
        let mut usages = self.usages_mut(id);
        let usage = match fork {
            Some(fork) => usages.find(|usage| usage.fork == fork),
            None if several => None,
            None => usages.next(),
        };
        usage.ok_or(Error::NoFork)
    }
}
