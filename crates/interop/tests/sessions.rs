//! What SIPp does in and around a call: offers in odd places, hold, reliable ringing, redirects,
//! challenges, forks and crossings. One test at a time: `--test-threads=1`.

use std::{future::Future, net::Ipv4Addr, time::Duration};

use offhook::{
    Builder, Call, Dns, Endpoint, Hold,
    core::Ending,
    sip::{End, Login, ReliableProvisionals, SessionTimer},
    sip_message::StatusCode,
};
use offhook_interop::{Failure, Ports, Scenario, Sipp, Stage};
use tokio::time::timeout;

type Outcome = Result<(), Failure>;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_wants_an_offer_gets_one_and_answers_it_in_its_ack() -> Outcome {
    let (call, mut sipp) = called_by("offers_late", builder()).await?;
    within(call.answer()).await?;
    within(call.answered()).await?;
    assert_eq!(within(call.sample_rate()).await?, 8_000);
    hung_up_by_sipp(&call, &mut sipp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_holds_goes_on_and_asks_for_an_offer() -> Outcome {
    let (call, mut sipp) = called_by("holds_and_resumes", builder()).await?;
    within(call.answer()).await?;
    let held = within(call.held_other_than(Hold::default())).await?;
    assert_eq!(held, Hold { by_us: false, by_peer: true });
    assert_eq!(within(call.held_other_than(held)).await?, Hold::default());
    hung_up_by_sipp(&call, &mut sipp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_holds_and_goes_on_by_update() -> Outcome {
    let (call, mut sipp) = called_by("updates", builder()).await?;
    within(call.answer()).await?;
    let held = within(call.held_other_than(Hold::default())).await?;
    assert_eq!(within(call.held_other_than(held)).await?, Hold::default());
    hung_up_by_sipp(&call, &mut sipp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sipp_is_held_and_gone_on_with() -> Outcome {
    let (call, mut sipp, _endpoint) = calls("is_held", builder()).await?;
    within(call.answered()).await?;
    within(call.hold()).await?;
    assert_eq!(call.held(), Hold { by_us: true, by_peer: false });
    within(call.resume()).await?;
    hung_up_by_us(&call, &mut sipp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_in_a_reliable_183_is_heard_and_acknowledged() -> Outcome {
    let builder = builder().reliable_provisionals(ReliableProvisionals::Supported);
    let (call, mut sipp, _endpoint) = calls("rings_reliably", builder).await?;
    assert_eq!(within(call.progress()).await?, StatusCode::SESSION_PROGRESS);
    assert_eq!(within(call.sample_rate()).await?, 8_000, "early media");
    within(call.answered()).await?;
    hung_up_by_us(&call, &mut sipp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reliable_ringing_is_given_to_who_requires_it() -> Outcome {
    let (call, mut sipp) = called_by("requires_reliable_ringing", builder()).await?;
    within(call.ring()).await?;
    within(call.answer()).await?;
    within(call.answered()).await?;
    hung_up_by_sipp(&call, &mut sipp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_is_followed_to_the_other_sipp() -> Outcome {
    let (stage, ports) = (Stage::new("sipp_has_moved_to")?, Ports::free()?);
    let mut other = Sipp::answer(&stage, Scenario::BuiltIn("uas"), ports, 1)?;
    let scenario = Scenario::Pointing("has_moved", ports.sip);
    let (call, mut sipp, _endpoint) =
        calling(scenario, "has_moved", builder().redirects(1)).await?;
    within(call.answered()).await?;
    within(call.hang_up()).await?;
    sipp.all_succeed(LONG)?;
    other.all_succeed(LONG)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_says_503_gives_way_to_the_next() -> Outcome {
    let (first, second) = (Stage::new("sipp_is_unavailable")?, Stage::new("sipp_is_next")?);
    let ports = Ports::free()?;
    let mut full = Sipp::answer(&first, Scenario::Ours("is_unavailable"), ports, 1)?;
    let other = Ipv4Addr::new(127, 0, 0, 2);
    let mut next = Sipp::answer_at(other, &second, Scenario::BuiltIn("uas"), ports, 1)?;
    let hosts = [Ipv4Addr::LOCALHOST.into(), other.into()];
    let dns = Dns::servers([]).host("sipp.example", hosts);
    let endpoint = builder().dns(dns).bind("127.0.0.1:0").await?;
    let call = within(endpoint.call(&format!("sip:sipp@sipp.example:{}", ports.sip))).await?;
    within(call.answered()).await?;
    full.all_succeed(LONG)?;
    hung_up_by_us(&call, &mut next).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_callees_that_answer_the_second_is_hung_up_on() -> Outcome {
    let (call, mut sipp, _endpoint) = calls("answers_twice", builder()).await?;
    within(call.answered()).await?;
    // SIPp hangs the second one up before it takes the BYE of the first.
    let both = async {
        while !sipp.messages().unwrap_or_default().contains("BYE sip:") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(LONG, both).await?;
    hung_up_by_us(&call, &mut sipp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_200_that_crosses_the_cancel_is_acknowledged_and_hung_up() -> Outcome {
    let (call, mut sipp, _endpoint) = calls("answers_the_cancelled", builder()).await?;
    assert_eq!(within(call.progress()).await?, StatusCode::RINGING);
    let ended = within(call.hang_up()).await?;
    assert_eq!(ended.ending, Ending::Signalling(End::HungUp));
    sipp.all_succeed(LONG)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_interval_that_is_too_small_is_raised() -> Outcome {
    let timer = SessionTimer::requested(Duration::from_secs(300));
    let builder = builder().session_timer(timer);
    let (call, mut sipp, _endpoint) = calls("wants_a_longer_session", builder).await?;
    within(call.answered()).await?;
    hung_up_by_us(&call, &mut sipp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_strongest_algorithm_answers_each_challenge() -> Outcome {
    let (stage, ports) = (Stage::new("sipp_challenges_twice")?, Ports::free()?);
    let mut sipp = Sipp::answer(&stage, Scenario::Ours("challenges_twice"), ports, 1)?;
    let endpoint = builder().bind("127.0.0.1:0").await?;
    let account = endpoint
        .account("sip:alice@127.0.0.1")
        .without_registrar()
        .login(Login::new("here", "alice", "secret"))
        .login(Login::new("there", "alice", "other"))
        .open()
        .await?;
    let call = within(account.call(&format!("sip:sipp@127.0.0.1:{}", ports.sip))).await?;
    within(call.answered()).await?;
    hung_up_by_us(&call, &mut sipp).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ack_of_something_else_acknowledges_nothing() -> Outcome {
    let (call, mut sipp) = called_by("acknowledges_badly_first", builder()).await?;
    within(call.answer()).await?;
    within(call.answered()).await?;
    hung_up_by_sipp(&call, &mut sipp).await
}

fn builder() -> Builder {
    Endpoint::builder("sip:offhook@127.0.0.1")
}

/// SIPp calls; the call that comes.
async fn called_by(scenario: &'static str, builder: Builder) -> Result<(Call, Sipp), Failure> {
    let stage = Stage::new(&format!("sipp_{scenario}"))?;
    let endpoint = builder.bind("127.0.0.1:0").await?;
    let target = endpoint.local_address();
    let sipp = Sipp::call(&stage, Scenario::Ours(scenario), Ports::free()?, 1, target)?;
    // The endpoint goes on as long as its call.
    Ok((within(endpoint.incoming()).await?, sipp))
}

/// A call to SIPp.
async fn calls(
    scenario: &'static str,
    builder: Builder,
) -> Result<(Call, Sipp, Endpoint), Failure> {
    calling(Scenario::Ours(scenario), scenario, builder).await
}

async fn calling(
    scenario: Scenario,
    name: &str,
    builder: Builder,
) -> Result<(Call, Sipp, Endpoint), Failure> {
    let (stage, ports) = (Stage::new(&format!("sipp_{name}"))?, Ports::free()?);
    let sipp = Sipp::answer(&stage, scenario, ports, 1)?;
    let endpoint = builder.bind("127.0.0.1:0").await?;
    let call = within(endpoint.call(&format!("sip:sipp@127.0.0.1:{}", ports.sip))).await?;
    Ok((call, sipp, endpoint))
}

async fn hung_up_by_sipp(call: &Call, sipp: &mut Sipp) -> Outcome {
    let ended = within(call.ended()).await?;
    assert_eq!(ended.ending, Ending::Signalling(End::PeerHungUp));
    sipp.all_succeed(LONG)
}

async fn hung_up_by_us(call: &Call, sipp: &mut Sipp) -> Outcome {
    let ended = within(call.hang_up()).await?;
    assert_eq!(ended.ending, Ending::Signalling(End::HungUp));
    sipp.all_succeed(LONG)
}

/// Waits for what a peer must bring about, but not for ever.
async fn within<T>(what: impl Future<Output = Result<T, offhook::Error>>) -> Result<T, Failure> {
    Ok(timeout(LONG, what).await??)
}

/// No call here lasts longer.
const LONG: Duration = Duration::from_secs(40);
