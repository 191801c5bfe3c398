//! Ports that nobody else uses, and when a peer listens on one.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, UdpSocket},
    process,
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::Failure;

/// A block of neighbouring ports on 127.0.0.1 that were free a moment ago. It lies below the
/// range that the system gives out by itself.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// The first of them, for SIP. The next one is for SIP over TLS: baresip insists on it.
    pub sip: u16,
    /// For control over TCP.
    pub control: u16,
    /// The first of six for media; it is even.
    pub media: u16,
}

impl Ports {
    /// The next free block.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn free() -> Result<Self, Failure> {
        // Other runs on the same machine start at other blocks.
        let shift = (process::id() % 800) as u16;
        for _ in 0..BLOCKS {
            let block = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(shift) % BLOCKS;
            let first = FIRST + block * SIZE;
            if (first..first + SIZE).all(is_free) {
                return Ok(Self { sip: first, control: first + 2, media: first + 4 });
            }
        }
        Err(Failure::new("no free ports"))
    }

    /// The capture filter for packets from or to a port of the block.
    pub fn filter(&self) -> String {
        format!("udp portrange {}-{}", self.sip, self.sip + SIZE - 1)
    }

    /// The display filter for packets that do not come from a port of the block.
    pub fn not_from(&self) -> String {
        format!("(udp.srcport < {} or udp.srcport >= {})", self.sip, self.sip + SIZE)
    }
}

/// Waits until someone listens on a UDP port of this machine, at this very address.
///
/// # Errors
///
/// If nobody does within ten seconds.
pub fn await_udp(host: Ipv4Addr, port: u16) -> Result<(), Failure> {
    let deadline = Instant::now() + Duration::from_secs(10);
    // The second column is the local address, as in 0100007F:13C4.
    let wanted = format!("{:08X}:{port:04X}", u32::from_ne_bytes(host.octets()));
    while Instant::now() < deadline {
        let sockets = fs::read_to_string("/proc/net/udp")?;
        let mut addresses = sockets.lines().filter_map(|line| line.split_whitespace().nth(1));
        if addresses.any(|address| address == wanted) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err(Failure::new(format!("nobody listens on UDP {host}:{port}")))
}

fn is_free(port: u16) -> bool {
    let address = (Ipv4Addr::LOCALHOST, port);
    UdpSocket::bind(address).is_ok() && TcpListener::bind(address).is_ok()
}

static NEXT: AtomicU16 = AtomicU16::new(0);
const FIRST: u16 = 20_000;
const SIZE: u16 = 10;
const BLOCKS: u16 = 1_000;
