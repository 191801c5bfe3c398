//! Writing down what passes a driver, for ladders, captures and reports.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use offhook_core::CallStatistics;
use offhook_sansio::{Flow, Transmit};
use offhook_trace::{Direction, Figures, PartyId, QualityRow, Recording};

/// One recording that several endpoints write to.
#[derive(Clone, Debug)]
pub struct Recorder {
    start: Instant,
    recording: Arc<Mutex<Recording>>,
}

impl Recorder {
    /// An empty recording whose clock starts now.
    pub fn new() -> Self {
        Self { start: Instant::now(), recording: Arc::default() }
    }

    /// A tap for one endpoint, which stands in the recording under `name`.
    pub fn party(&self, name: &str) -> Tap {
        let party = self.lock().party(name);
        Tap { recorder: self.clone(), party }
    }

    /// How long ago the recording was started: the time of what is recorded now.
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// What was recorded so far.
    pub fn recording(&self) -> Recording {
        self.lock().clone()
    }

    /// A recording is whole between any two of its calls, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Recording> {
        self.recording.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

/// The figures of a call as a row of a table: of the direction that was heard, under a name such as
/// `Alice → Bob`.
pub fn quality_row(direction: &str, statistics: &CallStatistics) -> QualityRow {
    let media = statistics.media.clone().unwrap_or_default();
    QualityRow {
        direction: direction.to_owned(),
        packets: media.rtp.packets_received,
        lost: media.rtp.lost,
        late: media.rtp.late,
        jitter_ms: media.rtp.jitter,
        round_trip_ms: media.rtp.round_trip.map(|time| time.as_secs_f64() * 1000.0),
        r_factor: media.r_factor,
        mos: media.mos,
    }
}

/// One endpoint's place in a [`Recorder`].
#[derive(Clone, Debug)]
pub struct Tap {
    recorder: Recorder,
    party: PartyId,
}

impl Tap {
    pub(crate) fn received(&self, now: Instant, flow: Flow, payload: &[u8]) {
        self.packet(now, Direction::Received, flow, payload);
    }

    pub(crate) fn sent(&self, now: Instant, transmit: &Transmit) {
        self.packet(now, Direction::Sent, transmit.flow, &transmit.payload);
    }

    pub(crate) fn figures(&self, now: Instant, figures: Figures) {
        let at = now.saturating_duration_since(self.recorder.start);
        self.recorder.lock().figures(at, self.party, figures);
    }

    fn packet(&self, now: Instant, direction: Direction, flow: Flow, payload: &[u8]) {
        let at = now.saturating_duration_since(self.recorder.start);
        self.recorder.lock().packet(at, self.party, direction, flow, payload);
    }
}
