//! The command line.

use std::{fs, path::PathBuf, time::Duration};

use clap::Parser;
use offhook_examples as examples;
use offhook_testkit::Impairment;

use crate::Error;

/// Let two endpoints call each other over loopback, and check what they heard.
#[derive(Parser)]
pub(crate) struct Options {
    /// The share of packets to lose, such as 5%.
    #[arg(long, default_value = "0%", value_parser = examples::share)]
    loss: f64,
    /// How much the delay of packets varies, such as 30ms.
    #[arg(long, default_value = "0ms", value_parser = examples::duration)]
    jitter: Duration,
    /// Makes losses and delays repeatable.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Speak only so long; the whole recordings without it.
    #[arg(long, value_parser = examples::duration)]
    pub(crate) seconds: Option<Duration>,
    /// Where to write recordings, capture and report.
    #[arg(long, default_value = "target/two_party_call")]
    pub(crate) out: PathBuf,
    /// What Alice says: any WAV file.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/alice.wav"))]
    pub(crate) alice: PathBuf,
    /// What Bob says: any WAV file.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/recordings/bob.wav"))]
    pub(crate) bob: PathBuf,
    /// Alice's SIP port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) alice_port: u16,
    /// Bob's SIP port; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    pub(crate) bob_port: u16,
}

impl Options {
    /// Makes the folder, and finds out whether it can be written to before anybody calls.
    pub(crate) fn prepare(&self) -> Result<(), Error> {
        let report = self.out.join("report.html");
        let made = fs::create_dir_all(&self.out).and_then(|()| fs::write(report, ""));
        made.map_err(|error| format!("{}: cannot be written to: {error}", self.out.display()))?;
        Ok(())
    }

    /// What spoils the path between the two; `None` if nothing does.
    pub(crate) fn impairment(&self) -> Option<Impairment> {
        let Self { loss, jitter, .. } = *self;
        let impairment = Impairment { loss, jitter, ..Impairment::NONE };
        (impairment != Impairment::NONE).then_some(impairment)
    }
}
