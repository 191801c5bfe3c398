//! An endpoint together with the person who uses it, as one machine: what the person does is due
//! on the same clock as the protocol's timers.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    convert::Infallible,
    net::{Ipv4Addr, SocketAddr},
    rc::Rc,
    time::{Duration, Instant},
};

use offhook_core::{CallId, Config, Ending, Endpoint, Event, MediaSockets, Outgoing};
use offhook_sansio::{Datagram, Flow, Machine, Protocol, Random, Transmit};
use offhook_sdp::Codec;
use offhook_sip_message::{HeaderName, StatusCode, Uri, ValidRequest};

use crate::plan::{CalleeDoes, FOREIGN, Plan};

/// A telephone and its user.
pub(crate) struct Phone {
    me: usize,
    start: Instant,
    pub(crate) endpoint: Endpoint,
    book: Rc<[Plan]>,
    agenda: BTreeMap<(Instant, u64), Act>,
    acts: u64,
    lines: HashMap<CallId, Line>,
    sockets: Sockets,
    /// What happened to each call of the book, as seen here.
    pub(crate) diary: HashMap<usize, View>,
    /// Verbs for calls that were over, all of them refused.
    pub(crate) verbs_on_stale_calls: u64,
}

/// What one side saw of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// When it was placed, or came in.
    pub(crate) begun: Option<Duration>,
    pub(crate) incoming: u32,
    pub(crate) progress: u32,
    /// When this side knew of the answer, or gave it.
    pub(crate) answered: Option<Duration>,
    pub(crate) established: u32,
    /// When the user hung up first.
    pub(crate) hung_up: Option<Duration>,
    pub(crate) refused: Option<StatusCode>,
    pub(crate) ends: Vec<(Duration, Ending)>,
    /// Frames of speech that were heard, and those that were not the far side's.
    pub(crate) speech: u32,
    pub(crate) wrong: u32,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Place(usize),
    Ring(CallId),
    Answer(CallId),
    Reject(CallId, StatusCode),
    /// Gives up if nobody has answered.
    GiveUp(CallId),
    HangUp(CallId),
    Speak(CallId, u32),
}

#[derive(Clone, Copy, Debug)]
struct Line {
    index: usize,
    caller: bool,
    sockets: Option<MediaSockets>,
    over: bool,
}

/// The free media sockets. One is used again when nothing that was sent to it is on its way any
/// more: a packet of the call before would pass for one of the call after.
#[derive(Debug)]
struct Sockets {
    host: Ipv4Addr,
    /// Since when each of them is free.
    free: VecDeque<(Instant, u16)>,
    next: u16,
}

impl Phone {
    pub(crate) fn new(me: usize, start: Instant, book: &Rc<[Plan]>, seed: u64) -> Self {
        let mut config = Config::new(format!("sip:phone{me}@{}", host(me)).parse().unwrap());
        config.sip.max_calls = 20_000;
        config.sip.max_transactions = 100_000;
        if me == FOREIGN {
            let foreign = Codec { encoding: "G722".into(), payload_type: Some(9), ..Codec::pcmu() };
            config.capabilities.codecs = vec![foreign];
        }
        let mut endpoint = Endpoint::new(start, config, Random::from_seed(seed ^ me as u64));
        endpoint.listen(Protocol::Udp, address(me), address(me));
        let mut phone = Self {
            me,
            start,
            endpoint,
            agenda: BTreeMap::new(),
            acts: 0,
            lines: HashMap::new(),
            sockets: Sockets { host: host(me), free: VecDeque::new(), next: FIRST_PORT },
            diary: HashMap::new(),
            verbs_on_stale_calls: 0,
            book: book.clone(),
        };
        for (index, plan) in book.iter().enumerate().filter(|(_, plan)| plan.caller == me) {
            phone.plan(start + plan.at, Act::Place(index));
        }
        phone
    }

    /// Every pair of media sockets that a call ever used.
    pub(crate) fn used_sockets(&self) -> Vec<MediaSockets> {
        (FIRST_PORT..self.sockets.next).step_by(2).map(|port| self.sockets.pair(port)).collect()
    }

    pub(crate) fn live_lines(&self) -> usize {
        self.lines.values().filter(|line| !line.over).count()
    }

    fn plan(&mut self, at: Instant, act: Act) {
        self.acts += 1;
        self.agenda.insert((at, self.acts), act);
    }

