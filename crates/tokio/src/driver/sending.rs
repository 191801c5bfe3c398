//! What goes out: by the socket or the connection of its flow.

use std::time::Instant;

use offhook_sansio::{Flow, Protocol, Transmit};
use tracing::debug;

use super::Driver;
use crate::{
    listener::Listening,
    streams::{Sent, count},
};

impl Driver {
    pub(super) fn send(&mut self, transmit: Transmit) {
        let now = Instant::now();
        if transmit.flow.protocol == Protocol::Udp {
            self.record(now, &transmit);
            if let Err(error) = self.sockets.send(&transmit) {
                debug!(flow = %transmit.flow, %error, "send error");
                self.failed(now, &transmit);
            }
            return;
        }
        match self.pool.send(&transmit) {
            Sent::Queued => self.record(now, &transmit),
            Sent::NoConnection => self.redirect(transmit),
            Sent::Full => {
                count(&self.pool.counters().unsent);
                debug!(flow = %transmit.flow, "message not sent: the peer takes too little");
                self.failed(now, &transmit);
            }
        }
    }

    fn record(&self, now: Instant, transmit: &Transmit) {
        if let Some(tap) = &self.tap {
            tap.sent(now, transmit);
        }
    }

    /// A request could not be sent: what waits for its response need not wait. A response that
    /// could not be sent ends no more than the call that it belongs to, for any stranger may choose
    /// where it goes (RFC 3261 §18.2.2, `maddr`).
    pub(super) fn failed(&mut self, now: Instant, transmit: &Transmit) {
        let Flow { protocol, local, .. } = transmit.flow;
        let is_media =
            protocol == Protocol::Udp && !self.listening.contains(&Listening { protocol, local });
        if is_media {
            return;
        }
        match transmit.payload.starts_with(RESPONSE) {
            true => self.core.response_failed(now, transmit),
            false => self.core.transport_failed(now, transmit.flow),
        }
    }

    pub(super) fn undelivered(&mut self, transmit: &Transmit, fault: &str) {
        count(&self.pool.counters().unsent);
        debug!(flow = %transmit.flow, fault, "message not sent");
        self.failed(Instant::now(), transmit);
    }
}

/// What a response begins with (RFC 3261 §7.2).
const RESPONSE: &[u8] = b"SIP/2.0 ";
