//! What RFC 3261 is extended by, between two sides or against a peer that writes by hand.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod answer_mode;
mod credentials;
mod identity;
mod info;
mod orders;
mod replaces;
mod session_timers;
