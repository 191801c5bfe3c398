//! Who is trusted, and who is not.

use std::time::Duration;

use offhook_sansio::Protocol;
use offhook_tokio::{
    Builder, Dns, Endpoint, Error, Listener, ServerTls, StreamSettings, TlsError, TlsIdentity,
};

use crate::support::{Authority, builder, listening, quiet, talk, uri, within};

/// How Bob is called by his name.
fn named(bob: &Endpoint, name: &str) -> String {
    format!("sips:bob@{name}:{}", bob.address_of(Protocol::Tls).unwrap().port())
}

fn alice() -> Builder {
    let loopback = [[127, 0, 0, 1].into()];
    let names = ["bob.example", "eve.example", "sip.bob.example"];
    let dns = names.iter().fold(Dns::system(), |dns, name| dns.host(name, loopback));
    builder("alice").dns(dns)
}

async fn refusal(alice: &Endpoint, uri: &str) -> String {
    match within(alice.call(uri)).await {
        Err(Error::Unreachable { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_is_known_by_the_name_in_the_uri() {
    let authority = Authority::new();
    let listener = Listener::tls("127.0.0.1:0", authority.server(&["bob.example"]));
    let bob = listening("bob", listener).await;
    let alice = alice().client_tls(authority.client()).start().await.unwrap();
    talk(&alice, &bob, &named(&bob, "bob.example"), true).await;

    // The connection to bob.example is open, and leads to the same address and port.
    let reason = refusal(&alice, &named(&bob, "eve.example")).await;
    assert!(reason.contains("not valid for name"), "{reason}");
    let reason = refusal(&alice, &uri(&bob, Protocol::Tls)).await;
    assert!(reason.contains("not valid for name"), "{reason}");
    assert_eq!(alice.stream_statistics().failed_connects, 2);
}

/// RFC 5922 §7.1: `sip:` URIs without a user are names of domains, and where there is one, DNS names
/// are none.
#[tokio::test]
async fn a_server_is_known_by_a_sip_uri_of_its_certificate() {
    let authority = Authority::new();
    for (uris, known) in [
        (&["SIP:Bob.Example"][..], true),
        (&["sip:carol@bob.example", "https://eve.example", "sip:bob.example;lr"], true),
        (&["sip:other.example"], false),
        (&["sips:other.example", "sip:carol@bob.example", "https://eve.example"], false),
    ] {
        let identity = authority.identity_of_uris(uris, "eve.example");
        let listener = Listener::tls("127.0.0.1:0", ServerTls::new(identity));
        let bob = listening("bob", listener).await;
        let alice = alice().client_tls(authority.client()).start().await.unwrap();
        // The DNS name counts where no sip: URI does.
        let by_dns = !uris.iter().any(|uri| sip_domain(uri));
        for (name, known) in [("bob.example", known), ("eve.example", by_dns)] {
            match known {
                true => talk(&alice, &bob, &named(&bob, name), true).await,
                false => {
                    let reason = refusal(&alice, &named(&bob, name)).await;
                    assert!(reason.contains("not valid for name"), "{uris:?} {name} {reason}");
                }
            }
        }
    }
}

fn sip_domain(uri: &str) -> bool {
    uri.to_ascii_lowercase().starts_with("sip:") && !uri.contains('@')
}

/// RFC 5922 §7.2.
#[tokio::test]
async fn a_wildcard_names_nobody_unless_it_is_allowed() {
    let authority = Authority::new();
    let listener = Listener::tls("127.0.0.1:0", authority.server(&["*.bob.example"]));
    let bob = listening("bob", listener).await;
    let strict = alice().client_tls(authority.client()).start().await.unwrap();
    let reason = refusal(&strict, &named(&bob, "sip.bob.example")).await;
    assert!(reason.contains("not valid for name"), "{reason}");
    assert!(reason.contains("*.bob.example"), "{reason}");
    let lax = alice().client_tls(authority.client().allow_wildcards(true)).start().await.unwrap();
    talk(&lax, &bob, &named(&bob, "sip.bob.example"), false).await;
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_refused() {
    let listener = Listener::tls("127.0.0.1:0", Authority::new().server(&["127.0.0.1"]));
    let bob = listening("bob", listener).await;
    let alice = alice().client_tls(Authority::new().client()).start().await.unwrap();
    let reason = refusal(&alice, &uri(&bob, Protocol::Tls)).await;
    assert!(reason.contains("invalid peer certificate"), "{reason}");
}

#[tokio::test]
async fn a_server_may_ask_for_the_certificate_of_its_clients() {
    let authority = Authority::new();
    let tls = authority.server(&["127.0.0.1"]).require_client_certificates(authority.roots());
    let bob = listening("bob", Listener::tls("127.0.0.1:0", tls)).await;

    let known = authority.client().identity(authority.identity(&["alice.example"]));
    let alice = builder("alice").client_tls(known).start().await.unwrap();
    talk(&alice, &bob, &uri(&bob, Protocol::Tls), false).await;

    let foreign = Authority::new().identity(&["alice.example"]);
    for tls in [authority.client(), authority.client().identity(foreign)] {
        let stranger = builder("mallory").client_tls(tls).start().await.unwrap();
        // In TLS 1.3 the client learns of it after its own part of the handshake.
        match within(stranger.call(&uri(&bob, Protocol::Tls))).await {
            Err(Error::Unreachable { .. }) => {}
            Ok(call) => assert!(within(call.answered()).await.is_err()),
            Err(other) => panic!("{other}"),
        }
    }
    assert_eq!(bob.stream_statistics().failed_handshakes, 2);
}

#[tokio::test]
async fn a_secure_call_does_not_fall_back_to_tcp() {
    let bob = listening("bob", Listener::tcp("127.0.0.1:0")).await;
    // A server that speaks no TLS waits for more, and so would Alice.
    let settings = StreamSettings { connect_time: Duration::from_millis(100), ..quiet() };
    let alice = alice().client_tls(Authority::new().client()).streams(settings);
    let alice = alice.start().await.unwrap();
    let address = bob.address_of(Protocol::Tcp).unwrap();
    refusal(&alice, &format!("sips:bob@{address}")).await;
    refusal(&alice, &format!("sips:bob@{address};transport=tcp")).await;
}

#[test]
fn keys_that_are_none_are_refused() {
    let refused = |chain: &str, key: &str| {
        TlsIdentity::from_pem(chain.as_bytes(), key.as_bytes()).unwrap_err()
    };
    assert!(matches!(refused("", ""), TlsError::Pem(_)));
    assert!(matches!(refused("-----BEGIN CERTIFICATE-----\nAAAA\n", ""), TlsError::Pem(_)));
    let silent = format!("{:?}", Authority::new().identity(&["a.example"]));
    assert_eq!(silent, "TlsIdentity { certificates: 1 }");
}
