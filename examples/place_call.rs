//! Calls any phone, plays a WAV file into the call and records what is heard.
//!
//! `cargo run --release --example place_call -- sip:bob@192.0.2.2 --play hello.wav`

use std::{path::PathBuf, process::ExitCode, time::Duration};

use clap::Parser;
use offhook::{Call, Endpoint, Error};
use offhook_examples as examples;
use tokio::time::timeout;

/// Call a sip: or sips: URI, over UDP, TCP, TLS or WebSocket as it asks for, with G.711.
#[derive(Parser)]
struct Options {
    /// Whom to call, such as sip:bob@192.0.2.2:5060 or sip:bob@example.com;transport=tcp.
    uri: String,
    /// Who calls.
    #[arg(long, default_value = "sip:offhook@localhost")]
    identity: String,
    /// The address for SIP over UDP; media takes ports of the system's choice on the same host.
    #[arg(long, default_value = "0.0.0.0:0")]
    bind: String,
    /// The WAV file to speak; silence without one.
    #[arg(long)]
    play: Option<PathBuf>,
    /// The WAV file to write what is heard to.
    #[arg(long)]
    record: Option<PathBuf>,
    /// How long the call lasts at most.
    #[arg(long, default_value = "60s", value_parser = examples::duration)]
    seconds: Duration,
}

#[tokio::main]
async fn main() -> ExitCode {
    examples::log();
    examples::exit(place(Options::parse()).await)
}

async fn place(options: Options) -> Result<(), Error> {
    let endpoint = Endpoint::builder(&options.identity).bind(&options.bind).await?;
    let call = endpoint.call(&options.uri).await?;
    println!("calling {} from {}", options.uri, endpoint.local_address());
    println!("progress: {}", call.progress().await?);
    call.answered().await?;
    println!("answered");
    // A call that is over time, or that the far side ends while we speak, is still a good call.
    match timeout(options.seconds, talk(&call, &options)).await {
        Err(_) | Ok(Err(Error::Ended(_)) | Ok(())) => {}
        Ok(Err(error)) => return Err(error),
    }
    let ended = call.hang_up().await?;
    println!("ended: {ended}\n{}", ended.statistics);
    endpoint.shutdown().await;
    Ok(())
}

/// Records and speaks; without a file to speak, listens until the far side hangs up.
async fn talk(call: &Call, options: &Options) -> Result<(), Error> {
    if let Some(path) = &options.record {
        call.record_wav(path).await?;
    }
    match &options.play {
        Some(path) => call.play_wav(path).await,
        None => call.ended().await.map(|_| ()),
    }
}
