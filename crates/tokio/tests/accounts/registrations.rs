//! An account registers, refreshes, goes elsewhere and leaves by itself.

use std::time::Duration;

use offhook_sansio::Protocol;
use offhook_sip::Login;
use offhook_sip_message::{HeaderName, StatusCode};
use offhook_tokio::{Account, Dns, Endpoint, Error, RegistrationFault, RegistrationState};

use crate::{
    peer::field,
    registrar::{REALM, Registrar, Ways},
    support::{builder, endpoint, state, within},
};

async fn account(endpoint: &Endpoint, registrar: &Registrar) -> Account {
    endpoint.account("sip:alice@example.com").registrar(&registrar.uri()).open().await.unwrap()
}

fn failed(state: &RegistrationState) -> bool {
    matches!(state, RegistrationState::Failed { .. })
}

fn with_password() -> Ways {
    Ways { password: Some("secret"), ..Ways::default() }
}

#[tokio::test]
async fn an_account_registers_and_proves_who_it_is() {
    for over_tcp in [false, true] {
        let mut registrar = match over_tcp {
            false => Registrar::udp(with_password()).await,
            true => Registrar::tcp(with_password()).await,
        };
        let alice = endpoint("alice").await;
        let protocol = if over_tcp { Protocol::Tcp } else { Protocol::Udp };
        let account = alice
            .account("sip:alice@example.com")
            .registrar(&registrar.uri())
            .login(Login::new(REALM, "alice", "secret"))
            .transport(protocol)
            .open()
            .await
            .unwrap();
        let registered = within(account.registered()).await.unwrap();
        assert_eq!(registered.expires, Duration::from_secs(3600));
        assert_eq!(registered.flow.protocol, protocol);
        assert!(account.state().is_registered());
        let first = registrar.heard().await;
        assert!(first.starts_with("REGISTER sip:127.0.0.1:"), "{first}");
        assert!(!first.contains("Authorization:"));
        assert!(field(&registrar.heard().await, "Authorization").contains("username=\"alice\""));
    }
}

#[tokio::test]
async fn a_wrong_password_is_not_tried_for_ever() {
    let mut registrar = Registrar::udp(with_password()).await;
    let alice = endpoint("alice").await;
    let builder = alice.account("sip:alice@example.com").registrar(&registrar.uri());
    let account = builder.login(Login::any_realm("alice", "wrong")).open().await.unwrap();
    let refused = within(account.registered()).await;
    let Err(Error::NotRegistered(RegistrationFault::Refused(status))) = refused else {
        panic!("{refused:?}")
    };
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let RegistrationState::Failed { next_try: None, stands: false, .. } = account.state() else {
        panic!("{:?}", account.state())
    };
    registrar.heard().await;
    registrar.heard().await;
    // It is mended at the registrar, and the user asks again.
    registrar.change(|ways| ways.password = Some("wrong"));
    account.refresh().await.unwrap();
    within(account.registered()).await.unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn a_registrar_that_wants_longer_times_gets_them_and_short_ones_are_refreshed() {
    let mut registrar = Registrar::udp(Ways { least: 120, ..Ways::default() }).await;
    let alice = endpoint("alice").await;
    let builder = alice.account("sip:alice@example.com").registrar(&registrar.uri());
    let account = builder.expires(Duration::from_secs(60)).open().await.unwrap();
    let registered = within(account.registered()).await.unwrap();
    assert_eq!(registered.expires, Duration::from_secs(120));
    assert_eq!(field(&registrar.heard().await, "Expires"), "60");
    assert_eq!(field(&registrar.heard().await, "Expires"), "120");

    registrar.change(|ways| (ways.grants, ways.least) = (2, 0));
    account.refresh().await.unwrap();
    let first = registrar.heard().await;
    let again = registrar.heard().await;
    assert_eq!(field(&first, "Call-ID"), field(&again, "Call-ID"));
    assert_ne!(field(&first, "CSeq"), field(&again, "CSeq"));
}

#[tokio::test]
async fn a_registrar_that_is_gone_is_found_again_when_it_is_back() {
    let registrar = Registrar::udp(Ways { silent: true, ..Ways::default() }).await;
    let address = registrar.address;
    let alice = endpoint("alice").await;
    let account = account(&alice, &registrar).await;
    let RegistrationState::Failed { fault, next_try, stands } = state(&account, failed).await
    else {
        panic!()
    };
    assert_eq!(fault, RegistrationFault::Refused(StatusCode::REQUEST_TIMEOUT));
    assert!(next_try.is_some() && !stands);
    registrar.stop().await;
    let _back = Registrar::udp_at(address, Ways::default()).await;
    within(account.registered()).await.unwrap();
}

#[tokio::test]
async fn a_registrar_that_cannot_be_connected_to_is_tried_again() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let alice = endpoint("alice").await;
    let builder = alice.account("sip:alice@example.com");
    let registrar = format!("sip:{address};transport=tcp");
    let account = builder.registrar(&registrar).open().await.unwrap();
    let RegistrationState::Failed { fault, next_try, .. } = state(&account, failed).await else {
        panic!()
    };
    assert!(matches!(fault, RegistrationFault::Unreachable(_)), "{fault}");
    assert!(next_try.is_some());
    let listener = tokio::net::TcpListener::bind(address).await.unwrap();
    within(listener.accept()).await.unwrap();
}

