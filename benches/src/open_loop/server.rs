//! The server under load: a process on a core of its own.

use std::{
    fs, io,
    net::SocketAddr,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// A server process. It ends when this is dropped.
#[derive(Debug)]
pub struct Server(Child);

impl Server {
    /// Starts `command` on processor core `core`, and waits until something listens at `address`
    /// over UDP.
    ///
    /// # Errors
    ///
    /// If it does not start, or does not listen.
    pub fn start(command: &[String], core: usize, address: SocketAddr) -> io::Result<Self> {
        let child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let server = Self(child);
        let end = Instant::now() + Duration::from_secs(10);
        while !listens(address)? {
            if Instant::now() > end {
                return Err(io::Error::other(format!("nothing listens at {address}")));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// The processor time that all its threads have used, in user and kernel mode.
    ///
    /// # Errors
    ///
    /// If the system does not tell.
    pub fn processor_time(&self) -> io::Result<Duration> {
        let mut total = Duration::ZERO;
        for task in fs::read_dir(format!("/proc/{}/task", self.0.id()))? {
            let text = fs::read_to_string(task?.path().join("schedstat"))?;
            let nanoseconds = text.split_whitespace().next().and_then(|text| text.parse().ok());
            total += Duration::from_nanos(nanoseconds.unwrap_or_default());
        }
        Ok(total)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn listens(address: SocketAddr) -> io::Result<bool> {
    let port = format!(":{:04X}", address.port());
    let sockets = fs::read_to_string("/proc/net/udp")?;
    let local = sockets.lines().filter_map(|line| line.split_whitespace().nth(1));
    Ok(local.into_iter().any(|local| local.ends_with(&port)))
}