    fn act(&mut self, now: Instant, act: Act) {
        match act {
            Act::Place(index) => self.place(now, index),
            Act::Ring(call) => self.ring(now, call),
            Act::Answer(call) => self.answer(now, call),
            Act::Reject(call, status) => self.reject(now, call, status),
            Act::GiveUp(call) => {
                if self.view(call).answered.is_none() {
                    self.hang_up(now, call);
                }
            }
            Act::HangUp(call) => self.hang_up(now, call),
            Act::Speak(call, left) => self.speak(now, call, left),
        }
    }

    fn place(&mut self, now: Instant, index: usize) {
        let plan = self.book[index].clone();
        let sockets = self.sockets.take(now);
        let target: Uri = format!("sip:{index}@{}", host(plan.callee)).parse().unwrap();
        let mut outgoing = Outgoing::new(target, Flow::udp(address(self.me), address(plan.callee)));
        outgoing
            .headers
            .extend(plan.expires.map(|value| (HeaderName::EXPIRES, value.to_string().into())));
        let call = self.endpoint.call(now, outgoing, sockets).unwrap();
        let line = Line { index, caller: true, sockets: Some(sockets), over: false };
        assert!(self.lines.insert(call, line).is_none(), "{call:?} names two calls");
        self.diary.entry(index).or_default().begun = Some(now - self.start);
        if plan.patience.is_zero() {
            self.act(now, Act::GiveUp(call));
        } else {
            self.plan(now + plan.patience, Act::GiveUp(call));
        }
    }

    fn came_in(&mut self, now: Instant, call: CallId, request: &ValidRequest) {
        let Uri::Sip(uri) = request.request_uri() else { panic!("not a SIP URI") };
        let index: usize = uri.user.as_deref().unwrap().parse().unwrap();
        let line = Line { index, caller: false, sockets: None, over: false };
        assert!(self.lines.insert(call, line).is_none(), "{call:?} names two calls");
        let view = self.diary.entry(index).or_default();
        view.incoming += 1;
        view.begun = Some(now - self.start);
        match self.book[index].callee_does {
            CalleeDoes::Answer { ring, after } => {
                if let Some(ring) = ring {
                    self.plan(now + ring, Act::Ring(call));
                }
                self.plan(now + after, Act::Answer(call));
            }
            CalleeDoes::Reject { status, after } => {
                self.plan(now + after, Act::Reject(call, status));
            }
            CalleeDoes::Ring { give_up } => {
                self.plan(now, Act::Ring(call));
                self.plan(now + give_up, Act::HangUp(call));
            }
            CalleeDoes::CannotAnswer => panic!("call {index} has no codec that is known here"),
        }
    }

    fn ring(&mut self, now: Instant, call: CallId) {
        let done = self.endpoint.ring(now, call);
        self.expect(call, done.is_ok());
    }

    fn answer(&mut self, now: Instant, call: CallId) {
        let sockets = self.sockets.take(now);
        let done = self.endpoint.answer(now, call, sockets);
        if !self.expect(call, done.is_ok()) {
            return self.sockets.give_back(now, sockets);
        }
        let line = self.lines.get_mut(&call).unwrap();
        line.sockets = Some(sockets);
        let plan = self.book[line.index].clone();
        let at = now - self.start;
        self.view_mut(call).answered = Some(at);
        self.talk(now, call, plan.callee_talks, plan.frames);
    }

    fn reject(&mut self, now: Instant, call: CallId, status: StatusCode) {
        let done = self.endpoint.reject(now, call, status);
        if self.expect(call, done.is_ok()) {
            self.view_mut(call).refused = Some(status);
        }
    }

    fn hang_up(&mut self, now: Instant, call: CallId) {
        let done = self.endpoint.hang_up(now, call);
        if self.expect(call, done.is_ok()) {
            let at = now - self.start;
            self.view_mut(call).hung_up.get_or_insert(at);
        }
    }

    /// The call stands, as this side sees it: it talks and hangs up in time.
    fn talk(&mut self, now: Instant, call: CallId, for_time: Duration, frames: u32) {
        if frames > 0 {
            self.plan(now, Act::Speak(call, frames));
        }
        match for_time.is_zero() {
            true => self.hang_up(now, call),
            false => self.plan(now + for_time, Act::HangUp(call)),
        }
    }

    /// Says one frame and hears one. Everybody says a number of its own, again and again.
    fn speak(&mut self, now: Instant, call: CallId, left: u32) {
        let line = self.lines[&call];
        if line.over || self.view(call).hung_up.is_some() || left == 0 {
            return;
        }
        let frame = vec![level(line.index, line.caller); FRAME];
        let mut heard = vec![0; FRAME];
        self.endpoint.send_audio(now, call, &frame).unwrap();
        if self.endpoint.play_audio(now, call, &mut heard).unwrap() == HEARD_SPEECH {
            let far = level(line.index, !line.caller);
            // The first samples after a loss are blended with what concealed it.
            let wrong = heard[FRAME - 1].abs_diff(far) > far.unsigned_abs() / 16;
            let view = self.view_mut(call);
            view.speech += 1;
            view.wrong += u32::from(wrong);
        }
        self.plan(now + FRAME_TIME, Act::Speak(call, left - 1));
    }

