//! Shows any SIP message, session description, RTP or RTCP packet as an annotated tree.
//!
//! `cargo run --release --example inspect -- message.sip`
//!
//! Each row begins with the byte at which it stands. What is wrong is shown in its place, with a
//! caret, the clause of the RFC, and the status that answers it. The exit status is 0 when all is
//! valid, 1 when something is not, and 2 when the input cannot be read.
//!
//! `--json` prints the same for programs:
//!
//! - A request has `kind`, `method`, `uri`, `version`, a response `kind`, `status`, `reason`,
//!   `version`. Both have `headers`, the fields as they came, `typed` and `body_length`; `body` if
//!   the body is a session description, a fragment or a multipart, `ignored_length` if bytes
//!   follow the body, and `errors` if something is wrong with single fields or in the body.
//! - `typed` has each header field that has a type under its name in snake case: lists are arrays.
//!   `request_uri` stands there as well.
//! - Parameters are an object from lower-case name to text without quotes, or to `true` when there
//!   is no value. URIs have `text` and `scheme`, SIP and tel URIs their parts as well.
//! - A fragment, `message/sipfrag`, has `errors` of its own: it tells of another message, and what is
//!   wrong in it is not wrong here.
//! - A stream has `frames`: messages, `ping` and `pong`, each with its `offset`.
//! - What cannot be read at all is `{"error": {offset, header, expected, rfc, status}}`.

mod detect;
mod escape;
mod fault;
mod files;
mod finding;
mod node;
mod options;
mod packet;
mod rtcp;
mod rtp;
mod sdp;
mod sip;
mod stream;
mod tree;
mod typed;

#[cfg(test)]
mod tests;

use std::{
    env,
    ffi::OsString,
    io::{self, Read, Write},
    process::ExitCode,
};

use bytes::Bytes;
use clap::Parser;

use crate::{
    finding::Finding,
    options::{Kind, Options},
};

fn main() -> ExitCode {
    let (mut input, mut out) = (io::stdin().lock(), io::stdout().lock());
    ExitCode::from(status(show(env::args_os(), &mut input, &mut out), &mut io::stderr()))
}

/// Prints what is in the file; tells whether it is valid, or why there is nothing to look at.
fn show(
    arguments: impl IntoIterator<Item = OsString>,
    input: &mut impl Read,
    out: &mut impl Write,
) -> Result<bool, String> {
    let options = match Options::try_parse_from(arguments) {
        Ok(options) => options,
        Err(help) if !help.use_stderr() => {
            return files::print(out, &help.to_string()).map(|()| true);
        }
        Err(error) => return Err(first_paragraph(&error.to_string())),
    };
    let finding = inspect(&files::read(&options.file, input)?, &options);
    let text = if options.json { finding.json()? } else { finding.text() };
    files::print(out, &text)?;
    Ok(finding.valid)
}

/// The exit status, and a line for people when nothing could be looked at.
fn status(shown: Result<bool, String>, complaints: &mut impl Write) -> u8 {
    match shown {
        Ok(true) => VALID,
        Ok(false) => INVALID,
        Err(reason) => {
            // Without standard error there is still the status.
            let _ = writeln!(complaints, "error: {}", escape::visible(&reason));
            UNREADABLE
        }
    }
}

fn inspect(bytes: &Bytes, options: &Options) -> Finding {
    match if options.kind == Kind::Auto { detect::kind(bytes) } else { options.kind } {
        Kind::Sip | Kind::Auto => sip::inspect(bytes, 0..bytes.len(), &options.sip()),
        Kind::SipStream => stream::inspect(bytes, &options.sip()),
        Kind::Sdp => sdp::inspect(bytes),
        Kind::Rtp => rtp::inspect(bytes),
        Kind::Rtcp => rtcp::inspect(bytes, options.strict),
    }
}

/// What clap says before it explains the usage, as one line.
fn first_paragraph(text: &str) -> String {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

const VALID: u8 = 0;
const INVALID: u8 = 1;
const UNREADABLE: u8 = 2;
