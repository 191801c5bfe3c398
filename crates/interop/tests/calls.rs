//! Calls with real peers, over real sockets on 127.0.0.1. One at a time: `--test-threads=1`.

use std::{net::SocketAddr, path::Path, thread, time::Duration};

use offhook::{
    Endpoint,
    core::Ending,
    sip::{Config, End},
    sip_message::StatusCode,
};
use offhook_interop::{
    Baresip, Capture, Failure, Peer, Ports, Recording, Scenario, Sipp, Source, Stage, Trace,
    example, write_tone,
};
use tokio::time::timeout;

type Outcome = Result<(), Failure>;

#[test]
fn answer_call_takes_five_calls_of_sipp_and_tshark_finds_no_fault_in_our_packets() -> Outcome {
    let stage = Stage::new("sipp_uac")?;
    let (ours, target) = answer_call(&stage, &["--calls", "5", "--ring", "100ms"])?;
    let ports = Ports::free()?;
    let capture = Capture::start(&stage, ports)?;

    let mut sipp = Sipp::call(&stage, Scenario::BuiltIn("uac"), ports, 5, target)?;
    sipp.all_succeed(LONG)?;

    assert_eq!(sipp.figures()?, (5, 0), "calls that succeeded and failed");
    all_ended_well(ours, 5, "the far side hung up")?;
    let trace = capture.until("200 OK (BYE)", 5)?;
    trace.is_clean(&ports.not_from())?;
    // Five times 180, 200 to the INVITE and 200 to the BYE; repetitions are no fault.
    let ours = trace.packets(&format!("sip and {}", ports.not_from()))?;
    assert!(ours.len() >= 15, "{} packets", ours.len());
    Ok(())
}

#[test]
fn answer_call_hears_the_sound_that_sipp_plays() -> Outcome {
    let stage = Stage::new("sipp_uac_pcap")?;
    let tone = stage.file("tone.wav");
    write_tone(&tone, 8_000, 440.0, 20)?;
    let record = stage.file("heard.wav");
    let arguments =
        ["--calls", "1", "--ring", "0", "--play", text(&tone), "--record", text(&record)];
    let (ours, target) = answer_call(&stage, &arguments)?;
    let ports = Ports::free()?;
    let capture = Capture::start(&stage, ports)?;

    let mut sipp = Sipp::call(&stage, Scenario::BuiltIn("uac_pcap"), ports, 1, target)?;
    sipp.all_succeed(LONG)?;

    assert_eq!(sipp.figures()?, (1, 0), "calls that succeeded and failed");
    let statistics = all_ended_well(ours, 1, "the far side hung up")?;
    let played = Trace::of(Path::new(PLAYED)).packets("udp")?.len() as u64;
    assert!(statistics.starts_with("PCMA/8000: "), "{statistics}");
    let received = figure(&statistics, "received")?;
    assert!(received.abs_diff(played) <= 2, "of {played} packets: {statistics}");
    assert_eq!(figure(&statistics, "lost")?, 0, "{statistics}");

    let heard = Recording::read(&stage.file("heard-1.wav"))?;
    assert!((8.5..10.5).contains(&heard.seconds()), "{} s recorded", heard.seconds());
    assert!(heard.sounding() > 4.0, "{} s of sound", heard.sounding());

    let trace = capture.until("200 OK (BYE)", 1)?;
    trace.is_clean(&ports.not_from())?;
    let streams = trace.rtp_streams()?;
    let sent = streams.iter().find(|stream| stream.to == ports.media);
    let sent = sent.ok_or_else(|| Failure::new(format!("no stream to SIPp in {streams:?}")))?;
    assert!(sent.packets > 400 && sent.lost == 0, "{sent:?}");
    Ok(())
}

