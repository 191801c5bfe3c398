//! Registers at a provider, answers its calls with an echo and prints its messages.
//!
//! `cargo run --release --example register -- sip:alice@example.com --password secret`

use std::{env, process::ExitCode, time::Instant};

use clap::Parser;
use offhook::{
    Account, Call, Endpoint, Error, IncomingRequest, Listener, RegistrationState, sip::Login,
    sip_message::Method,
};
use offhook_examples as examples;

/// Register an address and be reached there: calls hear themselves, messages are printed.
#[derive(Parser)]
struct Options {
    /// The address of record.
    address: String,
    /// The name to log in with. Default: the user of the address.
    #[arg(long)]
    user: Option<String>,
    /// The password. Default: what the variable SIP_PASSWORD says, which other users cannot see.
    #[arg(long)]
    password: Option<String>,
    /// The registrar. Default: the domain of the address.
    #[arg(long)]
    registrar: Option<String>,
    /// The address for SIP over UDP and TCP.
    #[arg(long, default_value = "0.0.0.0:5060")]
    bind: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    examples::log();
    examples::exit(serve(Options::parse()).await)
}

async fn serve(options: Options) -> Result<(), Error> {
    let endpoint = Endpoint::builder(&options.address)
        .listen(Listener::tcp(&options.bind))
        .answer_requests([Method::MESSAGE])
        .bind(&options.bind)
        .await?;
    let account = open(&endpoint, &options).await?;
    let states = tokio::spawn(tell(account.clone()));
    loop {
        tokio::select! {
            call = endpoint.incoming() => drop(tokio::spawn(echo(call?))),
            request = endpoint.incoming_request() => print(request?).await,
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    states.abort();
    endpoint.shutdown().await;
    Ok(())
}

async fn open(endpoint: &Endpoint, options: &Options) -> Result<Account, Error> {
    let mut account = endpoint.account(&options.address);
    if let Some(password) = options.password.clone().or_else(|| env::var("SIP_PASSWORD").ok()) {
        let user = options.user.as_deref().unwrap_or_else(|| user_of(&options.address));
        account = account.login(Login::any_realm(user, password));
    }
    if let Some(registrar) = &options.registrar {
        account = account.registrar(registrar);
    }
    account.open().await
}

fn user_of(address: &str) -> &str {
    let rest = address.split_once(':').map_or(address, |(_, rest)| rest);
    rest.split_once('@').map_or(rest, |(user, _)| user)
}

/// Says how the registration stands whenever that changes.
async fn tell(account: Account) {
    let mut states = account.states();
    loop {
        match &*states.borrow_and_update() {
            RegistrationState::Registered(registered) => {
                println!("registered as {} for {:?}", registered.contact, registered.expires);
            }
            RegistrationState::Failed { fault, next_try: Some(at), .. } => {
                let wait = at.saturating_duration_since(Instant::now());
                println!("not registered: {fault}; next try in {wait:.0?}");
            }
            RegistrationState::Failed { fault, .. } => println!("not registered: {fault}"),
            _ => {}
        }
        if states.changed().await.is_err() {
            return;
        }
    }
}

/// Says what it hears until the caller hangs up.
async fn echo(call: Call) {
    let talk = async {
        call.answer().await?;
        let audio = call.audio().await?;
        while let Some(frame) = audio.heard.receive().await {
            // A full queue drops the frame.
            let _ = audio.spoken.send(frame);
        }
        Ok::<_, Error>(())
    };
    if let Err(error) = talk.await {
        println!("{error}");
    }
}

async fn print(message: IncomingRequest) {
    println!("{}: {}", message.from(), message.text().unwrap_or_default());
    if let Err(error) = message.accept().await {
        println!("{error}");
    }
}
