//! Three telephones in one program: Alice talks to Bob, who transfers her to Carol, first without
//! asking Carol (blind), then after a word with her (attended).
//!
//! `cargo run --release --example transfer`

use std::process::ExitCode;

use offhook::{Call, Endpoint, Error};
use offhook_examples as examples;

#[tokio::main]
async fn main() -> ExitCode {
    examples::log();
    examples::exit(transfer_twice().await)
}

async fn transfer_twice() -> Result<(), Error> {
    let alice = telephone("alice").await?;
    let (bob, carol) = (telephone("bob").await?, telephone("carol").await?);

    let (at_alice, at_bob) = connect(&alice, &bob).await?;
    println!("Alice talks to Bob");
    let mut transfer = at_bob.transfer(&uri_of("carol", &carol)).await?;
    let moved = obey(&alice, &at_alice, &carol).await?;
    transfer.finished().await?;
    at_bob.hang_up().await?;
    println!("Alice talks to {}: a blind transfer", moved.to().uri);
    moved.hang_up().await?;

    let (at_alice, at_bob) = connect(&alice, &bob).await?;
    let (asking, _at_carol) = connect(&bob, &carol).await?;
    println!("Alice waits, and Bob asks Carol whether she has time");
    let mut transfer = at_bob.transfer_to(&asking).await?;
    let moved = obey(&alice, &at_alice, &carol).await?;
    transfer.finished().await?;
    // Carol has hung up on Bob, for Alice has taken his place.
    println!("Bob and Carol: {}", asking.ended().await?);
    at_bob.hang_up().await?;
    println!("Alice talks to {}: an attended transfer", moved.to().uri);
    moved.hang_up().await?;

    for endpoint in [alice, bob, carol] {
        endpoint.shutdown().await;
    }
    Ok(())
}

async fn telephone(name: &str) -> Result<Endpoint, Error> {
    let identity = format!("sip:{name}@127.0.0.1");
    Endpoint::builder(&identity).take_transfers(true).bind("127.0.0.1:0").await
}

fn uri_of(name: &str, endpoint: &Endpoint) -> String {
    format!("sip:{name}@{}", endpoint.local_address())
}

/// A call from one to the other, and both its ends.
async fn connect(caller: &Endpoint, callee: &Endpoint) -> Result<(Call, Call), Error> {
    let placed = caller.call(&uri_of("callee", callee)).await?;
    let taken = callee.incoming().await?;
    taken.answer().await?;
    placed.answered().await?;
    taken.answered().await?;
    Ok((placed, taken))
}

/// Does what the far side of `call` asks for, which makes `target` ring; it answers.
async fn obey(transferred: &Endpoint, call: &Call, target: &Endpoint) -> Result<Call, Error> {
    let asked = transferred.incoming_transfer().await?;
    // A telephone would ask its user, for a call costs money.
    assert!(asked.is_of(call), "the one who asks is who she talks to");
    let (moved, answered) = tokio::join!(asked.accept(), async {
        let taken = target.incoming().await?;
        taken.answer().await?;
        Ok::<_, Error>(taken)
    });
    let (moved, taken) = (moved?, answered?);
    taken.answered().await?;
    // The handle of the target is let go when the call is over.
    tokio::spawn(async move { taken.ended().await });
    Ok(moved)
}
