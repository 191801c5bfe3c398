use std::thread;

use proptest::prelude::*;

use super::*;
use crate::{Sink, Source};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn frames_that_were_sent_are_played_in_order_and_then_silence() {
    let (mut source, sender) = channel_source(8000, SECOND).unwrap();
    sender.send(frame(0, &[1, 2, 3])).unwrap();
    sender.send(frame(0, &[])).unwrap();
    sender.send(frame(0, &[4])).unwrap();
    assert_eq!(sender.queued(), Duration::from_micros(500));
    assert_eq!(read(&mut source, 2), [1, 2]);
    assert_eq!(read(&mut source, 4), [3, 4, 0, 0]);
    let passed = ChannelStatistics { passed: 4, overflow: 0, underflow: 2 };
    assert_eq!((sender.statistics(), source.statistics()), (passed, passed));
}

#[test]
fn a_frame_is_not_played_before_its_time_and_at_once_when_it_is_late() {
    let (mut source, sender) = channel_source(8000, SECOND).unwrap();
    sender.send(frame(2, &[7, 7])).unwrap();
    assert_eq!(read(&mut source, 5), [0, 0, 7, 7, 0]);
    assert_eq!(sender.statistics().underflow, 1, "the silence before the frame was asked for");
    sender.send(frame(1, &[8])).unwrap();
    assert_eq!(read(&mut source, 2), [8, 0]);
}

#[test]
fn a_place_that_nanoseconds_cannot_hold_is_found_again() {
    let (mut sink, receiver) = channel_sink(44_100, SECOND).unwrap();
    let (mut source, sender) = channel_source(44_100, SECOND).unwrap();
    for sample in 1..100 {
        sink.write(&[sample]).unwrap();
        let received = receiver.receive().unwrap();
        sender.send(received.clone()).unwrap();
        assert_eq!(read(&mut source, 1), received.samples);
    }
    let due = Frame { at: receiver_time(101), samples: vec![5] };
    sender.send(due).unwrap();
    assert_eq!(read(&mut source, 4), [0, 0, 5, 0]);
}

#[test]
fn a_source_without_sender_ends_behind_what_was_sent() {
    let (mut source, sender) = channel_source(8000, SECOND).unwrap();
    sender.send(frame(0, &[1, 2, 3])).unwrap();
    drop(sender);
    assert_eq!(read(&mut source, 2), [1, 2]);
    assert_eq!(read(&mut source, 2), [3]);
    assert_eq!(read(&mut source, 2), []);
}

#[test]
fn the_newest_samples_push_out_the_oldest() {
    let (mut source, sender) = channel_source(8000, Duration::from_micros(500)).unwrap();
    sender.send(frame(0, &[1, 2, 3])).unwrap();
    sender.send(frame(0, &[4, 5, 6])).unwrap();
    assert_eq!(read(&mut source, 4), [3, 4, 5, 6]);
    sender.send(frame(0, &[1, 2, 3, 4, 5, 6])).unwrap();
    assert_eq!(read(&mut source, 4), [3, 4, 5, 6]);
    assert_eq!(sender.statistics().overflow, 4);
}

#[test]
fn a_received_frame_knows_its_place_even_behind_lost_ones() {
    let (mut sink, receiver) = channel_sink(8000, Duration::from_millis(30)).unwrap();
    (1..=3).for_each(|number| sink.write(&[number; 160]).unwrap());
    let halved = Frame { at: Duration::from_millis(30), samples: vec![2; 80] };
    assert_eq!(receiver.try_receive(), Some(halved));
    let whole = Frame { at: Duration::from_millis(40), samples: vec![3; 160] };
    assert_eq!(receiver.try_receive(), Some(whole));
    assert_eq!(receiver.try_receive(), None);
    let statistics = ChannelStatistics { passed: 240, overflow: 240, underflow: 0 };
    assert_eq!((sink.statistics(), receiver.statistics()), (statistics, statistics));
}

#[test]
fn a_waiting_receiver_wakes_for_a_frame_and_for_the_end() {
    let (mut sink, receiver) = channel_sink(8000, SECOND).unwrap();
    let waiting = thread::spawn(move || {
        let frames: Vec<_> = std::iter::from_fn(|| receiver.receive()).collect();
        (frames, receiver.is_finished())
    });
    sink.write(&[1; 160]).unwrap();
    sink.write(&[2; 160]).unwrap();
    drop(sink);
    let (frames, finished) = waiting.join().unwrap();
    assert_eq!(frames.iter().map(|frame| frame.samples[0]).collect::<Vec<_>>(), [1, 2]);
    assert!(finished);
}

#[test]
fn an_end_that_is_gone_is_reported_to_the_other() {
    let (source, sender) = channel_source(8000, SECOND).unwrap();
    drop(source);
    assert!(matches!(sender.send(frame(0, &[1])), Err(DeviceError::Closed)));
    let (mut sink, receiver) = channel_sink(8000, SECOND).unwrap();
    drop(receiver);
    assert!(matches!(sink.write(&[1]), Err(DeviceError::Closed)));
    sink.finish().unwrap();
    sink.finish().unwrap();
    assert!(matches!(sink.write(&[1]), Err(DeviceError::Finished)));
    assert!(matches!(channel_sink(0, SECOND), Err(DeviceError::SampleRate { rate: 0 })));
}

proptest! {
    #[test]
    fn every_sample_sent_is_played_pushed_out_or_still_there(
        capacity in 0..40_u64,
        steps in prop::collection::vec((0..30_usize, 0..30_usize, 0..100_u64), 1..50),
    ) {
        let (mut source, sender) =
            channel_source(8000, Duration::from_micros(capacity * 125)).unwrap();
        let mut sent = 0;
        for (send, play, at) in steps {
            sender.send(frame(at, &vec![1; send])).unwrap();
            sent += send as u64;
            let heard = read(&mut source, play);
            prop_assert_eq!(heard.len(), play);
            let queued = sender.queued().as_micros() as u64 / 125;
            prop_assert!(queued <= capacity.max(1));
            let statistics = sender.statistics();
            prop_assert_eq!(statistics.passed + statistics.overflow + queued, sent);
        }
    }
}

fn frame(at_sample: u64, samples: &[i16]) -> Frame {
    Frame { at: Duration::from_micros(125 * at_sample), samples: samples.into() }
}

/// The time of a place at 44.1 kHz, cut to nanoseconds as a receiver gives it.
fn receiver_time(place: u64) -> Duration {
    Duration::from_nanos(place * 1_000_000_000 / 44_100)
}

fn read(source: &mut ChannelSource, length: usize) -> Vec<i16> {
    let mut frame = vec![-1; length];
    let count = source.read(&mut frame).unwrap();
    frame.truncate(count);
    frame
}
