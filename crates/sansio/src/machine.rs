//! The contract of every state machine.

use std::time::Instant;

use crate::{Datagram, Transmit};

/// A protocol state machine without input or output of its own.
///
/// # The contract
///
/// 1. `now` never goes back from one call to the next.
/// 2. After any input (a verb of the machine, [`receive`](Self::receive),
///    [`handle_timeout`](Self::handle_timeout)) drain [`poll_transmit`](Self::poll_transmit) and
///    [`poll_event`](Self::poll_event) until both give `None`.
/// 3. Then sleep until [`poll_timeout`](Self::poll_timeout), or until the next input. `None` means
///    that nothing is due, however long one waits.
/// 4. When the deadline has come, call [`handle_timeout`](Self::handle_timeout). Calling it too
///    early or too often is harmless.
/// 5. Dropping a machine at any time is safe. It sends nothing from then on.
///
/// A parent that is made of machines obeys the same contract towards each of them.
pub trait Machine {
    /// What the machine reports to its owner.
    type Event;

    /// Takes bytes that came from the network. Never panics, whatever the bytes are.
    fn receive(&mut self, now: Instant, datagram: Datagram);

    /// Does what is due at `now`.
    fn handle_timeout(&mut self, now: Instant);

    /// The next bytes to send, in order.
    fn poll_transmit(&mut self) -> Option<Transmit>;

    /// The next thing to tell the owner, in order.
    fn poll_event(&mut self) -> Option<Self::Event>;

    /// When [`handle_timeout`](Self::handle_timeout) is due next; `None`: nothing is due.
    fn poll_timeout(&self) -> Option<Instant>;
}
