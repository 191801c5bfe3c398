//! What is to be sent, in order.

use std::collections::VecDeque;

use bytes::Bytes;
use offhook_sansio::{Flow, Transmit};

/// The queue behind `poll_transmit`, shared by all machines of one user agent.
#[derive(Debug, Default)]
pub(crate) struct Outbox(VecDeque<Transmit>);

impl Outbox {
    pub(crate) fn send(&mut self, flow: Flow, payload: &Bytes) {
        self.0.push_back(Transmit { flow, payload: payload.clone() });
    }

    pub(crate) fn pop(&mut self) -> Option<Transmit> {
        self.0.pop_front()
    }
}
