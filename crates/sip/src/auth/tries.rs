//! How often one request was challenged: a server may say for ever that a nonce is stale, and a
//! chain of proxies may invent one realm after another.

use std::collections::VecDeque;

use offhook_sip_message::{Text, ValidRequest};

use super::ChallengeError;

/// The requests that were challenged and are not accepted yet.
#[derive(Debug, Default)]
pub(super) struct Tries {
    open: VecDeque<Try>,
}

/// The challenges of one request. It keeps its Call-ID and takes the next CSeq each time
/// (RFC 3261 §8.1.3.5).
#[derive(Debug)]
struct Try {
    call_id: Text,
    next_cseq: u32,
    count: u8,
}

impl Tries {
    /// Counts a challenge of `request`.
    pub(super) fn count(&mut self, request: &ValidRequest) -> Result<(), ChallengeError> {
        let earlier = self.take(request).map_or(0, |it| it.count);
        if earlier >= MAX_TRIES {
            return Err(ChallengeError::TooManyTries);
        }
        if self.open.len() >= MAX_OPEN {
            self.open.pop_front();
        }
        self.open.push_back(Try {
            call_id: request.call_id().as_str().into(),
            next_cseq: request.cseq().number.wrapping_add(1),
            count: earlier.saturating_add(1),
        });
        Ok(())
    }

    /// The request has got its answer.
    pub(super) fn forget(&mut self, request: &ValidRequest) {
        self.take(request);
    }

    fn take(&mut self, request: &ValidRequest) -> Option<Try> {
        let (call_id, cseq) = (request.call_id().as_str(), request.cseq().number);
        let at = self.open.iter().position(|it| it.call_id == *call_id && it.next_cseq == cseq)?;
        self.open.remove(at)
    }
}

/// How many challenges of one request are answered: each proxy of a chain may have one, and each
/// nonce may be stale once.
const MAX_TRIES: u8 = 8;
/// How many requests are followed at a time; the oldest is forgotten.
const MAX_OPEN: usize = 64;
