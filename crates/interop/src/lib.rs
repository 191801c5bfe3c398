//! Tests of offhook against real peers: SIPp and baresip as the far side, Kamailio in between,
//! tshark as the judge of what went over the wire. `crates/interop/setup` installs them on Debian 12.
//!
//! `cargo test -p offhook-interop -- --test-threads=1`
//!
//! `tests/calls.rs` has whole calls with sound, `tests/sessions.rs` what SIPp does in and around
//! one, `tests/phones.rs` baresip over each transport, `tests/provider.rs` users of a provider over
//! each transport. Here is what they need: peers that are started and stopped by their process id,
//! the example programs of the workspace, and ears for recordings.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod authority;
pub use authority::{Authority, Identity};

mod baresip;
pub use baresip::{Baresip, Source};

mod example;
pub use example::example;

mod failure;
pub use failure::Failure;

mod kamailio;
pub use kamailio::Kamailio;

mod peer;
pub use peer::Peer;

mod ports;
pub use ports::{Ports, await_udp};

mod sipp;
pub use sipp::{Scenario, Sipp};

mod stage;
pub use stage::Stage;

mod tshark;
pub use tshark::{Capture, RtpStream, Trace};

mod wav;
pub use wav::{Recording, write_tone};
