//! Endpoints, and waiting for what happens.

use std::{net::SocketAddr, time::Duration};

use offhook_sip::{BackOff, Config};
use offhook_tokio::{Account, Builder, Call, Endpoint, Listener, RegistrationState};

pub(crate) const T1: Duration = Duration::from_millis(20);

/// The SIP settings of the tests: short timers, and a second after each failure.
pub(crate) fn sip() -> Config {
    let second = Duration::from_secs(1);
    let back_off = BackOff { max: second, base: second, base_with_others: second };
    Config { t1: T1, back_off, ..Config::default() }
}

pub(crate) fn builder(name: &str) -> Builder {
    Endpoint::builder(&format!("sip:{name}@127.0.0.1")).sip(sip())
}

/// An endpoint on UDP and TCP.
pub(crate) async fn endpoint(name: &str) -> Endpoint {
    let tcp = Listener::tcp("127.0.0.1:0");
    builder(name).listen(tcp).bind("127.0.0.1:0").await.unwrap()
}

pub(crate) async fn within<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), future).await.expect("it waits for ever")
}

pub(crate) fn uri(name: &str, address: SocketAddr) -> String {
    format!("sip:{name}@{address}")
}

/// Waits for a state of the registration.
pub(crate) async fn state(
    account: &Account,
    seen: impl FnMut(&RegistrationState) -> bool,
) -> RegistrationState {
    within(account.states().wait_for(seen)).await.unwrap().clone()
}

/// A call that both sides know to stand.
pub(crate) async fn standing(alice: &Endpoint, bob: &Endpoint) -> (Call, Call) {
    let placed = within(alice.call(&uri("bob", bob.local_address()))).await.unwrap();
    let taken = within(bob.incoming()).await.unwrap();
    taken.answer().await.unwrap();
    within(placed.answered()).await.unwrap();
    within(taken.answered()).await.unwrap();
    (placed, taken)
}
