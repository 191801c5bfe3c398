//! Calls at a fixed rate to a server in another process, whatever the server does (RFC 3261 §13, §15).
//!
//! 1. Call number `n` begins at `n / rate`, answered or not: a slow server gets no rest.
//! 2. INVITE, 100 to 200, ACK, BYE, 200; requests are sent again as Timers A and E ask.
//! 3. Set-up time is from the moment when the call was due, so that waiting counts.

mod call;
mod figures;
mod load;
mod server;

pub use figures::Figures;
pub use load::Load;
pub use server::Server;
