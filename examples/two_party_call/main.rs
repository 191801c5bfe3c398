//! Two endpoints call each other over loopback UDP and speak at the same time.
//!
//! `cargo run --release --example two_party_call -- --loss 5% --jitter 30ms --seed 7`

mod options;
mod outcome;
mod party;
mod relay;

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use offhook::{Call, Recorder};
use offhook_examples as examples;
use tokio::time::sleep;

use crate::{
    options::Options,
    outcome::Outcome,
    party::{Party, Stage},
    relay::Relay,
};

type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    examples::log();
    match run(&Options::parse()).await {
        Ok(outcome) => outcome.verdict(),
        Err(error) => examples::exit(Err(error)),
    }
}

async fn run(options: &Options) -> Result<Outcome, Error> {
    options.prepare()?;
    let relay = options.impairment().map(|it| Relay::new(it, options.seed));
    let clean = relay.is_none();
    let mut stage = Stage { recorder: Recorder::new(), limit: options.seconds, relay };
    let mut alice = Party::start("Alice", &options.alice, options.alice_port, &mut stage).await?;
    let mut bob = Party::start("Bob", &options.bob, options.bob_port, &mut stage).await?;
    if let Some(relay) = stage.relay {
        relay.start();
    }

    let placed = alice.endpoint.call(&bob.uri()).await?;
    let taken = tokio::select! {
        taken = bob.endpoint.incoming() => taken?,
        ended = placed.ended() => return Err(ended?.to_string().into()),
    };
    taken.ring().await?;
    placed.progress().await?;
    sleep(RINGING).await;
    taken.answer().await?;
    placed.answered().await?;

    alice.listen(&placed, &options.out).await?;
    bob.listen(&taken, &options.out).await?;
    let length = alice.length().max(bob.length());
    tokio::select! {
        spoken = speak((&mut alice, &placed), (&mut bob, &taken)) => spoken?,
        shown = show(&placed, &taken, length) => shown?,
    }
    let hung_up = placed.hang_up().await?;
    let told = taken.ended().await?;
    sleep(LAST_PACKETS).await;
    alice.note(&hung_up);
    bob.note(&told);
    let outcome = Outcome::new([&alice, &bob], stage.recorder.recording(), clean)?;
    outcome.write(&options.out)?;
    Ok(outcome)
}

/// Both speak at once, each to the end of what it has to say.
async fn speak(alice: (&mut Party, &Call), bob: (&mut Party, &Call)) -> Result<(), Error> {
    tokio::try_join!(alice.0.speak(alice.1), bob.0.speak(bob.1))?;
    Ok(())
}

/// Shows the call's time and what is heard on both sides, until it is dropped.
async fn show(placed: &Call, taken: &Call, length: Duration) -> Result<(), Error> {
    let style = ProgressStyle::with_template("{elapsed_precise} [{bar:24}] {msg}")?;
    let bar = ProgressBar::new(length.as_millis() as u64).with_style(style.progress_chars("=> "));
    loop {
        let mut sides = Vec::new();
        for (direction, call) in [("Alice → Bob", taken), ("Bob → Alice", placed)] {
            sides.push(match call.stats().await?.media {
                Some(media) if media.rtp.packets_received > 0 => {
                    let (loss, jitter) = (100.0 * media.rtp.fraction_lost, media.rtp.jitter);
                    let mos = media.mos;
                    format!("{direction} loss {loss:.1} % jitter {jitter:.1} ms MOS {mos:.2}")
                }
                Some(_) | None => format!("{direction} nothing heard yet"),
            });
        }
        bar.set_message(sides.join(" │ "));
        bar.set_position(bar.elapsed().as_millis() as u64);
        sleep(SHOWN_EVERY).await;
    }
}

/// How long Bob lets it ring.
const RINGING: Duration = Duration::from_millis(800);
/// How long the last packets take to arrive, so that they stand in the recording.
const LAST_PACKETS: Duration = Duration::from_millis(100);
/// How often the figures on the screen change.
const SHOWN_EVERY: Duration = Duration::from_millis(200);