#[test]
fn place_call_calls_sipp_and_hangs_up() -> Outcome {
    let stage = Stage::new("sipp_uas")?;
    let tone = stage.file("tone.wav");
    write_tone(&tone, 8_000, 440.0, 2)?;
    let ports = Ports::free()?;
    let mut sipp = Sipp::answer(&stage, Scenario::BuiltIn("uas"), ports, 1)?;

    let ours = place_call(&stage, &sipp_uri(ports), &["--play", text(&tone)])?;

    assert_eq!(ended_well(ours)?, "ended: hung up");
    sipp.all_succeed(LONG)?;
    assert_eq!(sipp.figures()?, (1, 0), "calls that succeeded and failed");
    Ok(())
}

#[test]
fn place_call_and_baresip_hear_each_other() -> Outcome {
    let stage = Stage::new("baresip_answers")?;
    let (tone, record) = (stage.file("tone.wav"), stage.file("heard.wav"));
    write_tone(&tone, 8_000, 440.0, 4)?;
    let baresip = Baresip::start(&stage, Ports::free()?, Source::Tone(1_000.0), "PCMU/8000/1")?;

    let arguments = ["--play", text(&tone), "--record", text(&record)];
    let ours = place_call(&stage, &baresip.uri(), &arguments)?;

    assert_eq!(ended_well(ours)?, "ended: hung up");
    baresip.says("terminated")?;
    hears(&baresip.heard()?, 440.0, 3.5)?;
    hears(&record, 1_000.0, 3.0)
}

#[test]
fn baresip_calls_answer_call_and_echoes_what_it_hears_and_hangs_up() -> Outcome {
    let stage = Stage::new("baresip_calls")?;
    let (tone, record) = (stage.file("tone.wav"), stage.file("heard.wav"));
    write_tone(&tone, 8_000, 440.0, 20)?;
    let arguments = ["--calls", "1", "--play", text(&tone), "--record", text(&record)];
    let (ours, address) = answer_call(&stage, &arguments)?;
    let baresip = Baresip::start(&stage, Ports::free()?, Source::Echo, "PCMA/8000/1")?;

    baresip.dial(&format!("sip:offhook@{address}"))?;
    baresip.says("established")?;
    thread::sleep(CONVERSATION);
    baresip.hang_up()?;

    all_ended_well(ours, 1, "the far side hung up")?;
    hears(&baresip.heard()?, 440.0, 3.5)?;
    hears(&stage.file("heard-1.wav"), 440.0, 3.0)
}

