//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use offhook::sip_message::ParseOptions;

/// Show a SIP message, a session description or an RTP or RTCP packet as an annotated tree.
///
/// The exit status is 0 when all of it is valid, 1 when something is not, and 2 when there is
/// nothing to look at.
#[derive(Parser)]
#[command(name = "inspect")]
pub(crate) struct Options {
    /// The file that holds it, octet for octet; - reads standard input.
    pub(crate) file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// What it is.
    #[arg(long, value_enum, default_value_t = Kind::Auto)]
    pub(crate) kind: Kind,
    /// Hold SIP to the grammar of RFC 3261 to the letter.
    #[arg(long)]
    pub(crate) strict: bool,
}

impl Options {
    pub(crate) fn sip(&self) -> ParseOptions {
        if self.strict { ParseOptions::strict() } else { ParseOptions::default() }
    }
}

/// What the input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// One SIP message, as in a datagram.
    Sip,
    /// SIP messages and keep-alives one after the other, as on a TCP connection.
    SipStream,
    /// A session description.
    Sdp,
    /// An RTP packet.
    Rtp,
    /// A compound RTCP packet.
    Rtcp,
    /// What the first bytes say.
    Auto,
}
