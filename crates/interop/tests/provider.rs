//! Users of a provider, which is Kamailio: each registers with a password and reaches the others
//! through it. One test at a time: `--test-threads=1`.

use std::{
    future::Future,
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use offhook::{
    Account, Call, ClientTls, Dns, Endpoint, Error, EventPackage, Hold, RegistrationFault, Roots,
    audio::ToneSource,
    core::Ending,
    sip::{End, Login, SubscriberEnd},
    sip_message::{Method, StatusCode},
};
use offhook_interop::{Capture, Failure, Kamailio, Stage};
use tokio::time::timeout;

type Outcome = Result<(), Failure>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_reach_each_other_over_udp() -> Outcome {
    users_reach_each_other("udp", "MD5").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_reach_each_other_over_tcp() -> Outcome {
    users_reach_each_other("tcp", "SHA-256").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_reach_each_other_over_tls() -> Outcome {
    users_reach_each_other("tls", "MD5").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_reach_each_other_over_websocket() -> Outcome {
    users_reach_each_other("ws", "SHA-256").await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn users_of_different_transports_reach_each_other() -> Outcome {
    let kamailio = Kamailio::start(&Stage::new("kamailio_mixed")?, "MD5")?;
    let mut users = Vec::new();
    for (name, transport) in [("alice", "udp"), ("bob", "ws"), ("carol", "tls"), ("dave", "tcp")] {
        users.push(User::register(&kamailio, name, transport).await?);
    }
    for (from, to) in [(0, 1), (1, 2), (2, 3), (3, 0)] {
        users[from].talks_to(&users[to]).await?;
    }
    leave(users, kamailio).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_of_outbound_over_udp_is_kept_alive_by_stun() -> Outcome {
    let stage = Stage::new("kamailio_outbound_udp")?;
    let kamailio = Kamailio::start(&stage, "MD5")?;
    let capture = Capture::start(&stage, kamailio.ports())?;
    let alice = User::register_as(&kamailio, "alice", "udp", Some(INSTANCE)).await?;
    has_outbound(&alice).await?;
    // Pings are due after 1.6 to 2 seconds; one that nobody took an answer to would come again sooner.
    let begun = Instant::now();
    let seen = tokio::task::spawn_blocking(move || capture.until("Binding Success", 3));
    seen.await??;
    assert!(begun.elapsed() > Duration::from_millis(4_500), "{:?}", begun.elapsed());
    has_outbound(&alice).await?;
    leave(vec![alice], kamailio).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_of_outbound_over_tcp_lives_on_pongs_and_its_gruu_is_reached() -> Outcome {
    let kamailio = Kamailio::start(&Stage::new("kamailio_outbound_tcp")?, "MD5")?;
    let alice = User::register_as(&kamailio, "alice", "tcp", Some(INSTANCE)).await?;
    let bob = User::register(&kamailio, "bob", "tcp").await?;
    let gruu = has_outbound(&alice).await?;
    // A pong that does not come loses the flow after ten seconds.
    tokio::time::sleep(Duration::from_secs(13)).await;
    assert_eq!(has_outbound(&alice).await?, gruu);
    let (placed, taken) = tokio::join!(within(bob.account.call(&gruu)), alice.answers());
    let (placed, taken) = (placed?, taken?);
    within(placed.answered()).await?;
    hear_each_other(&placed, &taken).await?;
    hang_up(&taken, &placed).await?;
    leave(vec![alice, bob], kamailio).await
}

/// Checks that a user is registered with outbound, and gives the GRUU.
async fn has_outbound(user: &User) -> Result<String, Failure> {
    let registered = within(user.account.registered()).await?;
    assert!(registered.outbound, "{}", user.name);
    assert_eq!(registered.flow_timer, Some(Duration::from_secs(2)));
    let gruu = registered.pub_gruu.as_ref().map(ToString::to_string);
    gruu.ok_or_else(|| Failure::new("no GRUU"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_is_told_and_not_tried_again() -> Outcome {
    let kamailio = Kamailio::start(&Stage::new("kamailio_password")?, "MD5")?;
    let endpoint = User::builder(&kamailio, "alice")?.bind("127.0.0.1:0").await?;
    let account = endpoint
        .account(&Kamailio::address("alice"))
        .registrar(&kamailio.uri("udp"))
        .login(Login::new(Kamailio::DOMAIN, "alice", "a guess"))
        .open()
        .await?;
    let refused = timeout(LONG, account.registered()).await?;
    let Err(Error::NotRegistered(RegistrationFault::Refused(status))) = refused else {
        return Err(Failure::new(format!("{refused:?}")));
    };
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    Ok(())
}

/// Three users of one transport: calls, hold, both transfers, a message and a subscription.
async fn users_reach_each_other(transport: &str, algorithm: &str) -> Outcome {
    let stage = Stage::new(&format!("kamailio_{transport}"))?;
    let kamailio = Kamailio::start(&stage, algorithm)?;
    let alice = User::register(&kamailio, "alice", transport).await?;
    let bob = User::register(&kamailio, "bob", transport).await?;
    let carol = User::register(&kamailio, "carol", transport).await?;
    kamailio.says(&format!("{transport} 127.0.0.1:"))?;

    alice.talks_to(&bob).await?;
    bob.talks_to(&alice).await?;
    is_held_and_resumed(&alice, &bob).await?;
    is_transferred(&alice, &bob, &carol).await?;
    is_put_in_the_place_of_another(&alice, &bob, &carol).await?;
    writes_to(&alice, &bob).await?;
    subscribes_to(&alice, &bob).await?;
    leave(vec![alice, bob, carol], kamailio).await
}

/// Hold and resume from both sides of one call.
async fn is_held_and_resumed(alice: &User, bob: &User) -> Outcome {
    let (placed, taken) = alice.calls(bob).await?;
    for (one, other) in [(&placed, &taken), (&taken, &placed)] {
        within(one.hold()).await?;
        let held = within(other.held_other_than(Hold::default())).await?;
        assert_eq!(held, Hold { by_us: false, by_peer: true });
        within(one.resume()).await?;
        assert_eq!(within(other.held_other_than(held)).await?, Hold::default());
    }
    hear_each_other(&placed, &taken).await?;
    hang_up(&taken, &placed).await
}

/// Bob sends Alice to Carol (RFC 3515).
async fn is_transferred(alice: &User, bob: &User, carol: &User) -> Outcome {
    let (placed, taken) = alice.calls(bob).await?;
    let mut transfer = within(taken.transfer(&carol.address())).await?;
    let asked = within(alice.endpoint.incoming_transfer()).await?;
    assert!(asked.is_of(&placed));
    let (moved, at_carol) = tokio::join!(within(asked.accept()), carol.answers());
    let (moved, at_carol) = (moved?, at_carol?);
    within(transfer.finished()).await?;
    hang_up(&taken, &placed).await?;
    hear_each_other(&moved, &at_carol).await?;
    hang_up(&moved, &at_carol).await
}

/// Bob asks Carol first, and then puts Alice in his place (RFC 3891).
async fn is_put_in_the_place_of_another(alice: &User, bob: &User, carol: &User) -> Outcome {
    let (placed, taken) = alice.calls(bob).await?;
    let (asking, asked) = bob.calls(carol).await?;
    let mut transfer = within(taken.transfer_to(&asking)).await?;
    let wanted = within(alice.endpoint.incoming_transfer()).await?;
    let (moved, at_carol) = tokio::join!(within(wanted.accept()), carol.answers());
    let (moved, at_carol) = (moved?, at_carol?);
    assert!(at_carol.replaces(&asked));
    within(transfer.finished()).await?;
    within(asking.ended()).await?;
    hang_up(&taken, &placed).await?;
    hear_each_other(&moved, &at_carol).await?;
    hang_up(&at_carol, &moved).await
}

async fn writes_to(alice: &User, bob: &User) -> Outcome {
    let address = bob.address();
    let (sent, read) = tokio::join!(within(alice.account.message(&address, "hello")), async {
        let message = within(bob.endpoint.incoming_request()).await?;
        assert_eq!((message.method(), message.text().as_deref()), (Method::MESSAGE, Some("hello")));
        within(message.accept()).await
    });
    sent.and(read)
}

/// Alice hears of Bob's messages (RFC 3842).
async fn subscribes_to(alice: &User, bob: &User) -> Outcome {
    let summary = "application/simple-message-summary";
    let watching = alice.account.subscribe(&bob.address(), &EventPackage::MESSAGE_SUMMARY);
    let watching = within(watching.open()).await?;
    let watcher = within(bob.endpoint.subscriber()).await?;
    within(watcher.accept(summary, "Messages-Waiting: no\r\n")).await?;
    within(watcher.notify(summary, "Messages-Waiting: yes\r\n")).await?;
    for told in ["no", "yes"] {
        let news = timeout(LONG, watching.next()).await?;
        let text = news.and_then(|news| news.text());
        assert_eq!(text, Some(format!("Messages-Waiting: {told}\r\n")));
    }
    within(watching.unsubscribe()).await?;
    assert_eq!(within(watcher.ended()).await?, SubscriberEnd::Unsubscribed);
    Ok(())
}

/// A user with a telephone, which can be reached only through the provider unless it is on UDP.
struct User {
    name: &'static str,
    endpoint: Endpoint,
    account: Account,
}

impl User {
    fn builder(kamailio: &Kamailio, name: &str) -> Result<offhook::Builder, Failure> {
        let dns = Dns::servers([]).host(Kamailio::DOMAIN, [Ipv4Addr::LOCALHOST.into()]);
        let roots = Roots::from_pem(kamailio.authority().pem().as_bytes())?;
        Ok(Endpoint::builder(&Kamailio::address(name))
            .dns(dns)
            .client_tls(ClientTls::new(roots))
            .take_transfers(true)
            .answer_requests([Method::MESSAGE])
            .event_packages([EventPackage::MESSAGE_SUMMARY]))
    }

    async fn register(
        kamailio: &Kamailio,
        name: &'static str,
        transport: &str,
    ) -> Result<Self, Failure> {
        Self::register_as(kamailio, name, transport, None).await
    }

    /// With an instance, outbound and a GRUU are asked for.
    async fn register_as(
        kamailio: &Kamailio,
        name: &'static str,
        transport: &str,
        instance: Option<&str>,
    ) -> Result<Self, Failure> {
        let builder = Self::builder(kamailio, name)?;
        let endpoint = match transport {
            "udp" => builder.bind("127.0.0.1:0").await?,
            _ => builder.start().await?,
        };
        let account = endpoint.account(&Kamailio::address(name));
        let account = match instance {
            Some(instance) => account.instance(instance).outbound(1),
            None => account,
        };
        let account = account
            .registrar(&kamailio.uri(transport))
            .proxy(&format!("{};lr", kamailio.uri(transport)))
            .login(Login::new(Kamailio::DOMAIN, name, Kamailio::password(name)))
            .open()
            .await?;
        within(account.registered()).await?;
        Ok(Self { name, endpoint, account })
    }

    fn address(&self) -> String {
        Kamailio::address(self.name)
    }

    /// Takes the next call.
    async fn answers(&self) -> Result<Call, Failure> {
        let call = within(self.endpoint.incoming()).await?;
        within(call.ring()).await?;
        within(call.answer()).await?;
        Ok(call)
    }

    /// A call that stands.
    async fn calls(&self, other: &Self) -> Result<(Call, Call), Failure> {
        let address = other.address();
        let (placed, taken) = tokio::join!(within(self.account.call(&address)), other.answers());
        let (placed, taken) = (placed?, taken?);
        within(placed.answered()).await?;
        within(taken.answered()).await?;
        Ok((placed, taken))
    }

    /// A whole call, which the callee ends.
    async fn talks_to(&self, other: &Self) -> Outcome {
        let (placed, taken) = self.calls(other).await?;
        hear_each_other(&placed, &taken).await?;
        hang_up(&taken, &placed).await
    }
}

/// Each hears the tone that the other plays.
async fn hear_each_other(one: &Call, other: &Call) -> Outcome {
    for (mouth, ear) in [(one, other), (other, one)] {
        let audio = within(ear.audio()).await?;
        let mouth = mouth.clone();
        let playing =
            tokio::spawn(async move { mouth.play(ToneSource::new(8_000, 440.0, 0.5)).await });
        let loud = |samples: &[i16]| samples.iter().any(|sample| sample.unsigned_abs() > 1_000);
        let heard = async {
            while let Some(frame) = audio.heard.receive().await {
                if loud(&frame.samples) {
                    return Ok(());
                }
            }
            Err(Failure::new("the call is over before anything was heard"))
        };
        timeout(LONG, heard).await??;
        playing.abort();
    }
    Ok(())
}

/// The first one hangs up.
async fn hang_up(one: &Call, other: &Call) -> Outcome {
    assert_eq!(within(one.hang_up()).await?.ending, Ending::Signalling(End::HungUp));
    assert_eq!(within(other.ended()).await?.ending, Ending::Signalling(End::PeerHungUp));
    Ok(())
}

/// Their registrations are removed: the provider answers.
async fn leave(users: Vec<User>, kamailio: Kamailio) -> Outcome {
    for user in users {
        assert_eq!(within(user.account.unregister()).await?, Some(StatusCode::OK), "{}", user.name);
        timeout(LONG, user.endpoint.shutdown()).await?;
    }
    kamailio.stop()
}

/// Waits for what a peer must bring about, but not for ever.
async fn within<T>(what: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    Ok(timeout(LONG, what).await??)
}

const INSTANCE: &str = "urn:uuid:00000000-0000-1000-8000-000a95a0e128";
/// Nothing here lasts longer.
const LONG: Duration = Duration::from_secs(20);
