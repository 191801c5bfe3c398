use super::*;
use crate::wav_source::WavSource;
use crate::{Source, scratch::Scratch};

#[test]
fn the_header_is_right_after_finish() {
    let folder = Scratch::new();
    let path = folder.path("finished.wav");
    let mut sink = WavSink::create(&path, 16_000).unwrap();
    sink.write(&[1, -2, i16::MAX]).unwrap();
    sink.write(&[i16::MIN]).unwrap();
    sink.finish().unwrap();
    check_header(&path, 16_000, 4);
    assert_eq!(samples(&path, 16_000), [1, -2, i16::MAX, i16::MIN]);
}

#[test]
fn the_header_is_right_after_a_drop() {
    let folder = Scratch::new();
    let path = folder.path("dropped.wav");
    let mut sink = WavSink::create(&path, 8000).unwrap();
    sink.write(&[5; 160]).unwrap();
    drop(sink);
    check_header(&path, 8000, 160);
}

#[test]
fn a_finished_sink_takes_nothing_more_and_can_be_finished_again() {
    let folder = Scratch::new();
    let path = folder.path("twice.wav");
    let mut sink = WavSink::create(&path, 8000).unwrap();
    sink.write(&[5; 10]).unwrap();
    sink.finish().unwrap();
    assert!(matches!(sink.write(&[5]), Err(DeviceError::Finished)));
    sink.finish().unwrap();
    drop(sink);
    check_header(&path, 8000, 10);
}

#[test]
fn a_file_that_is_full_says_so_and_stays_valid() {
    let folder = Scratch::new();
    let path = folder.path("full.wav");
    let mut sink = WavSink::create(&path, 8000).unwrap();
    sink.room = 200;
    sink.write(&[5; 160]).unwrap();
    let error = sink.write(&[5; 160]).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{}: a WAV file cannot grow beyond 4 GiB", path.display())
    );
    sink.finish().unwrap();
    check_header(&path, 8000, 160);
}

#[test]
fn what_cannot_be_created_is_named() {
    let folder = Scratch::new();
    let path = folder.path("no such folder/x.wav");
    let error = WavSink::create(&path, 8000).unwrap_err().to_string();
    assert!(error.starts_with(&format!("{}: No such file", path.display())), "{error}");
    let error = WavSink::create(folder.path("x.wav"), 999).unwrap_err().to_string();
    assert_eq!(error, "a sample rate of 999 Hz is not within 1000 to 384000 Hz");
}

fn check_header(path: &Path, rate: u32, samples: u32) {
    let bytes = std::fs::read(path).unwrap();
    let number = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    assert_eq!(bytes.len() as u32, 44 + 2 * samples);
    assert_eq!(number(4), bytes.len() as u32 - 8);
    assert_eq!((number(24), number(28)), (rate, 2 * rate));
    assert_eq!(number(40), 2 * samples);
}

fn samples(path: &Path, rate: u32) -> Vec<i16> {
    let mut frame = vec![0; 1000];
    let count = WavSource::open(path, rate).unwrap().read(&mut frame).unwrap();
    frame.truncate(count);
    frame
}
