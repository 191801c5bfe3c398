//! Event subscriptions in both roles (RFC 6665), and REFER (RFC 3515).
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod hostile;
mod lost;
mod notifier;
mod orders;
mod peer;
mod refer;
mod refer_outside;
mod subscriber;
mod subscriber_ends;
