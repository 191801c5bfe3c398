//! Takes calls from any phone, plays a WAV file to each and records what is heard.
//!
//! `cargo run --release --example answer_call -- --bind 0.0.0.0:5060 --play welcome.wav`

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use offhook::{Call, Endpoint, Error, Listener, sansio::Protocol};
use offhook_examples as examples;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

/// Answer SIP calls over UDP, and over TCP if asked to, with G.711.
#[derive(Clone, Parser)]
struct Options {
    /// The address for SIP; media takes ports of the system's choice on the same host.
    #[arg(long, default_value = "0.0.0.0:5060")]
    bind: String,
    /// An address to take calls over TCP on as well.
    #[arg(long)]
    tcp: Option<String>,
    /// Who answers.
    #[arg(long, default_value = "sip:offhook@localhost")]
    identity: String,
    /// The WAV file to speak; silence without one. The call ends with it.
    #[arg(long)]
    play: Option<PathBuf>,
    /// The WAV file to write what is heard to: `heard.wav` becomes `heard-1.wav`, `heard-2.wav` …
    #[arg(long)]
    record: Option<PathBuf>,
    /// How long to let it ring.
    #[arg(long, default_value = "1s", value_parser = examples::duration)]
    ring: Duration,
    /// How long a call lasts at most.
    #[arg(long, default_value = "60s", value_parser = examples::duration)]
    seconds: Duration,
    /// Stop after so many calls; without it, go on until interrupted.
    #[arg(long)]
    calls: Option<u64>,
}

#[tokio::main]
async fn main() -> ExitCode {
    examples::log();
    examples::exit(serve(Options::parse()).await)
}

async fn serve(options: Options) -> Result<(), Error> {
    let mut builder = Endpoint::builder(&options.identity);
    if let Some(address) = &options.tcp {
        builder = builder.listen(Listener::tcp(address));
    }
    let endpoint = builder.bind(&options.bind).await?;
    println!("answering on {}", endpoint.local_address());
    if let Some(address) = endpoint.address_of(Protocol::Tcp) {
        println!("and over TCP on {address}");
    }
    let mut calls = JoinSet::new();
    for number in 1..=options.calls.unwrap_or(u64::MAX) {
        let call = tokio::select! {
            call = endpoint.incoming() => call?,
            _ = tokio::signal::ctrl_c() => break,
        };
        println!("call {number} from {}", call.from());
        calls.spawn(take(call, number, options.clone()));
    }
    while calls.join_next().await.is_some() {}
    endpoint.shutdown().await;
    Ok(())
}

async fn take(call: Call, number: u64, options: Options) {
    // A call that the far side ends is a good call too.
    if let Err(error) = talk(&call, number, &options).await
        && !matches!(error, Error::Ended(_))
    {
        eprintln!("call {number}: {error}");
    }
    match call.hang_up().await {
        Ok(ended) => println!("call {number} ended: {ended}\n{}", ended.statistics),
        Err(error) => eprintln!("call {number}: {error}"),
    }
}

async fn talk(call: &Call, number: u64, options: &Options) -> Result<(), Error> {
    call.ring().await?;
    sleep(options.ring).await;
    call.answer().await?;
    if let Some(path) = &options.record {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        call.record_wav(path.with_file_name(format!("{stem}-{number}.wav"))).await?;
    }
    let conversation = async {
        match &options.play {
            Some(path) => call.play_wav(path).await,
            None => call.ended().await.map(|_| ()),
        }
    };
    // A call that is over time is hung up.
    timeout(options.seconds, conversation).await.unwrap_or(Ok(()))
}
