//! What can happen to each machine, in every sequence of up to six: whatever comes, in whatever order
//! and however often, it ends, its end is told once, nothing is left, and the auditor finds nothing.
//!
//! The ordinary run takes all sequences of up to four, all orders of five different ones, and a sample
//! of six. All sequences of six are a million for each machine and beginning: see `CONTRIBUTING.md`.
#![cfg(test)]

#[path = "../support/mod.rs"]
mod support;

mod callee;
mod caller;
mod challenger;
mod early_callee;
mod early_caller;
mod every;
mod notifier;
mod peer;
mod publication;
mod refer;
mod referral;
mod registration;
mod reinvited;
mod reinviting;
mod session_timer;
mod side;
mod subscriber;
