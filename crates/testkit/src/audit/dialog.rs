//! A dialog as one of its parties knows it (RFC 3261 §12).

use std::time::{Duration, Instant};

use offhook_sip_message::{Refresher, Uri};

use super::{description::Description, scene::Said, sip::Sip};

/// What a party remembers of a dialog.
#[derive(Debug)]
pub(super) struct Dialog {
    pub(super) local_tag: String,
    pub(super) remote_tag: String,
    /// Whether the party sent the request that made it.
    pub(super) is_caller: bool,
    pub(super) local_cseq: Option<u32>,
    /// The remote target; two while it is being changed.
    pub(super) targets: Vec<Uri>,
    pub(super) route_set: Vec<Uri>,
    pub(super) is_confirmed: bool,
    /// When the party has sent a BYE, and when the dialog was over for it.
    pub(super) bye_at: Option<Instant>,
    pub(super) over_at: Option<Instant>,
    /// When a BYE of the peer has ended the early dialog of the same name.
    pub(super) early_over_at: Option<Instant>,
    /// The last description that the party has sent.
    pub(super) description: Option<Description>,
    pub(super) session: Option<SessionTimer>,
}

/// A session that has to be refreshed (RFC 4028).
#[derive(Clone, Debug)]
pub(super) struct SessionTimer {
    pub(super) from: Instant,
    pub(super) interval: Duration,
    /// Whether the party itself is the refresher.
    pub(super) is_own: bool,
}

impl Dialog {
    /// The dialog that `request` makes, by `response`. `is_caller`: the party has sent `request`.
    pub(super) fn new(request: &Sip, response: &Sip, is_caller: bool) -> Self {
        let (from, to) = (request.from_tag.clone(), response.to_tag.clone().unwrap_or_default());
        let (local_tag, remote_tag) = if is_caller { (from, to) } else { (to, from) };
        let description = if is_caller { request.description.clone() } else { None };
        let mut dialog = Self {
            local_tag,
            remote_tag,
            is_caller,
            local_cseq: is_caller.then_some(request.cseq),
            targets: Vec::new(),
            route_set: Vec::new(),
            is_confirmed: false,
            bye_at: None,
            over_at: None,
            early_over_at: None,
            description,
            session: None,
        };
        dialog.learn(request, response);
        dialog
    }

    /// The dialog that `notify` makes, which follows the `request` of the party.
    pub(super) fn of_notify(request: &Sip, notify: &Sip) -> Self {
        Self {
            local_tag: request.from_tag.clone(),
            remote_tag: notify.from_tag.clone(),
            is_caller: true,
            local_cseq: Some(request.cseq),
            targets: notify.contact().into_iter().collect(),
            route_set: notify.record_routes(),
            is_confirmed: true,
            bye_at: None,
            over_at: None,
            early_over_at: None,
            description: None,
            session: None,
        }
    }

    /// Takes the route set and the target from the messages that make the dialog: a 2xx corrects
    /// what a provisional response has told (RFC 3261 §12.1.2, §13.2.2.4).
    pub(super) fn learn(&mut self, request: &Sip, response: &Sip) {
        self.route_set = match self.is_caller {
            true => response.record_routes().into_iter().rev().collect(),
            false => request.record_routes(),
        };
        let target = if self.is_caller { response.contact() } else { request.contact() };
        if let Some(target) = target {
            self.targets = vec![target];
        }
        if response.is_success() {
            self.is_confirmed = true;
            // A BYE that came before has ended the early dialog; this one is another.
            self.early_over_at = self.early_over_at.or(self.over_at.take());
        }
    }

    pub(super) fn is(&self, local_tag: &str, remote_tag: &str) -> bool {
        self.local_tag == local_tag && self.remote_tag == remote_tag
    }

    /// The peer may have moved: both targets are right until its request is answered.
    pub(super) fn may_move(&mut self, request: &Sip) {
        self.targets.truncate(1);
        self.targets.extend(request.contact());
    }

    /// The peer has moved.
    pub(super) fn move_to(&mut self, message: &Sip) {
        if let Some(target) = message.contact() {
            self.targets = vec![target];
        }
    }

    /// A 2xx to INVITE or UPDATE sets the session timer anew, or ends it (RFC 4028 §7.2, §9).
    pub(super) fn time_session(&mut self, said: &Said, is_uac: bool) {
        self.session = said.sip.session_expires().and_then(|expires| {
            let is_own = match expires.refresher()? {
                Refresher::Uac => is_uac,
                Refresher::Uas => !is_uac,
            };
            let interval = Duration::from_secs(expires.seconds.into());
            Some(SessionTimer { from: said.at, interval, is_own })
        });
    }
}
