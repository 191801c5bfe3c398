//! Whether the ends of a call, as both sides saw them, can be the truth.

use std::time::Duration;

use offhook_core::Ending;
use offhook_sip::End;
use offhook_sip_message::StatusCode;

use crate::{
    phone::View,
    plan::{CalleeDoes, Plan},
};

/// The two views of one call.
pub(crate) struct Case<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) caller: &'a View,
    /// `None`: the callee was never told.
    pub(crate) callee: Option<&'a View>,
}

impl Case<'_> {
    /// What is wrong with it.
    pub(crate) fn fault(&self, lossless: bool) -> Option<&'static str> {
        let Some(caller_end) = only_end(self.caller) else {
            return Some("the caller has not been told of exactly one end");
        };
        let callee_end = match self.callee {
            None => None,
            Some(callee) => match only_end(callee) {
                Some(end) => Some(end),
                None => return Some("the callee has not been told of exactly one end"),
            },
        };
        self.wrong_alone().or_else(|| {
            let pair = self.is_possible(caller_end, callee_end);
            let sure = !lossless || is_sure(self.plan, caller_end, callee_end);
            if lossless && self.was_told_too_late() {
                return Some("the callee did not get to know in time that the caller gave up");
            }
            match (pair, sure) {
                (false, _) => Some("the two ends contradict each other, or what was done"),
                (true, false) => Some("no message was lost, and yet it ended so"),
                (true, true) => None,
            }
        })
    }

    /// What cannot be true of either side, whatever the other saw.
    fn wrong_alone(&self) -> Option<&'static str> {
        let caller = self.caller;
        let (ended, end) = (caller.ends[0].0, only_end(caller)?);
        let waited = ended.saturating_sub(caller.begun?);
        if end == &End::TimedOut && waited != TIMER_B {
            return Some("the caller has not waited 64*T1");
        }
        if end == &End::TimedOut && caller.progress > 0 {
            return Some("the caller timed out although a provisional response had come");
        }
        if let Some(callee) = self.callee {
            let (ended, end) = (callee.ends[0].0, only_end(callee)?);
            if callee.incoming != 1 || callee.established > 1 {
                return Some("the callee was told twice");
            }
            let waited = callee.answered.map(|answered| ended.saturating_sub(answered));
            if end == &End::NotAcknowledged
                && (waited != Some(TIMER_B) || callee.established > 0 || callee.hung_up.is_some())
            {
                return Some("the callee did not wait 64*T1 for an ACK");
            }
        }
        let wrong = caller.wrong + self.callee.map_or(0, |callee| callee.wrong);
        (wrong > 0).then_some("somebody heard what the far side had not said")
    }

    /// Whether the callee acted on a call that its caller had given up long before.
    fn was_told_too_late(&self) -> bool {
        let Some(callee) = self.callee else { return false };
        let acted = match only_end(callee) {
            Some(End::Refused { .. }) => callee.ends.first().map(|(at, _)| *at),
            _ => callee.answered,
        };
        let gave_up = self.caller.hung_up.filter(|_| self.caller.answered.is_none());
        gave_up.zip(acted).is_some_and(|(gave_up, acted)| acted > gave_up + SOON)
    }

    /// What may be seen at both ends of one call over a network that loses what it likes.
    fn is_possible(&self, caller_end: &End, callee_end: Option<&End>) -> bool {
        let (gave_up, stood) = (self.caller.hung_up.is_some(), self.caller.answered.is_some());
        let expires = self.plan.expires.is_some();
        let callee = self.callee;
        let answered = callee.is_some_and(|callee| callee.answered.is_some());
        let callee_left = matches!(callee_end, Some(End::HungUp | End::NotAcknowledged));
        let by_caller = match caller_end {
            End::Rejected { status, .. } => !stood && self.may_be_told(*status, callee_end),
            End::TimedOut => !stood && !gave_up,
            End::Cancelled => !stood && (gave_up || expires),
            // The 2xx may have overtaken the CANCEL, also that of an INVITE that expired.
            End::HungUp => answered && (gave_up || expires),
            End::PeerHungUp => stood && callee_left,
            _ => false,
        };
        let by_callee = match callee_end {
            None => matches!(
                caller_end,
                End::TimedOut | End::Cancelled | End::Rejected { status: NOT_ACCEPTABLE, .. }
            ),
            Some(End::Refused { .. }) => !stood && !answered,
            Some(End::PeerCancelled) => !stood && !answered && (gave_up || expires),
            Some(End::HungUp) => callee.is_some_and(|callee| callee.hung_up.is_some()) && answered,
            Some(End::PeerHungUp) => answered && *caller_end == End::HungUp,
            Some(End::NotAcknowledged) => answered,
            Some(_) => false,
        };
        by_caller && by_callee
    }

    /// Whether the callee can have said `status`.
    fn may_be_told(&self, status: StatusCode, callee_end: Option<&End>) -> bool {
        match callee_end {
            Some(End::Refused { status: said }) => {
                let by_user = self.callee.and_then(|callee| callee.refused);
                *said == status && by_user.is_none_or(|by_user| by_user == status)
            }
            Some(End::PeerCancelled) => {
                status == StatusCode::REQUEST_TERMINATED && self.plan.expires.is_some()
            }
            None => status == NOT_ACCEPTABLE && self.plan.callee_does == CalleeDoes::CannotAnswer,
            Some(_) => false,
        }
    }
}

/// What may be seen when no message is lost: the two always agree.
fn is_sure(plan: &Plan, caller_end: &End, callee_end: Option<&End>) -> bool {
    match (caller_end, callee_end) {
        (End::Cancelled, Some(End::PeerCancelled)) => true,
        // The refusal and the CANCEL cross.
        (End::Rejected { .. } | End::Cancelled, Some(End::Refused { .. })) => true,
        (End::Rejected { .. }, Some(End::PeerCancelled)) => plan.expires.is_some(),
        (End::Rejected { .. } | End::Cancelled, None) => {
            plan.callee_does == CalleeDoes::CannotAnswer
        }
        (End::HungUp, Some(End::PeerHungUp | End::HungUp)) => true,
        (End::PeerHungUp, Some(End::HungUp)) => true,
        _ => false,
    }
}

/// The end, if there was exactly one and the signalling brought it about.
pub(crate) fn only_end(view: &View) -> Option<&End> {
    match view.ends.as_slice() {
        [(_, Ending::Signalling(end))] => Some(end),
        _ => None,
    }
}

const NOT_ACCEPTABLE: StatusCode = StatusCode::NOT_ACCEPTABLE_HERE;

/// Three messages on their slowest way: the INVITE, 100 and the CANCEL that has to wait for it.
const SOON: Duration = Duration::from_secs(2);

/// 64*T1 (RFC 3261 §17.1.1.2, §13.3.1.4).
const TIMER_B: Duration = Duration::from_secs(32);
