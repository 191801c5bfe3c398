//! What came of the call: files, figures and the verdict.

use std::{
    fs,
    path::Path,
    process::ExitCode,
    time::{Duration, SystemTime},
};

use offhook::{
    audio::WavSource,
    codec::g711,
    quality_row,
    trace::{PartyReport, QualityRow, Recording, Report, ladder, pcap, quality_table},
};
use offhook_testkit::SoundCheck;

use crate::{
    Error,
    party::{FRAME, Party, SAMPLE_RATE},
};

/// What is known when the call is over.
pub(crate) struct Outcome {
    report: Report,
    directions: [(QualityRow, SoundCheck); 2],
    /// Whether every frame had a fair chance to arrive.
    clean: bool,
}

impl Outcome {
    pub(crate) fn new(
        [alice, bob]: [&Party; 2],
        recording: Recording,
        clean: bool,
    ) -> Result<Self, Error> {
        let (to_bob, bob_report) = compare(alice, bob, &recording)?;
        let (to_alice, alice_report) = compare(bob, alice, &recording)?;
        let report = Report {
            title: String::from("Alice calls Bob"),
            duration: recording.packets().last().map(|packet| packet.at),
            codec: alice.statistics.media.as_ref().map(|media| media.codec.clone()),
            recording,
            parties: vec![alice_report, bob_report],
        };
        Ok(Self { report, directions: [to_bob, to_alice], clean })
    }

    /// Writes capture and report beside the recordings, and prints ladder and figures.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Error> {
        let recording = &self.report.recording;
        let started = SystemTime::now() - self.report.duration.unwrap_or_default();
        if let Some((alice, _)) = recording.parties().next() {
            let mut capture = Vec::new();
            pcap::write(recording, alice, started, &mut capture)?;
            fs::write(folder.join("call.pcap"), capture)?;
        }
        fs::write(folder.join("report.html"), self.report.html())?;
        println!("{}", ladder::text(recording));
        println!("{}", quality_table(&self.directions.each_ref().map(|(row, _)| row.clone())));
        println!("recordings, call.pcap and report.html are in {}\n", folder.display());
        Ok(())
    }

    /// Says how much was heard as it was said. On a clean path it must be nearly all.
    pub(crate) fn verdict(&self) -> ExitCode {
        let mut verdict = ExitCode::SUCCESS;
        for (row, check) in &self.directions {
            let (name, share) = (&row.direction, 100.0 * check.share());
            let (exact, said, invented) = (check.exact, check.said, check.invented.len());
            println!(
                "{name}: {exact} of {said} frames heard as said ({share:.1} %), {invented} not"
            );
            let broken = invented as f64 > (1.0 - ENOUGH) * said as f64 || check.share() < ENOUGH;
            if self.clean && broken {
                let at = check.breaks(FRAME_TIME).first().map_or(Duration::ZERO, |it| it.start);
                eprintln!("error: the sound {name} broke {at:?} into its recording");
                verdict = ExitCode::FAILURE;
            }
        }
        verdict
    }
}

/// Holds what `listener` heard against what `speaker` said, as G.711 carries it.
fn compare(
    speaker: &Party,
    listener: &Party,
    recording: &Recording,
) -> Result<((QualityRow, SoundCheck), PartyReport), Error> {
    let round_trip = |sample: &i16| g711::decode_mulaw(g711::encode_mulaw(*sample));
    let mut carried: Vec<i16> = speaker.said.iter().map(round_trip).collect();
    // The last frame is sent whole.
    carried.resize(carried.len().next_multiple_of(FRAME), 0);
    let heard = WavSource::open(&listener.heard_in, SAMPLE_RATE)?.read_to_end()?;
    let check = SoundCheck::new(&carried, &heard, FRAME);
    let row = quality_row(&format!("{} → {}", speaker.name, listener.name), &listener.statistics);
    // The report shows both on the clock of what was heard.
    let later = listener.said_from.saturating_sub(listener.heard_from).as_secs_f64();
    let mut said = vec![0; (later * f64::from(SAMPLE_RATE)) as usize];
    said.extend_from_slice(&listener.said);
    let party = recording.parties().find(|(_, name)| *name == listener.name);
    let (start, breaks) = (listener.heard_from, check.breaks(FRAME_TIME).into_iter());
    let report = PartyReport {
        name: listener.name.to_owned(),
        said,
        heard,
        sample_rate: SAMPLE_RATE,
        sound_start: start,
        breaks: breaks.map(|it| start + it.start..start + it.end).collect(),
        quality: Some(row.clone()),
        series: party.map(|(party, _)| recording.series(party).collect()).unwrap_or_default(),
    };
    Ok(((row, check), report))
}

const FRAME_TIME: Duration = Duration::from_millis(20);
/// The share of frames that must be heard exactly on a clean path.
const ENOUGH: f64 = 0.99;
