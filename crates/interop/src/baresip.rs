//! baresip as the far side of calls: a phone without a screen, a microphone or a loudspeaker.

use std::{
    fs,
    io::{Read, Write},
    net::{Ipv4Addr, TcpStream},
    path::PathBuf,
    process::Command,
    time::Duration,
};

use crate::{Authority, Failure, Peer, Ports, Stage, write_tone};

/// What a baresip says in its calls.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A tone of this frequency in Hz, for twenty seconds.
    Tone(f64),
    /// What it hears.
    Echo,
}

/// A running baresip. It takes calls by itself, and records what it hears.
#[derive(Debug)]
pub struct Baresip {
    peer: Peer,
    ports: Ports,
    sounds: PathBuf,
}

impl Baresip {
    /// Starts one that speaks a single codec, such as `PCMU/8000/1`. It listens when this returns,
    /// over UDP and TCP.
    ///
    /// # Errors
    ///
    /// If baresip is not installed or does not start.
    pub fn start(
        stage: &Stage,
        ports: Ports,
        source: Source,
        codec: &str,
    ) -> Result<Self, Failure> {
        Self::start_with(stage, ports, source, &account(ports, codec, "udp"), "")
    }

    /// Starts one that prefers a transport, `udp`, `tcp` or `tls`. It listens over all of them; it and
    /// those that it calls over TLS prove who they are by certificates of `authority`.
    ///
    /// # Errors
    ///
    /// As for [`start`](Self::start).
    pub fn start_over(
        transport: &str,
        stage: &Stage,
        source: Source,
        codec: &str,
        authority: &Authority,
    ) -> Result<Self, Failure> {
        let (own, trusted) = (stage.file("baresip.pem"), stage.file("authority.pem"));
        let identity = authority.identity(&["127.0.0.1"])?;
        fs::write(&own, identity.key + &identity.certificate)?;
        fs::write(&trusted, authority.pem())?;
        let (own, trusted) = (own.display(), trusted.display());
        let more = format!("sip_certificate {own}\nsip_cafile {trusted}\n");
        let ports = Ports::free()?;
        Self::start_with(stage, ports, source, &account(ports, codec, transport), &more)
    }

    fn start_with(
        stage: &Stage,
        ports: Ports,
        source: Source,
        account: &str,
        more: &str,
    ) -> Result<Self, Failure> {
        let folder = stage.file("baresip");
        let sounds = folder.join("sounds");
        fs::create_dir_all(&sounds)?;
        let devices = match source {
            Source::Tone(frequency) => {
                let tone = folder.join("tone.wav");
                write_tone(&tone, 48_000, frequency, 20)?;
                // A bridge that nobody reads from swallows what is played.
                ["aufile,".to_owned() + &tone.to_string_lossy(), "aubridge,sink".to_owned()]
            }
            Source::Echo => ["aubridge,echo", "aubridge,echo"].map(str::to_owned),
        };
        let settings = config(ports, &devices, &sounds.to_string_lossy()) + more;
        fs::write(folder.join("config"), settings)?;
        fs::write(folder.join("contacts"), "")?;
        fs::write(folder.join("accounts"), account)?;
        let mut command = Command::new("baresip");
        command.arg("-f").arg(&folder).args(["-v", "-s"]);
        let peer = Peer::start(&mut command, &stage.file("baresip.log"))?;
        peer.line("baresip is ready", Duration::from_secs(20))?;
        Ok(Self { peer, ports, sounds })
    }

    /// The URI to call it by.
    pub fn uri(&self) -> String {
        format!("sip:baresip@127.0.0.1:{}", self.ports.sip)
    }

    /// The URI to call it by over a transport: `udp`, `tcp` or `tls`.
    pub fn uri_over(&self, transport: &str) -> String {
        let port = self.ports.sip + u16::from(transport == "tls");
        format!("sip:baresip@127.0.0.1:{port};transport={transport}")
    }

    /// Lets it call a SIP URI.
    ///
    /// # Errors
    ///
    /// If baresip does not take the command.
    pub fn dial(&self, uri: &str) -> Result<(), Failure> {
        self.command("dial", uri)
    }

    /// Lets it hang up its call.
    ///
    /// # Errors
    ///
    /// If baresip does not take the command.
    pub fn hang_up(&self) -> Result<(), Failure> {
        self.command("hangup", "")
    }

    /// Waits for a line of its log that contains `text`.
    ///
    /// # Errors
    ///
    /// If it does not come within ten seconds.
    pub fn says(&self, text: &str) -> Result<String, Failure> {
        self.peer.line(text, Duration::from_secs(10))
    }

    /// Ends it, and gives the recording of what it heard in its one call.
    ///
    /// # Errors
    ///
    /// If it does not end, or has recorded nothing.
    pub fn heard(mut self) -> Result<PathBuf, Failure> {
        self.peer.stop("TERM")?;
        let files = fs::read_dir(&self.sounds)?.filter_map(Result::ok).map(|entry| entry.path());
        let mut heard = files.filter(|path| path.to_string_lossy().ends_with("-dec.wav"));
        heard.next().ok_or_else(|| Failure::new("baresip has recorded nothing"))
    }

    /// Sends a command as JSON in a netstring, and waits for the response to it.
    fn command(&self, command: &str, parameters: &str) -> Result<(), Failure> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.ports.control))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let json = format!(r#"{{"command":"{command}","params":"{parameters}","token":"t"}}"#);
        stream.write_all(format!("{}:{json},", json.len()).as_bytes())?;
        let mut answer = Vec::new();
        let mut part = [0; 4096];
        loop {
            let length = stream.read(&mut part)?;
            answer.extend(part.iter().take(length));
            let text = String::from_utf8_lossy(&answer).replace(' ', "");
            if text.contains(r#""response":true"#) && text.contains(r#""ok":true"#) {
                return Ok(());
            }
            if length == 0 {
                return Err(Failure::new(format!("baresip does not {command}: {text}")));
            }
        }
    }
}

fn account(ports: Ports, codec: &str, transport: &str) -> String {
    let uri = format!("<sip:baresip@127.0.0.1:{};transport={transport}>", ports.sip);
    format!("{uri};regint=0;answermode=auto;audio_codecs={codec}\n")
}

fn config(ports: Ports, [source, player]: &[String; 2], sounds: &str) -> String {
    let Ports { sip, control, media } = ports;
    format!(
        "poll_method epoll
sip_listen 127.0.0.1:{sip}
net_interface 127.0.0.1
rtp_ports {media}-{last}
rtp_stats yes
call_local_timeout 30
audio_path {sounds}
audio_source {source}
audio_player {player}
audio_alert {player}
ausrc_srate 48000
auplay_srate 48000
ausrc_channels 1
auplay_channels 1
audio_buffer 20-160
jitter_buffer_delay 2-10
module_path /usr/lib/baresip/modules
module g711.so
module sndfile.so
module aubridge.so
module aufile.so
module_tmp uuid.so
module_tmp account.so
module_app contact.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
snd_path {sounds}
",
        last = media + 5
    )
}
