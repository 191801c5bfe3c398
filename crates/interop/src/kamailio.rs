//! Kamailio as the provider: registrar and proxy of a domain.

use std::{fs, net::Ipv4Addr, path::PathBuf, process::Command, time::Duration};

use crate::{Authority, Failure, Peer, Ports, Stage, await_udp};

/// A running Kamailio. Each user's password is [`Kamailio::password`]; the domain is not in DNS.
#[derive(Debug)]
pub struct Kamailio {
    peer: Peer,
    ports: Ports,
    authority: Authority,
}

impl Kamailio {
    /// The domain.
    pub const DOMAIN: &str = "offhook.test";

    /// Starts one that challenges with a digest algorithm such as `MD5` or `SHA-256`. It listens
    /// when this returns.
    ///
    /// # Errors
    ///
    /// If Kamailio is not installed or does not listen.
    pub fn start(stage: &Stage, algorithm: &str) -> Result<Self, Failure> {
        let (ports, authority) = (Ports::free()?, Authority::new()?);
        let (certificate, key) = (stage.file("kamailio.crt"), stage.file("kamailio.key"));
        authority.identity(&[Self::DOMAIN])?.write(&certificate, &key)?;
        let text = |path: &PathBuf| path.to_string_lossy().into_owned();
        let settings = include_str!("../kamailio/kamailio.cfg")
            .replace("@HOST@", &Ipv4Addr::LOCALHOST.to_string())
            .replace("@SIP@", &ports.sip.to_string())
            .replace("@TLS@", &(ports.sip + 1).to_string())
            .replace("@DOMAIN@", Self::DOMAIN)
            .replace("@ALGORITHM@", algorithm)
            .replace("@CERTIFICATE@", &text(&certificate))
            .replace("@KEY@", &text(&key));
        let file = stage.file("kamailio.cfg");
        fs::write(&file, settings)?;
        let mut command = Command::new("kamailio");
        // In the foreground, its log on standard error, its processes in one group.
        command.arg("-f").arg(file).args(["-DD", "-E", "-m", "64", "-M", "8", "-Y"]);
        command.arg(stage.folder());
        let peer = Peer::start(&mut command, &stage.file("kamailio.log"))?;
        await_udp(Ipv4Addr::LOCALHOST, ports.sip)?;
        Ok(Self { peer, ports, authority })
    }

    /// The URI of its registrar over a transport: `udp`, `tcp`, `tls` or `ws`.
    pub fn uri(&self, transport: &str) -> String {
        let port = self.ports.sip + u16::from(transport == "tls");
        format!("sip:{}:{port};transport={transport}", Self::DOMAIN)
    }

    /// The address of record of a user.
    pub fn address(user: &str) -> String {
        format!("sip:{user}@{}", Self::DOMAIN)
    }

    /// The password of a user.
    pub fn password(user: &str) -> String {
        format!("secret of {user}")
    }

    /// The ports it listens on.
    pub const fn ports(&self) -> Ports {
        self.ports
    }

    /// Who has signed its certificate.
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Waits for a line of its log that contains `text`, such as `tls 127.0.0.1:`.
    ///
    /// # Errors
    ///
    /// If it does not come within ten seconds.
    pub fn says(&self, text: &str) -> Result<String, Failure> {
        self.peer.line(text, Duration::from_secs(10))
    }

    /// Ends it.
    ///
    /// # Errors
    ///
    /// If it does not end.
    pub fn stop(mut self) -> Result<(), Failure> {
        self.peer.stop("TERM")
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Killed at once its children would go on; what has ended already needs none of this.
        let _ = self.peer.stop("TERM");
    }
}
