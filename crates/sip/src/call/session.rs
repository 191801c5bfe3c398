//! A call that stands: a confirmed dialog, and the INVITE that modifies it, if any (RFC 3261 §14).

use std::time::Duration;

use offhook_sip_message::Response;

use super::{callee::Invitation, usage::Usage};
use crate::transaction::TransactionId;

/// A dialog for which a 2xx was sent or received.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) usage: Usage,
    pub(crate) exchange: Exchange,
    /// The last INVITE of the peer that we refused; its ACK may be missing.
    pub(crate) refused: Option<TransactionId>,
    /// The user has hung up, and the BYE has to wait for an ACK (RFC 3261 §15).
    pub(crate) hung_up: bool,
}

/// The INVITE that is under way; there can only be one (RFC 3261 §14.1).
#[derive(Debug)]
pub(crate) enum Exchange {
    /// None.
    Idle,
    /// Our re-INVITE has no final answer.
    Inviting { transaction: TransactionId },
    /// A 2xx has brought an offer; the ACK waits for the user's answer.
    Unacknowledged { transaction: TransactionId },
    /// The peer's re-INVITE has no final answer.
    Invited(Invitation),
    /// Our 2xx waits for its ACK.
    Answered(Answered),
}

/// A 2xx that is sent again until its ACK comes (RFC 3261 §13.3.1.4).
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) transaction: TransactionId,
    pub(crate) response: Response,
    pub(crate) cseq: u32,
    pub(crate) interval: Duration,
}

impl Session {
    pub(crate) fn of_caller(usage: Usage, unacknowledged: Option<TransactionId>) -> Self {
        let exchange = match unacknowledged {
            Some(transaction) => Exchange::Unacknowledged { transaction },
            None => Exchange::Idle,
        };
        Self { usage, exchange, refused: None, hung_up: false }
    }

    pub(crate) fn of_callee(usage: Usage, answered: Answered) -> Self {
        Self { usage, exchange: Exchange::Answered(answered), refused: None, hung_up: false }
    }

    /// Whether a 2xx of ours waits for its ACK.
    pub(crate) const fn awaits_any_ack(&self) -> bool {
        matches!(self.exchange, Exchange::Answered(_))
    }

    /// Whether our 2xx to the INVITE with this number waits for its ACK.
    pub(crate) fn awaits_ack(&self, cseq: u32) -> bool {
        matches!(&self.exchange, Exchange::Answered(answered) if answered.cseq == cseq)
    }
}
