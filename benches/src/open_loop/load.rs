//! The caller: one socket, one thread, and a list of what is due.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use super::{
    Figures,
    call::{Answer, Call, Parties, Phase},
};

/// Calls to place.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Who is called.
    pub target: SocketAddr,
    /// Calls per second.
    pub rate: u32,
    /// How long calls are placed.
    pub lasts: Duration,
}

impl Load {
    /// Places the calls and waits for their ends.
    ///
    /// # Errors
    ///
    /// If the socket fails.
    pub fn run(&self) -> io::Result<Figures> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect(self.target)?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let parties = Parties { local, target: self.target, run: local.port() };
        let caller = Caller {
            socket,
            parties,
            calls: Vec::new(),
            repeats: BinaryHeap::new(),
            open: 0,
            figures: Figures::default(),
        };
        caller.run(self)
    }
}

struct Caller {
    socket: UdpSocket,
    parties: Parties,
    calls: Vec<Call>,
    /// When to send a request again: due, interval, call, and the phase that it belongs to.
    repeats: BinaryHeap<Reverse<(Instant, Duration, usize, bool)>>,
    open: usize,
    figures: Figures,
}

impl Caller {
    fn run(mut self, load: &Load) -> io::Result<Figures> {
        let start = Instant::now();
        let total = (load.lasts.as_secs_f64() * f64::from(load.rate)) as usize;
        let mut buffer = [0; 65_536];
        while self.calls.len() < total || self.open > 0 {
            let now = Instant::now();
            if now > start + load.lasts + GIVE_UP {
                break;
            }
            self.place(start, now, total, load.rate)?;
            let heard = self.receive(&mut buffer)?;
            self.repeat(now)?;
            if !heard {
                std::hint::spin_loop();
            }
        }
        self.figures.placed = self.calls.len();
        self.figures.setups.sort_unstable();
        Ok(self.figures)
    }

    /// Places the calls that are due.
    fn place(&mut self, start: Instant, now: Instant, total: usize, rate: u32) -> io::Result<()> {
        while self.calls.len() < total {
            let number = self.calls.len();
            let due = start + Duration::from_secs_f64(number as f64 / f64::from(rate));
            if due > now {
                break;
            }
            self.figures.late += usize::from(now.saturating_duration_since(due) > LATE);
            let request = self.parties.invite(number);
            self.send(&request)?;
            self.calls.push(Call { due, phase: Phase::Calling, request, ack: None });
            self.repeats.push(Reverse((now + T1, T1, number, false)));
            self.open += 1;
        }
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<bool> {
        let mut heard = false;
        loop {
            let length = match self.socket.recv(buffer) {
                Ok(length) => length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(heard),
                // An ICMP message of the time before the server listened.
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Ok(heard),
                Err(error) => return Err(error),
            };
            heard = true;
            let text = buffer.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
            if let Some(answer) = text.and_then(|text| Answer::of(text, self.parties.run)) {
                self.answered(&answer)?;
            }
        }
    }

    fn answered(&mut self, answer: &Answer<'_>) -> io::Result<()> {
        let Some(call) = self.calls.get_mut(answer.number) else { return Ok(()) };
        let (is_invite, is_final) = (answer.method == "INVITE", answer.status >= 200);
        match (call.phase, is_invite, is_final) {
            (Phase::Calling, true, false) => call.phase = Phase::Proceeding,
            (Phase::Calling | Phase::Proceeding, true, true) if answer.status < 300 => {
                self.established(answer)?;
            }
            (Phase::Leaving | Phase::Over, true, true) => {
                self.figures.repeated += 1;
                if let Some(ack) = call.ack.clone() {
                    self.send(&ack)?;
                }
            }
            (Phase::Leaving, false, true) => {
                call.phase = Phase::Over;
                self.open -= 1;
                self.figures.completed += usize::from(answer.status < 300);
            }
            (Phase::Calling | Phase::Proceeding, true, true) => {
                call.phase = Phase::Over;
                self.open -= 1;
            }
            _ => {}
        }
        Ok(())
    }

    fn established(&mut self, answer: &Answer<'_>) -> io::Result<()> {
        let now = Instant::now();
        let ack = self.parties.in_dialog("ACK", answer.number, answer);
        let bye = self.parties.in_dialog("BYE", answer.number, answer);
        self.send(&ack)?;
        self.send(&bye)?;
        self.repeats.push(Reverse((now + T1, T1, answer.number, true)));
        if let Some(call) = self.calls.get_mut(answer.number) {
            self.figures.setups.push(now.saturating_duration_since(call.due));
            call.phase = Phase::Leaving;
            call.request = bye;
            call.ack = Some(ack);
        }
        Ok(())
    }

    /// Sends what has waited too long again.
    fn repeat(&mut self, now: Instant) -> io::Result<()> {
        while let Some(Reverse((due, interval, number, leaving))) = self.repeats.peek().copied() {
            if due > now {
                break;
            }
            self.repeats.pop();
            let Some(call) = self.calls.get(number) else { continue };
            let waits = match call.phase {
                Phase::Calling => !leaving,
                Phase::Leaving => leaving,
                Phase::Proceeding | Phase::Over => false,
            };
            if waits {
                self.figures.repeated += 1;
                let request = call.request.clone();
                self.send(&request)?;
                let interval = interval * 2;
                self.repeats.push(Reverse((now + interval, interval, number, leaving)));
            }
        }
        Ok(())
    }

    fn send(&self, message: &str) -> io::Result<()> {
        match self.socket.send(message.as_bytes()) {
            Err(error)
                if !matches!(
                    error.kind(),
                    ErrorKind::WouldBlock | ErrorKind::ConnectionRefused
                ) =>
            {
                Err(error)
            }
            _ => Ok(()),
        }
    }
}

/// RFC 3261 §17.1.1.1.
const T1: Duration = Duration::from_millis(500);
/// 64*T1: then a call has failed.
const GIVE_UP: Duration = Duration::from_secs(32);
/// A caller that is later than this measures itself.
const LATE: Duration = Duration::from_millis(10);
