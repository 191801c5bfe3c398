//! Calls per second that a server takes over UDP on the loopback, and what one costs it.
//!
//! offhook is measured as a server without media, which answers with a description that it is given,
//! as the peers do, and as one that negotiates a session and opens the sockets of its media. The
//! server has core 0 for itself, the caller the last one. Each rate gets a fresh server. SIPp is
//! measured beside it where it is installed. Arguments after `--`: `--rates 512,1024`,
//! `--seconds 10`, `--server "program and arguments"` for another one that listens on the port named
//! by `--port`.

use std::{
    env, io,
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    process::Command,
    time::Duration,
};

use bytes::Bytes;
use offhook::{Endpoint, Error, sip::Config};
use offhook_benches::open_loop::{Load, Server};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if let Some(address) = argument("--serve") {
        return serve(&address, env::args().any(|argument| argument == "--media"));
    }
    let is_test = env::args().any(|argument| argument == "--test");
    let seconds = argument("--seconds").map_or(Ok(10), |text| text.parse())?;
    let rates = argument("--rates").unwrap_or_else(|| "256,512,1024,2048".to_owned());
    let port = match argument("--port") {
        Some(port) => port.parse()?,
        None => UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port(),
    };
    let target = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if is_test {
        return [false, true].into_iter().try_for_each(|media| {
            measure("offhook", &ours(target, media)?, target, 50, Duration::from_secs(1))
        });
    }
    stay_on_last_core()?;
    println!("{HEAD}");
    for (name, command) in servers(target)? {
        for rate in rates.split(',') {
            measure(&name, &command, target, rate.parse()?, Duration::from_secs(seconds))?;
        }
    }
    Ok(())
}

/// Runs one load on a fresh server and prints its figures.
fn measure(
    name: &str,
    command: &[String],
    target: SocketAddr,
    rate: u32,
    lasts: Duration,
) -> Result<(), Box<dyn std::error::Error>> {
    let server = Server::start(command, 0, target)?;
    // Not counted: what a program does once.
    Load { target, rate: rate.min(100), lasts: Duration::from_millis(500) }.run()?;
    let before = server.processor_time()?;
    let figures = Load { target, rate, lasts }.run()?;
    let cost = (server.processor_time()? - before) / u32::try_from(figures.placed.max(1))?;
    println!(
        "| {name} | {rate} | {} | {} | {:.2} | {:.2} | {:.2} | {} |",
        if figures.is_held() { "yes" } else { "no" },
        figures.placed - figures.completed,
        figures.repeated_per_mille(),
        milliseconds(figures.setup(50)),
        milliseconds(figures.setup(99)),
        cost.as_micros(),
    );
    if figures.completed == 0 {
        return Err("no call went through".into());
    }
    Ok(())
}

/// Who is measured: the one that is named, or ours and SIPp's.
fn servers(target: SocketAddr) -> io::Result<Vec<(String, Vec<String>)>> {
    if let Some(command) = argument("--server") {
        let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
        return Ok(vec![(words.first().cloned().unwrap_or_default(), words)]);
    }
    let mut servers = vec![
        ("offhook".to_owned(), ours(target, false)?),
        ("offhook, with media".to_owned(), ours(target, true)?),
    ];
    let (ip, port) = (target.ip().to_string(), target.port().to_string());
    if Command::new("sipp").arg("-v").output().is_ok() {
        let words = ["sipp", "-sn", "uas", "-nostdin", "-i", &ip, "-p", &port];
        servers.push(("SIPp".to_owned(), words.map(str::to_owned).to_vec()));
    }
    Ok(servers)
}

/// This program again, as the server.
fn ours(target: SocketAddr, media: bool) -> io::Result<Vec<String>> {
    let program = env::current_exe()?.display().to_string();
    let words = vec![program, "--serve".to_owned(), target.to_string()];
    Ok(words.into_iter().chain(media.then(|| "--media".to_owned())).collect())
}

/// Answers every call, until it is killed.
fn serve(address: &str, media: bool) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Each call leaves two transactions for half a minute.
        let trying_after = Duration::from_millis(200);
        let limits = Config { max_transactions: MOST, max_calls: MOST, ..Config::default() };
        let sip = Config { trying_after, ..limits };
        let builder = Endpoint::builder(&format!("sip:bench@{address}")).sip(sip);
        let endpoint = builder.check_offers(media).bind(address).await?;
        // Waking the task that `block_on` runs takes a system call.
        tokio::spawn(answer_all(endpoint, media)).await??;
        Ok(())
    })
}

async fn answer_all(endpoint: Endpoint, media: bool) -> Result<(), Error> {
    loop {
        let call = endpoint.incoming().await?;
        tokio::spawn(async move {
            let _ = match media {
                true => call.answer().await,
                false => call.answer_with(Some(Bytes::from_static(ANSWER))).await,
            };
            let _ = call.ended().await;
        });
    }
}

fn stay_on_last_core() -> io::Result<()> {
    let last = std::thread::available_parallelism()?.get() - 1;
    let (core, id) = (last.to_string(), std::process::id().to_string());
    Command::new("taskset").args(["-pc", &core, &id]).output().map(drop)
}

fn argument(name: &str) -> Option<String> {
    env::args().skip_while(|argument| argument != name).nth(1)
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// What a server without media answers.
const ANSWER: &[u8] = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n";
/// More calls and transactions than any load leaves.
const MOST: usize = 1_000_000;
const HEAD: &str =
    "| server | calls/s | held | failed | repeated ‰ | set-up p50, ms | p99, ms | CPU, µs a call |
|---|---|---|---|---|---|---|---|";
