//! Early dialogs and forks (RFC 3261 §12.1, §13.2.2), reliable provisional responses (RFC 3262),
//! sessions modified by UPDATE (RFC 3311), redirects (RFC 3261 §8.1.3.4), and responses that
//! cannot be sent (§17.2.4).
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod clauses;
mod dialogue;
mod forks;
mod orders;
mod redirects;
mod reliable_callee;
mod reliable_caller;
mod third_party;
mod unsent;
mod update;
