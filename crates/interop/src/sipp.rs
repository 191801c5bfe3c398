//! SIPp as the far side of calls: one scenario, run a number of times.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{Failure, Peer, Ports, Stage, await_udp};

/// What SIPp does in a call.
#[derive(Clone, Copy, Debug)]
pub enum Scenario {
    /// One that is built into SIPp: `uac`, `uac_pcap`, `uas`.
    BuiltIn(&'static str),
    /// A file of `crates/interop/scenarios`, without its `.xml`.
    Ours(&'static str),
    /// The same, with a port of another peer in its variable `port`.
    Pointing(&'static str, u16),
}

/// A running SIPp.
#[derive(Debug)]
pub struct Sipp {
    peer: Peer,
    figures: PathBuf,
    messages: PathBuf,
}

impl Sipp {
    /// Calls `target` as often as `calls` says.
    ///
    /// # Errors
    ///
    /// If SIPp is not installed or cannot be started.
    pub fn call(
        stage: &Stage,
        scenario: Scenario,
        ports: Ports,
        calls: u32,
        target: SocketAddr,
    ) -> Result<Self, Failure> {
        Self::start(stage, scenario, (HOST, ports), calls, Some(target))
    }

    /// Takes as many calls as `calls` says. It listens when this returns.
    ///
    /// # Errors
    ///
    /// If SIPp is not installed or does not listen.
    pub fn answer(
        stage: &Stage,
        scenario: Scenario,
        ports: Ports,
        calls: u32,
    ) -> Result<Self, Failure> {
        Self::answer_at(HOST, stage, scenario, ports, calls)
    }

    /// The same at another address of this machine, such as 127.0.0.2.
    ///
    /// # Errors
    ///
    /// As for [`answer`](Self::answer).
    pub fn answer_at(
        host: Ipv4Addr,
        stage: &Stage,
        scenario: Scenario,
        ports: Ports,
        calls: u32,
    ) -> Result<Self, Failure> {
        let sipp = Self::start(stage, scenario, (host, ports), calls, None)?;
        await_udp(host, ports.sip)?;
        Ok(sipp)
    }

    /// Waits until all calls are over; fails if one was not as the scenario says.
    ///
    /// # Errors
    ///
    /// If a call failed, or the time is over.
    pub fn all_succeed(&mut self, patience: Duration) -> Result<(), Failure> {
        self.peer.succeeds(patience)
    }

    /// How many calls went as the scenario says, and how many did not.
    ///
    /// # Errors
    ///
    /// If SIPp wrote no figures.
    pub fn figures(&self) -> Result<(u32, u32), Failure> {
        let text = fs::read_to_string(&self.figures)?;
        let figure = |name: &str| {
            let column = text.lines().next()?.split(';').position(|column| column == name)?;
            text.lines().last()?.split(';').nth(column)?.parse().ok()
        };
        figure("SuccessfulCall(C)")
            .zip(figure("FailedCall(C)"))
            .ok_or_else(|| Failure::new(format!("no figures in {}", self.figures.display())))
    }

    /// The text of all messages that SIPp sent and received.
    ///
    /// # Errors
    ///
    /// If SIPp wrote none.
    pub fn messages(&self) -> Result<String, Failure> {
        Ok(fs::read_to_string(&self.messages)?)
    }

    fn start(
        stage: &Stage,
        scenario: Scenario,
        (host, ports): (Ipv4Addr, Ports),
        calls: u32,
        target: Option<SocketAddr>,
    ) -> Result<Self, Failure> {
        link_captures(stage)?;
        let (figures, messages) = (stage.file("sipp.csv"), stage.file("sipp-messages.log"));
        let mut command = Command::new("sipp");
        match scenario {
            Scenario::BuiltIn(name) => command.args(["-sn", name]),
            Scenario::Ours(name) => command.arg("-sf").arg(scenario_file(name)),
            Scenario::Pointing(name, port) => {
                command.args(["-set", "port", &port.to_string()]);
                command.arg("-sf").arg(scenario_file(name))
            }
        };
        // Without -ci the control socket is open to all, without -bind_local SIP is.
        let host = host.to_string();
        command.args(["-i", &host, "-mi", &host, "-ci", &host, "-bind_local", "-nostdin"]);
        command.args(["-p", &ports.sip.to_string(), "-mp", &ports.media.to_string()]);
        command.args(["-m", &calls.to_string(), "-r", "2", "-deadcall_wait", "0"]);
        command.args(["-timeout", "30s", "-timeout_error"]);
        command.args(["-trace_stat", "-stf"]).arg(&figures);
        command.args(["-trace_err", "-error_file"]).arg(stage.file("sipp-errors.log"));
        command.args(["-trace_msg", "-message_file"]).arg(&messages);
        command.args(target.map(|target| target.to_string())).current_dir(stage.folder());
        let peer = Peer::start(&mut command, &stage.file("sipp.log"))?;
        Ok(Self { peer, figures, messages })
    }
}

/// The built-in `uac_pcap` looks for its sound in `pcap`; Debian has it elsewhere.
fn link_captures(stage: &Stage) -> Result<(), Failure> {
    let link = stage.file("pcap");
    if !link.is_symlink() {
        symlink("/usr/share/sip-tester", link)?;
    }
    Ok(())
}

fn scenario_file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios").join(name).with_extension("xml")
}

const HOST: Ipv4Addr = Ipv4Addr::LOCALHOST;