#[tokio::test]
async fn the_next_server_is_tried_when_one_is_silent_unavailable_or_gone() {
    let unavailable =
        Ways { refuses: Some((StatusCode::SERVICE_UNAVAILABLE, Some(60))), ..Ways::default() };
    let silent = Ways { silent: true, ..Ways::default() };
    for ways in [unavailable, silent] {
        // The same port at two addresses of the one name.
        let first = Registrar::udp(ways).await;
        let port = first.address.port();
        let second = format!("127.0.0.2:{port}").parse().unwrap();
        let mut second = Registrar::udp_at(second, Ways::default()).await;
        let hosts = ["127.0.0.1", "127.0.0.2"].map(|host| host.parse().unwrap());
        let dns = Dns::system().host("registrar.example", hosts);
        let alice = builder("alice").dns(dns).bind("0.0.0.0:0").await.unwrap();
        let builder = alice.account("sip:alice@registrar.example");
        let registrar = format!("sip:registrar.example:{port}");
        let account = builder.registrar(&registrar).open().await.unwrap();
        let registered = within(account.registered()).await.unwrap();
        assert_eq!(registered.flow.remote, second.address);
        assert!(second.heard().await.starts_with("REGISTER sip:registrar.example"));
    }
}

#[tokio::test]
async fn a_lost_connection_is_made_anew_at_once() {
    let mut registrar = Registrar::tcp(Ways::default()).await;
    let alice = endpoint("alice").await;
    let builder = alice.account("sip:alice@example.com").registrar(&registrar.uri());
    let account = builder.transport(Protocol::Tcp).open().await.unwrap();
    let before = within(account.registered()).await.unwrap().flow;
    registrar.heard().await;
    registrar.cut();
    let moved = |state: &RegistrationState| match state {
        RegistrationState::Registered(registered) => registered.flow != before,
        _ => false,
    };
    state(&account, moved).await;
    registrar.heard().await;
}

#[tokio::test]
async fn the_registration_is_removed_with_its_last_handle_or_when_asked() {
    let mut registrar = Registrar::udp(Ways::default()).await;
    let alice = endpoint("alice").await;
    let account = account(&alice, &registrar).await;
    within(account.registered()).await.unwrap();
    assert_eq!(within(account.unregister()).await.unwrap(), Some(StatusCode::OK));
    let removed = |text: &str| field(text, "Expires") == "0";
    registrar.heard_of(removed).await;
    let Err(Error::NotRegistered(RegistrationFault::Removed)) = account.registered().await else {
        panic!("registered")
    };
    account.refresh().await.unwrap();
    within(account.registered()).await.unwrap();
    let copy = account.clone();
    drop(account);
    assert!(copy.state().is_registered());
    registrar.heard_of(|text| field(text, "Expires") == "3600").await;
    assert!(!registrar.has_heard());
    drop(copy);
    let last = registrar.heard().await;
    assert!(removed(&last), "{last}");
}

#[tokio::test]
async fn every_setting_of_an_account_is_seen_in_its_register() {
    let mut proxy = Registrar::udp(Ways::default()).await;
    let alice = endpoint("alice").await;
    let mut parameters = offhook_sip_message::Parameters::new();
    parameters.set("q", Some("0.5"));
    let push = offhook_sip::Push {
        provider: "webpush".into(),
        prid: "device".into(),
        param: Some("topic".into()),
    };
    let account = alice
        .account("sip:alice@example.com")
        .display_name("Alice")
        .registrar("sip:registrar.example.com")
        .proxy(&format!("sip:{};lr", proxy.address))
        .expires(Duration::from_secs(1234))
        .contact("sip:alice@192.0.2.1:5070")
        .contact_parameters(parameters)
        .instance("urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
        .outbound(1)
        .push(push)
        .header(HeaderName::SUBJECT, "here I am")
        .open()
        .await
        .unwrap();
    within(account.registered()).await.unwrap();
    let text = proxy.heard().await;
    assert!(text.starts_with("REGISTER sip:registrar.example.com SIP/2.0"), "{text}");
    assert!(field(&text, "From").starts_with("Alice <sip:alice@example.com>"), "{text}");
    assert_eq!(field(&text, "Route"), format!("<sip:{};lr>", proxy.address));
    assert_eq!(field(&text, "Expires"), "1234");
    assert_eq!(field(&text, "Subject"), "here I am");
    let contact = field(&text, "Contact");
    for part in [
        "sip:alice@192.0.2.1:5070",
        "q=0.5",
        "+sip.instance=\"<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>\"",
        "reg-id=1",
        "pn-provider=webpush",
        "pn-prid=device",
        "pn-param=topic",
    ] {
        assert!(contact.contains(part), "{part} in {contact}");
    }
    account.set_push(None).await.unwrap();
    let text = proxy.heard().await;
    assert!(!field(&text, "Contact").contains("pn-"), "{text}");
}

#[tokio::test]
async fn settings_that_contradict_each_other_are_refused() {
    let alice = endpoint("alice").await;
    let address = "sip:alice@example.com";
    let alone = alice.account(address).outbound(1).open().await;
    assert!(matches!(alone, Err(Error::Account(_))), "{alone:?}");
    let zero = alice.account(address).instance("urn:uuid:1").outbound(0).open().await;
    assert!(matches!(zero, Err(Error::Account(_))), "{zero:?}");
    let strict = alice.account(address).proxy("sip:proxy.example.com").open().await;
    assert!(matches!(strict, Err(Error::Account(_))), "{strict:?}");
    assert!(matches!(alice.account("alice").open().await, Err(Error::Uri { .. })));
    assert!(matches!(alice.account("tel:+1555").open().await, Err(Error::Account(_))));
    let nowhere = alice.account(address).without_registrar().open().await.unwrap();
    assert!(matches!(nowhere.state(), RegistrationState::Unneeded));
    assert!(matches!(nowhere.registered().await, Err(Error::NoRegistrar)));
    assert!(matches!(nowhere.refresh().await, Err(Error::NoRegistrar)));
    assert!(matches!(nowhere.unregister().await, Err(Error::NoRegistrar)));
}