    /// A verb has to be refused when the call is over, and only then.
    fn expect(&mut self, call: CallId, done: bool) -> bool {
        let line = self.lines[&call];
        assert_eq!(done, !line.over, "{call:?} of plan {}: {:?}", line.index, self.view(call));
        self.verbs_on_stale_calls += u64::from(line.over);
        done
    }

    fn happened(&mut self, now: Instant, event: Event) {
        match event {
            Event::Incoming { call, request, .. } => self.came_in(now, call, &request),
            Event::Progress { call, .. } => self.view_mut(call).progress += 1,
            Event::Answered { call } => {
                let plan = self.book[self.lines[&call].index].clone();
                let at = now - self.start;
                assert_eq!(self.view_mut(call).answered.replace(at), None, "answered twice");
                self.talk(now, call, plan.caller_talks, plan.frames);
            }
            Event::Established { call } => self.view_mut(call).established += 1,
            Event::Ended { call, ending, .. } => self.ended(now, call, ending),
            other => panic!("{other:?}"),
        }
    }

    fn ended(&mut self, now: Instant, call: CallId, ending: Ending) {
        let at = now - self.start;
        self.view_mut(call).ends.push((at, ending));
        let line = self.lines.get_mut(&call).unwrap();
        line.over = true;
        if let Some(sockets) = line.sockets.take() {
            self.sockets.give_back(now, sockets);
        }
        assert!(self.endpoint.leg(call).is_none());
        assert!(self.endpoint.call_statistics(now, call).is_none());
    }

    fn view(&self, call: CallId) -> &View {
        &self.diary[&self.lines[&call].index]
    }

    fn view_mut(&mut self, call: CallId) -> &mut View {
        let index = self.lines[&call].index;
        self.diary.get_mut(&index).unwrap()
    }

    fn listen_to(&mut self, now: Instant) {
        while let Some(event) = self.endpoint.poll_event() {
            self.happened(now, event);
        }
    }
}

impl Machine for Phone {
    type Event = Infallible;

    fn receive(&mut self, now: Instant, datagram: Datagram) {
        self.endpoint.receive(now, datagram);
        self.listen_to(now);
    }

    fn handle_timeout(&mut self, now: Instant) {
        self.endpoint.handle_timeout(now);
        self.listen_to(now);
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= now) {
            let act = entry.remove();
            self.act(now, act);
            self.listen_to(now);
        }
    }

    fn poll_transmit(&mut self) -> Option<Transmit> {
        self.endpoint.poll_transmit()
    }

    fn poll_event(&mut self) -> Option<Infallible> {
        None
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let act = self.agenda.first_key_value().map(|((at, _), _)| *at);
        act.into_iter().chain(self.endpoint.poll_timeout()).min()
    }
}

impl Sockets {
    fn take(&mut self, now: Instant) -> MediaSockets {
        let rested = self.free.pop_front_if(|(since, _)| now - *since > LONGEST_WAY);
        let port = rested.map_or_else(
            || {
                self.next += 2;
                self.next - 2
            },
            |(_, port)| port,
        );
        self.pair(port)
    }

    fn give_back(&mut self, now: Instant, sockets: MediaSockets) {
        self.free.push_back((now, sockets.rtp.port()));
    }

    fn pair(&self, port: u16) -> MediaSockets {
        MediaSockets::pair((self.host, port).into())
    }
}

pub(crate) fn host(number: usize) -> Ipv4Addr {
    Ipv4Addr::new(192, 0, 2, 10 + number as u8)
}

fn address(number: usize) -> SocketAddr {
    (host(number), 5060).into()
}

/// What one side of a call says: loud enough to be told from every other call's level.
fn level(index: usize, caller: bool) -> i16 {
    let steps = (index * 2 + usize::from(caller)) % 24;
    (1000.0 * 1.15_f64.powi(steps as i32)) as i16
}

const HEARD_SPEECH: offhook_media::Heard = offhook_media::Heard::Speech;
/// No packet travels longer, whatever the weather.
const LONGEST_WAY: Duration = Duration::from_secs(1);
const FIRST_PORT: u16 = 10_000;
const FRAME: usize = 160;
const FRAME_TIME: Duration = Duration::from_millis(20);
