//! A mailbox and a lamp: one endpoint tells of its messages, another one listens (RFC 3842).
//!
//! `cargo run --release --example message_waiting`

use std::{process::ExitCode, time::Duration};

use offhook::{Endpoint, Error, EventPackage, Subscription, sip_message::NameAddr};
use offhook_examples as examples;

/// The type of message summaries (RFC 3842 §5.2).
const SUMMARY: &str = "application/simple-message-summary";

#[tokio::main]
async fn main() -> ExitCode {
    examples::log();
    examples::exit(run().await)
}

async fn run() -> Result<(), Error> {
    let packages = [EventPackage::MESSAGE_SUMMARY];
    let mailbox = Endpoint::builder("sip:mailbox@127.0.0.1").event_packages(packages);
    let mailbox = mailbox.bind("127.0.0.1:0").await?;
    let lamp = Endpoint::builder("sip:lamp@127.0.0.1").bind("127.0.0.1:0").await?;

    let target = format!("sip:mailbox@{}", mailbox.local_address());
    let asking = lamp.subscribe(&target, &EventPackage::MESSAGE_SUMMARY);
    let subscription = asking.expires(Duration::from_secs(600)).accept(SUMMARY).open().await?;
    let (told, heard) = tokio::join!(tell(&mailbox), listen(&subscription));
    told?;
    heard?;
    lamp.shutdown().await;
    mailbox.shutdown().await;
    Ok(())
}

/// The mailbox: allows the first who asks, and tells of two changes.
async fn tell(mailbox: &Endpoint) -> Result<(), Error> {
    let subscriber = mailbox.subscriber().await?;
    println!("mailbox: {} wants to know for {:?}", subscriber.from(), subscriber.expires());
    subscriber.accept(SUMMARY, summary(subscriber.to(), 0)).await?;
    for messages in [1, 2] {
        tokio::time::sleep(Duration::from_millis(200)).await;
        println!("mailbox: message {messages} has come");
        subscriber.notify(SUMMARY, summary(subscriber.to(), messages)).await?;
    }
    println!("mailbox: it is over: {:?}", subscriber.ended().await?);
    Ok(())
}

/// The lamp: shines while messages wait, and leaves when it has seen two.
async fn listen(subscription: &Subscription) -> Result<(), Error> {
    while let Some(notification) = subscription.next().await {
        let text = notification.text().unwrap_or_default();
        let shines = text.lines().any(|line| line.trim() == "Messages-Waiting: yes");
        let voice = text.lines().find_map(|line| line.strip_prefix("Voice-Message: "));
        let state = if shines { "on" } else { "off" };
        println!("lamp: {state}, voice messages (new/old): {}", voice.unwrap_or("none"));
        if voice == Some("2/0 (0/0)") {
            break;
        }
    }
    subscription.unsubscribe().await?;
    println!("lamp: {:?}", subscription.status());
    Ok(())
}

/// What waits for `account` (RFC 3842 §5.2).
fn summary(account: &NameAddr, messages: u32) -> String {
    let waiting = if messages > 0 { "yes" } else { "no" };
    let account = &account.uri;
    format!(
        "Messages-Waiting: {waiting}\r\nMessage-Account: {account}\r\n\
         Voice-Message: {messages}/0 (0/0)\r\n"
    )
}
