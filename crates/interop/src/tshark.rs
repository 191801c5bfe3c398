//! tshark as the judge of what went over the wire.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use crate::{Failure, Peer, Ports, Stage, peer};

/// A running capture on the loopback interface.
#[derive(Debug)]
pub struct Capture {
    peer: Peer,
    trace: Trace,
}

impl Capture {
    /// Captures what goes to or from a block of ports. It has begun when this returns.
    ///
    /// # Errors
    ///
    /// If tshark is not installed or may not capture.
    pub fn start(stage: &Stage, ports: Ports) -> Result<Self, Failure> {
        let trace = Trace { file: stage.file("wire.pcapng"), sip: Some(ports.sip) };
        let mut command = Command::new("tshark");
        // -P with -l prints each packet as it is captured.
        command.args(["-n", "-l", "-P", "-i", "lo", "-f", &ports.filter(), "-w"]).arg(&trace.file);
        command.args(trace.decoding());
        let peer = Peer::start(&mut command, &stage.file("tshark.log"))?;
        peer.line("Capturing on", Duration::from_secs(20))?;
        Ok(Self { peer, trace })
    }

    /// Waits for so many packets whose summary contains `text`, then ends the capture.
    ///
    /// # Errors
    ///
    /// If they do not come.
    pub fn until(mut self, text: &str, times: usize) -> Result<Trace, Failure> {
        self.peer.line_times(text, times, Duration::from_secs(10))?;
        self.peer.stop("INT")?;
        Ok(self.trace)
    }
}

/// A file of captured packets.
#[derive(Debug)]
pub struct Trace {
    file: PathBuf,
    /// A port that SIP is spoken on: tshark takes some for those of other protocols, games for one.
    sip: Option<u16>,
}

/// An RTP stream, as tshark counts it.
#[derive(Clone, Copy, Debug)]
pub struct RtpStream {
    /// The port it comes from.
    pub from: u16,
    /// The port it goes to.
    pub to: u16,
    /// How many packets there are.
    pub packets: u64,
    /// How many of its numbers are missing.
    pub lost: i64,
}

impl Trace {
    /// A file that is there already.
    pub fn of(file: &Path) -> Self {
        Self { file: file.to_owned(), sip: None }
    }

    /// One line for each packet that passes a display filter such as `sip.Method == "BYE"`.
    ///
    /// # Errors
    ///
    /// If tshark is not installed, or cannot read the file.
    pub fn packets(&self, filter: &str) -> Result<Vec<String>, Failure> {
        self.read(&["-Y", filter])
    }

    /// Fails if a packet that passes the filter is malformed, or breaks its protocol in the eyes
    /// of tshark. Its chats, notes and warnings are not judged.
    ///
    /// # Errors
    ///
    /// If there is such a packet; the failure quotes the first.
    pub fn is_clean(&self, filter: &str) -> Result<(), Failure> {
        let bad = self.packets(&format!("({filter}) and ({MALFORMED} or {EXPERT_ERROR})"))?;
        match bad.first() {
            None => Ok(()),
            Some(first) => {
                let (number, file) = (bad.len(), self.file.display());
                Err(Failure::new(format!("{number} bad packets in {file}, the first: {first}")))
            }
        }
    }

    /// The RTP streams.
    ///
    /// # Errors
    ///
    /// If tshark is not installed, or cannot read the file.
    pub fn rtp_streams(&self) -> Result<Vec<RtpStream>, Failure> {
        let lines = self.read(&["-q", "-z", "rtp,streams"])?;
        Ok(lines.iter().filter_map(|line| stream(line)).collect())
    }

    fn decoding(&self) -> Vec<String> {
        let port = self.sip.map(|port| format!("udp.port=={port},sip"));
        port.into_iter().flat_map(|decode| ["-d".to_owned(), decode]).collect()
    }

    fn read(&self, arguments: &[&str]) -> Result<Vec<String>, Failure> {
        let mut command = Command::new("tshark");
        command.args(["-n", "-r"]).arg(&self.file).args(self.decoding()).args(arguments);
        let output = command.output().map_err(|error| peer::absent("tshark", &error))?;
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr);
            return Err(Failure::new(format!("tshark: {}", reason.trim())));
        }
        Ok(String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect())
    }
}

/// Reads `0.0 3.9 127.0.0.1 20004 127.0.0.1 40000 0x1F2E g711U 199 0 (0.0%) …`; the name of the
/// codec may have blanks.
fn stream(line: &str) -> Option<RtpStream> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let share = columns.iter().position(|column| column.ends_with("%)"))?;
    Some(RtpStream {
        from: columns.get(3)?.parse().ok()?,
        to: columns.get(5)?.parse().ok()?,
        packets: columns.get(share.checked_sub(2)?)?.parse().ok()?,
        lost: columns.get(share.checked_sub(1)?)?.parse().ok()?,
    })
}

const MALFORMED: &str = "_ws.malformed";
/// PI_ERROR, the highest of the severities.
const EXPERT_ERROR: &str = "_ws.expert.severity == 0x800000";
