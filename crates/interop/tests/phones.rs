//! baresip over each transport, called and calling, with sound. One test at a time:
//! `--test-threads=1`.

use std::{future::Future, time::Duration};

use offhook::{
    Call, ClientTls, Endpoint, Error, Listener, Roots, ServerTls, TlsIdentity, audio::ToneSource,
    core::Ending, sansio::Protocol, sip::End,
};
use offhook_interop::{Authority, Baresip, Failure, Source, Stage};
use tokio::time::timeout;

type Outcome = Result<(), Failure>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn baresip_is_called_and_calls_over_udp() -> Outcome {
    is_called_and_calls("udp", Protocol::Udp).await
}

/// Whatever is dialled, baresip appends the transport of its account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_transport_that_baresip_says_twice_is_taken() -> Outcome {
    let (stage, authority) = (Stage::new("baresip_twice")?, Authority::new()?);
    let baresip = Baresip::start_over("udp", &stage, Source::Echo, "PCMU/8000/1", &authority)?;
    let endpoint = endpoint(&authority, Protocol::Udp).await?;
    let address = endpoint.local_address();
    baresip.dial(&format!("sip:offhook@{address};transport=udp"))?;
    let taken = within(endpoint.incoming()).await?;
    assert!(!taken.to().uri.to_string().contains("udp;"), "{}", taken.to());
    within(taken.answer()).await?;
    within(taken.answered()).await?;
    within(taken.hang_up()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn baresip_is_called_and_calls_over_tcp() -> Outcome {
    is_called_and_calls("tcp", Protocol::Tcp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn baresip_is_called_and_calls_over_tls() -> Outcome {
    is_called_and_calls("tls", Protocol::Tls).await
}

async fn is_called_and_calls(transport: &str, protocol: Protocol) -> Outcome {
    let stage = Stage::new(&format!("baresip_{transport}"))?;
    let authority = Authority::new()?;
    let baresip = Baresip::start_over(transport, &stage, Source::Echo, "PCMU/8000/1", &authority)?;
    let endpoint = endpoint(&authority, protocol).await?;

    let placed = within(endpoint.call(&baresip.uri_over(transport))).await?;
    within(placed.answered()).await?;
    hears_the_echo(&placed).await?;
    assert_eq!(within(placed.hang_up()).await?.ending, Ending::Signalling(End::HungUp));
    baresip.says("session closed")?;

    let address = endpoint.address_of(protocol).ok_or_else(|| Failure::new("no listener"))?;
    baresip.dial(&format!("sip:offhook@{address}"))?;
    let taken = within(endpoint.incoming()).await?;
    within(taken.answer()).await?;
    within(taken.answered()).await?;
    hears_the_echo(&taken).await?;
    baresip.hang_up()?;
    assert_eq!(within(taken.ended()).await?.ending, Ending::Signalling(End::PeerHungUp));
    Ok(())
}

/// One that listens over `protocol` alone.
async fn endpoint(authority: &Authority, protocol: Protocol) -> Result<Endpoint, Failure> {
    let identity = authority.identity(&["127.0.0.1"])?;
    let identity = TlsIdentity::from_pem(identity.certificate.as_bytes(), identity.key.as_bytes())?;
    let roots = Roots::from_pem(authority.pem().as_bytes())?;
    let builder = Endpoint::builder("sip:offhook@127.0.0.1").client_tls(ClientTls::new(roots));
    let any = "127.0.0.1:0";
    let listener = match protocol {
        Protocol::Tls => Listener::tls(any, ServerTls::new(identity)),
        Protocol::Tcp => Listener::tcp(any),
        _ => Listener::udp(any),
    };
    Ok(builder.listen(listener).start().await?)
}

/// What is said comes back.
async fn hears_the_echo(call: &Call) -> Outcome {
    let audio = within(call.audio()).await?;
    let mouth = call.clone();
    let saying = tokio::spawn(async move { mouth.play(ToneSource::new(8_000, 440.0, 0.5)).await });
    let heard = async {
        while let Some(frame) = audio.heard.receive().await {
            if frame.samples.iter().any(|sample| sample.unsigned_abs() > 1_000) {
                return Ok(());
            }
        }
        Err(Failure::new("the call is over before anything was heard"))
    };
    timeout(LONG, heard).await??;
    saying.abort();
    Ok(())
}

/// Waits for what a peer must bring about, but not for ever.
async fn within<T>(what: impl Future<Output = Result<T, Error>>) -> Result<T, Failure> {
    Ok(timeout(LONG, what).await??)
}

/// Nothing here lasts longer.
const LONG: Duration = Duration::from_secs(20);