#[test]
fn answer_call_hangs_up_on_baresip() -> Outcome {
    let stage = Stage::new("baresip_is_hung_up_on")?;
    let tone = stage.file("tone.wav");
    write_tone(&tone, 8_000, 440.0, 2)?;
    let (ours, address) = answer_call(&stage, &["--calls", "1", "--play", text(&tone)])?;
    let baresip = Baresip::start(&stage, Ports::free()?, Source::Echo, "PCMU/8000/1")?;

    baresip.dial(&format!("sip:offhook@{address}"))?;

    baresip.says("terminated")?;
    all_ended_well(ours, 1, "hung up")?;
    hears(&baresip.heard()?, 440.0, 1.5)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_callee_ends_the_call_with_486() -> Outcome {
    let stage = Stage::new("sipp_busy")?;
    let ports = Ports::free()?;
    let mut sipp = Sipp::answer(&stage, Scenario::Ours("busy"), ports, 1)?;

    let endpoint = endpoint(Config::default()).await?;
    let call = endpoint.call(&sipp_uri(ports)).await?;
    let ended = within(call.ended()).await?;

    assert_eq!(ended.status(), Some(StatusCode::BUSY_HERE));
    assert_eq!(ended.to_string(), "the far side refused: 486 Busy Here");
    sipp.all_succeed(LONG)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ringing_call_that_is_hung_up_is_cancelled_and_its_487_acknowledged() -> Outcome {
    let stage = Stage::new("sipp_cancelled")?;
    let ports = Ports::free()?;
    let mut sipp = Sipp::answer(&stage, Scenario::Ours("rings_until_cancelled"), ports, 1)?;

    let endpoint = endpoint(Config::default()).await?;
    let call = endpoint.call(&sipp_uri(ports)).await?;
    assert_eq!(within(call.progress()).await?, StatusCode::RINGING);
    let ended = within(call.hang_up()).await?;

    assert_eq!(ended.ending, Ending::Signalling(End::Cancelled));
    sipp.all_succeed(LONG)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callee_that_hangs_up_ends_the_call() -> Outcome {
    let stage = Stage::new("sipp_hangs_up")?;
    let ports = Ports::free()?;
    let mut sipp = Sipp::answer(&stage, Scenario::Ours("answers_and_hangs_up"), ports, 1)?;

    let endpoint = endpoint(Config::default()).await?;
    let call = endpoint.call(&sipp_uri(ports)).await?;
    within(call.answered()).await?;
    let ended = within(call.ended()).await?;

    assert_eq!(ended.ending, Ending::Signalling(End::PeerHungUp));
    sipp.all_succeed(LONG)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_never_acknowledged_is_repeated_and_then_hung_up() -> Outcome {
    let stage = Stage::new("sipp_never_acknowledges")?;
    // 64 * T1 are 6.4 seconds then.
    let t1 = Duration::from_millis(100);
    let endpoint = endpoint(Config { t1, ..Config::default() }).await?;
    let scenario = Scenario::Ours("never_acknowledges");
    let mut sipp = Sipp::call(&stage, scenario, Ports::free()?, 1, endpoint.local_address())?;

    let call = within(endpoint.incoming()).await?;
    within(call.answer()).await?;
    let ended = within(call.ended()).await?;

    assert_eq!(ended.ending, Ending::Signalling(End::NotAcknowledged));
    sipp.all_succeed(LONG)?;
    // Sent at once, and 0.1, 0.3, 0.7, 1.5, 3.1 and 6.3 seconds later (RFC 3261 §13.3.1.4).
    let answers = sipp.messages()?.matches("UDP message received").count();
    assert_eq!(answers, 9, "100, seven times 200, BYE");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_that_gives_up_while_it_rings_is_told_487() -> Outcome {
    let stage = Stage::new("sipp_gives_up")?;
    let endpoint = endpoint(Config::default()).await?;
    let scenario = Scenario::Ours("gives_up");
    let mut sipp = Sipp::call(&stage, scenario, Ports::free()?, 1, endpoint.local_address())?;

    let call = within(endpoint.incoming()).await?;
    within(call.ring()).await?;
    let ended = within(call.ended()).await?;

    assert_eq!(ended.ending, Ending::Signalling(End::PeerCancelled));
    sipp.all_succeed(LONG)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_whom_we_refuse_is_told_our_status() -> Outcome {
    let stage = Stage::new("sipp_is_refused")?;
    let endpoint = endpoint(Config::default()).await?;
    let scenario = Scenario::Ours("is_refused");
    let mut sipp = Sipp::call(&stage, scenario, Ports::free()?, 1, endpoint.local_address())?;

    let call = within(endpoint.incoming()).await?;
    within(call.reject(StatusCode::BUSY_HERE)).await?;
    let ended = within(call.ended()).await?;

    let status = StatusCode::BUSY_HERE;
    assert_eq!(ended.ending, Ending::Signalling(End::Refused { status }));
    sipp.all_succeed(LONG)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offer_without_a_common_codec_is_refused_with_488() -> Outcome {
    let stage = Stage::new("sipp_offers_g729")?;
    let endpoint = endpoint(Config::default()).await?;
    let scenario = Scenario::Ours("offers_g729");
    let mut sipp = Sipp::call(&stage, scenario, Ports::free()?, 1, endpoint.local_address())?;

    sipp.all_succeed(LONG)
}

#[test]
fn tshark_reads_the_capture_of_a_call_between_two_of_us() -> Outcome {
    let stage = Stage::new("two_party_call")?;
    let out = stage.file("out");
    let mut ours = example(&stage, "two_party_call", ["--seconds", "3", "--out", text(&out)])?;
    ours.succeeds(LONG)?;

    let trace = Trace::of(&out.join("call.pcap"));
    trace.is_clean("frame")?;
    for method in ["INVITE", "ACK", "BYE"] {
        let requests = trace.packets(&format!("sip.Method == \"{method}\""))?;
        assert_eq!(requests.len(), 1, "{method}: {requests:?}");
    }
    let streams = trace.rtp_streams()?;
    let [one, other] = streams.as_slice() else {
        return Err(Failure::new(format!("not two RTP streams: {streams:?}")));
    };
    assert_eq!((one.from, one.to), (other.to, other.from));
    assert!(streams.iter().all(|stream| stream.lost == 0 && stream.packets > 120), "{streams:?}");
    assert!(!trace.packets("rtcp")?.is_empty(), "no RTCP");
    Ok(())
}

/// Starts the example that takes calls, and gives the address it listens on.
fn answer_call(stage: &Stage, arguments: &[&str]) -> Result<(Peer, SocketAddr), Failure> {
    let arguments = [&["--bind", "127.0.0.1:0"], arguments].concat();
    let peer = example(stage, "answer_call", arguments)?;
    let line = peer.line("answering on", LONG)?;
    let address = line.trim_start_matches("answering on ").parse()?;
    Ok((peer, address))
}

/// Starts the example that places a call.
fn place_call(stage: &Stage, uri: &str, arguments: &[&str]) -> Result<Peer, Failure> {
    let arguments = [&[uri, "--bind", "127.0.0.1:0"], arguments].concat();
    example(stage, "place_call", arguments)
}

/// Waits until all calls of `answer_call` have ended in the same way, and gives the figures of
/// the last.
fn all_ended_well(mut ours: Peer, calls: usize, end: &str) -> Result<String, Failure> {
    ours.succeeds(LONG)?;
    let lines = ours.lines();
    let good =
        |line: &String| line.starts_with("call ") && line.ends_with(&format!("ended: {end}"));
    assert_eq!(lines.iter().filter(|line| good(line)).count(), calls, "{lines:?}");
    lines
        .into_iter()
        .rfind(|line| line.contains(" packets sent, "))
        .ok_or_else(|| Failure::new("no figures"))
}

/// Waits until `place_call` is done, and gives its line about the end of the call.
fn ended_well(mut ours: Peer) -> Result<String, Failure> {
    ours.succeeds(LONG)?;
    ours.line("ended: ", LONG)
}

/// The number before a word in the line of figures.
fn figure(statistics: &str, name: &str) -> Result<u64, Failure> {
    let parts = statistics.split([',', ':']).map(str::trim);
    let number = parts.filter(|part| part.contains(name)).find_map(|part| part.split(' ').next());
    Ok(number.unwrap_or_default().parse()?)
}

/// Fails unless a recording has a tone for so many seconds.
fn hears(path: &Path, frequency: f64, seconds: f64) -> Outcome {
    let recording = Recording::read(path)?;
    let (tone, sounding) = (recording.tone(frequency), recording.sounding());
    assert!(tone >= seconds, "{tone} s of {frequency} Hz in {sounding} s of sound: {path:?}");
    Ok(())
}

async fn endpoint(sip: Config) -> Result<Endpoint, Failure> {
    Ok(Endpoint::builder("sip:offhook@127.0.0.1").sip(sip).bind("127.0.0.1:0").await?)
}

/// Waits for what a peer must bring about, but not for ever.
async fn within<T>(what: impl Future<Output = Result<T, offhook::Error>>) -> Result<T, Failure> {
    Ok(timeout(LONG, what).await??)
}

fn sipp_uri(ports: Ports) -> String {
    format!("sip:sipp@127.0.0.1:{}", ports.sip)
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap_or_default()
}

/// No call here lasts longer.
const LONG: Duration = Duration::from_secs(40);
const CONVERSATION: Duration = Duration::from_secs(5);
/// What SIPp's `uac_pcap` plays.
const PLAYED: &str = "/usr/share/sip-tester/g711a.pcap";
