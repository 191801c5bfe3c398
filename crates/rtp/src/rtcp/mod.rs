//! RTCP (RFC 3550 §6): checked views of compound packets, their writer, and the schedule of
//! reports.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

mod application;
pub use application::Application;

mod compound;
pub use compound::{Compound, Packet, Unknown};

mod description;
pub use description::{Chunk, Item, SourceDescription};

mod goodbye;
pub use goodbye::Goodbye;

mod header;

mod members;
pub(crate) use members::Members;

mod report;
pub use report::{ReceiverReport, ReportBlock, SenderInfo, SenderReport};

mod schedule;
pub(crate) use schedule::LEAVING;
pub use schedule::{Population, Schedule};

mod writer;
pub use writer::CompoundWriter;

#[cfg(test)]
mod tests;
