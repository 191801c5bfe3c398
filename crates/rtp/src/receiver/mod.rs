//! The receiving side: which sources there are, which of them plays, and their statistics
//! (RFC 3550 §6.4.1, §A.1, §A.3, §A.8).
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

#[expect(clippy::module_inception, reason = "the file is named after the type it holds")]
mod receiver;
pub use receiver::{Received, Receiver};

mod source;
pub(crate) use source::Reception;
pub use source::{Source, Totals};

#[cfg(test)]
mod tests;
