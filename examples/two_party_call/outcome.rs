//! What came of the call: files, figures and the verdict.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    ops::Range,
    path::Path,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use offhook::{
    audio::WavSource,
    codec::g711,
    trace::{PartyReport, QualityRow, Recording, Report, ladder, pcap, quality_table},
};
use offhook_testkit::SoundCheck;

use crate::{
    Error,
    options::Options,
    party::{FRAME, Party, SAMPLE_RATE},
};

/// Everything that is known when the call is over.
pub(crate) struct Outcome {
    recording: Recording,
    directions: [Direction; 2],
    /// Whether every frame had a fair chance to arrive.
    clean: bool,
}

/// The sound from one party to the other.
struct Direction {
    name: String,
    check: SoundCheck,
    row: QualityRow,
    /// The listener, for the report.
    report: PartyReport,
}

/// Makes the folder, and finds out whether it can be written to before anybody calls.
pub(crate) fn prepare(folder: &Path) -> Result<(), Error> {
    let unwritable =
        |error: io::Error| format!("{}: cannot be written to: {error}", folder.display());
    fs::create_dir_all(folder).map_err(unwritable)?;
    File::create(folder.join("report.html")).map_err(unwritable)?;
    Ok(())
}

impl Outcome {
    pub(crate) fn new(
        [alice, bob]: [&Party; 2],
        recording: Recording,
        options: &Options,
    ) -> Result<Self, Error> {
        let directions =
            [Direction::new(alice, bob, &recording)?, Direction::new(bob, alice, &recording)?];
        Ok(Self { recording, directions, clean: options.impairment().is_none() })
    }

    /// Writes capture and report beside the recordings.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Error> {
        let mut capture = BufWriter::new(File::create(folder.join("call.pcap"))?);
        let started = SystemTime::now() - self.end();
        if let Some((first, _)) = self.recording.parties().next() {
            pcap::write(&self.recording, first, started, &mut capture)?;
        }
        capture.flush()?;
        fs::write(folder.join("report.html"), self.report().html())?;
        println!("{}", ladder::text(&self.recording));
        println!("{}", quality_table(&self.directions.each_ref().map(|it| it.row.clone())));
        println!("recordings, call.pcap and report.html are in {}\n", folder.display());
        Ok(())
    }

    /// Says how much was heard as it was said. On a clean path it must be nearly all.
    pub(crate) fn verdict(&self) -> ExitCode {
        let mut good = true;
        for direction in &self.directions {
            let check = &direction.check;
            println!(
                "{}: {} of {} frames heard sample for sample ({:.1} %), {} invented",
                direction.name,
                check.exact,
                check.said,
                100.0 * check.share(),
                check.invented.len()
            );
            let allowed = check.said - (check.said as f64 * ENOUGH).ceil() as usize;
            if self.clean && (check.missing.len() > allowed || check.invented.len() > allowed) {
                eprintln!("error: the sound {} broke at {}", direction.name, direction.places());
                good = false;
            }
        }
        if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    fn report(&self) -> Report {
        // Each direction is reported where it is heard; the listeners come in the parties' order.
        let [to_bob, to_alice] = &self.directions;
        Report {
            title: String::from("Alice calls Bob"),
            duration: Some(self.end()),
            codec: Some(String::from("PCMU")),
            recording: self.recording.clone(),
            parties: vec![to_alice.report.clone(), to_bob.report.clone()],
        }
    }

    fn end(&self) -> Duration {
        self.recording.packets().last().map(|packet| packet.at).unwrap_or_default()
    }
}

impl Direction {
    /// Compares what `speaker` said, as G.711 carries it, with what `listener` heard.
    fn new(speaker: &Party, listener: &Party, recording: &Recording) -> Result<Self, Error> {
        let name = format!("{} → {}", speaker.name, listener.name);
        let mut carried: Vec<i16> = speaker.said.iter().map(|sample| round_trip(*sample)).collect();
        // The last frame is sent whole.
        carried.resize(carried.len().next_multiple_of(FRAME), round_trip(0));
        let heard = WavSource::open(&listener.heard_in, SAMPLE_RATE)?.read_to_end()?;
        let check = SoundCheck::new(&carried, &heard, FRAME);
        let row = quality_row(&name, listener);
        let party = recording.parties().find(|(_, name)| *name == listener.name);
        let report = PartyReport {
            name: listener.name.to_owned(),
            said: delayed(&listener.said, listener.said_from.saturating_sub(listener.heard_from)),
            heard,
            sample_rate: SAMPLE_RATE,
            sound_start: listener.heard_from,
            breaks: stretches(&check.invented, listener.heard_from),
            quality: Some(row.clone()),
            series: party.map(|(party, _)| recording.series(party).collect()).unwrap_or_default(),
        };
        Ok(Self { name, check, row, report })
    }

    /// Where the sound broke, in the time of what was said.
    fn places(&self) -> String {
        let seconds = |frame: &usize| format!("{:.2} s", *frame as f64 * FRAME_TIME.as_secs_f64());
        let missing = self.check.missing.iter().take(MOST_PLACES).map(seconds);
        let places: Vec<String> = missing.collect();
        if places.is_empty() { String::from("frames that nobody said") } else { places.join(", ") }
    }
}

fn quality_row(direction: &str, listener: &Party) -> QualityRow {
    let Some(media) = &listener.statistics else { return QualityRow::default() };
    QualityRow {
        direction: direction.to_owned(),
        packets: media.rtp.packets_received,
        lost: media.rtp.lost,
        late: media.rtp.late,
        jitter_ms: media.rtp.jitter,
        round_trip_ms: media.rtp.round_trip.map(|it| it.as_secs_f64() * 1000.0),
        r_factor: media.r_factor,
        mos: media.mos,
    }
}

/// A sample as the far side of a G.711 line hears it.
fn round_trip(sample: i16) -> i16 {
    g711::decode_mulaw(g711::encode_mulaw(sample))
}

/// Puts silence before samples, so that they stand on the clock of what was heard.
fn delayed(samples: &[i16], by: Duration) -> Vec<i16> {
    let silence = (by.as_secs_f64() * f64::from(SAMPLE_RATE)) as usize;
    std::iter::repeat_n(0, silence).chain(samples.iter().copied()).collect()
}

/// Joins neighbouring frames to stretches of time.
fn stretches(frames: &[usize], from: Duration) -> Vec<Range<Duration>> {
    let mut joined: Vec<Range<Duration>> = Vec::new();
    for frame in frames {
        let start = from + FRAME_TIME * u32::try_from(*frame).unwrap_or(u32::MAX);
        match joined.last_mut() {
            Some(last) if last.end == start => last.end += FRAME_TIME,
            _ => joined.push(start..start + FRAME_TIME),
        }
    }
    joined
}

/// How long a frame lasts.
const FRAME_TIME: Duration = Duration::from_millis(20);
/// The share of frames that must be heard exactly on a clean path.
const ENOUGH: f64 = 0.99;
/// How many broken places are named.
const MOST_PLACES: usize = 5;
