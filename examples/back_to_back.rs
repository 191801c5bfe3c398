//! A back-to-back user agent: each call that comes in goes on to one target as a call of its own, and
//! the two sides' session descriptions are handed across. Their media does not pass here.
//!
//! `cargo run --release --example back_to_back -- sip:bob@192.0.2.7`

use std::process::ExitCode;

use clap::Parser;
use offhook::{Call, Ended, Endpoint, Error, PeerOffer, sip_message::StatusCode};
use offhook_examples as examples;

/// Take calls and hand each on to a target.
#[derive(Parser)]
struct Options {
    /// Where all calls go.
    target: String,
    /// The address for SIP over UDP.
    #[arg(long, default_value = "0.0.0.0:5060")]
    bind: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    examples::log();
    examples::exit(serve(Options::parse()).await)
}

async fn serve(Options { target, bind }: Options) -> Result<(), Error> {
    let endpoint = Endpoint::builder("sip:gateway@localhost").check_offers(false);
    let endpoint = std::sync::Arc::new(endpoint.bind(&bind).await?);
    println!("calls to {} go on to {target}", endpoint.local_address());
    loop {
        let near = endpoint.incoming().await?;
        let (endpoint, target) = (endpoint.clone(), target.clone());
        tokio::spawn(async move {
            println!("{} calls", near.from().uri);
            match connect(&endpoint, &near, &target).await {
                Ok(ended) => println!("{}: {ended}", near.from().uri),
                Err(error) => println!("{}: {error}", near.from().uri),
            }
        });
    }
}

/// Places the second call and keeps both together until one of them ends.
async fn connect(endpoint: &Endpoint, near: &Call, target: &str) -> Result<Ended, Error> {
    let far = endpoint.call_with(target, near.offer().cloned()).await?;
    tokio::select! {
        connected = answer(near, &far) => match connected {
            Ok(()) => {}
            Err(Error::Ended(ended)) => {
                let status = ended.status().unwrap_or(StatusCode::TEMPORARILY_UNAVAILABLE);
                near.reject(status).await?;
                return Ok(ended);
            }
            Err(error) => return Err(error),
        },
        ended = near.ended() => {
            far.hang_up().await?;
            return ended;
        }
    }
    let ended = tokio::select! {
        ended = near.ended() => ended?,
        ended = far.ended() => ended?,
        never = hand_on(near, &far) => never,
        never = hand_on(&far, near) => never,
    };
    // The one that is over gives its end again.
    near.hang_up().await?;
    far.hang_up().await?;
    Ok(ended)
}

/// Tells the caller how it goes, and gives it the callee's answer.
async fn answer(near: &Call, far: &Call) -> Result<(), Error> {
    if near.offer().is_none() {
        // The callee makes the offer, and the caller's answer comes with its ACK.
        let offer = far.next_offer().await?;
        near.answer_with(offer.description().cloned()).await?;
        near.answered().await?;
        return offer.accept(near.description().unwrap_or_default()).await;
    }
    if far.progress().await? == StatusCode::RINGING {
        near.ring().await?;
    }
    let answer = far.answered_with().await?;
    near.answer_with(Some(answer)).await
}

/// Hands the later offers of one side, such as hold, to the other.
async fn hand_on(from: &Call, to: &Call) -> Ended {
    loop {
        let Ok(offer) = from.next_offer().await else { break };
        if let Err(error) = exchange(offer, to).await {
            println!("the session stays as it was: {error}");
        }
    }
    // The end is told to who waits for it.
    std::future::pending().await
}

async fn exchange(offer: PeerOffer, to: &Call) -> Result<(), Error> {
    let Some(description) = offer.description().cloned() else {
        let theirs = to.ask_for_offer().await?;
        let answer = offer.offer(theirs.description().cloned().unwrap_or_default()).await?;
        return theirs.accept(answer).await;
    };
    match to.modify(description).await {
        Ok(answer) => offer.accept(answer).await,
        Err(Error::Refused { status }) => offer.reject(status).await,
        Err(error) => Err(error),
    }
}
