//! The sound of one call: a source that speaks, a sink that hears, and the clock that paces both.

use std::time::{Duration, Instant};

use offhook_audio::{FrameClock, NullSink, Silence, Sink, Source};
use offhook_core::{CallId, Endpoint};
use tokio::sync::oneshot;
use tracing::{debug, warn};

use crate::Error;

/// What a call speaks from and hears into, a frame at a time.
///
/// Without a device it speaks silence and hears for nobody, so that the far side and its NAT see a
/// living stream.
pub(crate) struct Devices {
    clock: FrameClock,
    /// Frames that are due and not done yet, and since when.
    pending: u32,
    pending_since: Instant,
    sample_rate: u32,
    source: Box<dyn Source>,
    /// Who waits for the end of the source.
    waiting: Option<Waiting>,
    sink: Box<dyn Sink>,
    frame: Vec<i16>,
}

struct Waiting {
    done: oneshot::Sender<()>,
    /// Frames of silence still to send; `None` while the source speaks.
    tail: Option<u32>,
}

impl Devices {
    /// Silence both ways, in frames of `samples` each lasting `period`.
    pub(crate) fn new(now: Instant, sample_rate: u32, samples: usize, period: Duration) -> Self {
        Self {
            clock: FrameClock::new(now, period),
            pending: 0,
            pending_since: now,
            sample_rate,
            source: Box::new(Silence::new(sample_rate)),
            waiting: None,
            sink: Box::new(NullSink::new(sample_rate)),
            frame: vec![0; samples],
        }
    }

    /// Speaks `source` from the next frame on. The receiver hears of its end.
    pub(crate) fn play(&mut self, source: Box<dyn Source>) -> Result<oneshot::Receiver<()>, Error> {
        self.check(source.sample_rate())?;
        let (done, ended) = oneshot::channel();
        self.source = source;
        self.waiting = Some(Waiting { done, tail: None });
        Ok(ended)
    }

    /// Hears into `sink` from the next frame on.
    pub(crate) fn record(&mut self, sink: Box<dyn Sink>) -> Result<(), Error> {
        self.check(sink.sample_rate())?;
        self.finish();
        self.sink = sink;
        Ok(())
    }

    /// Completes what the sink wrote.
    pub(crate) fn finish(&mut self) {
        if let Err(error) = self.sink.finish() {
            warn!(%error, "the recording could not be completed");
        }
    }

    /// When the next frame is due.
    pub(crate) fn next(&self) -> Instant {
        if self.pending > 0 { self.pending_since } else { self.clock.next() }
    }

    /// Sends and plays one frame if one is due. After a standstill several are; the driver reads
    /// its sockets between them, so that what came meanwhile is heard and not thought lost.
    pub(crate) fn tick(&mut self, now: Instant, call: CallId, core: &mut Endpoint) {
        self.pending = self.pending.saturating_add(self.clock.due(now));
        self.pending_since = now;
        if self.pending == 0 {
            return;
        }
        self.pending -= 1;
        self.speak();
        if let Err(error) = core.send_audio(now, call, &self.frame) {
            debug!(?call, %error, "frame not sent");
        }
        if let Err(error) = core.play_audio(now, call, &mut self.frame) {
            debug!(?call, %error, "frame not played");
            self.frame.fill(0);
        }
        self.hear();
    }

    /// A device of another rate would sound too high or too low.
    fn check(&self, device: u32) -> Result<(), Error> {
        let call = self.sample_rate;
        if device == call { Ok(()) } else { Err(Error::SampleRate { device, call }) }
    }

    /// Fills the frame from the source, with silence after its end.
    fn speak(&mut self) {
        let read = self.source.read(&mut self.frame).unwrap_or_else(|error| {
            warn!(%error, "the source failed; silence follows");
            0
        });
        if let Some(rest) = self.frame.get_mut(read..) {
            rest.fill(0);
        }
        if read == 0 {
            self.rest();
        }
    }

    /// Counts the silence after the end of a source, until its listener can have heard all of it.
    fn rest(&mut self) {
        let Some(waiting) = &mut self.waiting else { return };
        let tail = waiting.tail.get_or_insert(TAIL_FRAMES);
        *tail = tail.saturating_sub(1);
        if *tail == 0
            && let Some(waiting) = self.waiting.take()
        {
            // The listener may have lost interest.
            let _ = waiting.done.send(());
        }
    }

    fn hear(&mut self) {
        if let Err(error) = self.sink.write(&self.frame) {
            warn!(%error, "the sink failed; nothing more is recorded");
            self.sink = Box::new(NullSink::new(self.sink.sample_rate()));
        }
    }
}

/// How long a source's end needs to get through the far side's jitter buffer: 15 frames of 20 ms.
const TAIL_FRAMES: u32 = 15;
