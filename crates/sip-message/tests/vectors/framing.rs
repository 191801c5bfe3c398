//! Streams of vectors: how they are cut makes no difference.

use offhook_sip_message::*;

use crate::load::{flow_messages, torture_messages};

#[test]
fn a_stream_gives_the_same_frames_whole_and_byte_by_byte() {
    let mut stream = b"\r\n\r\n".to_vec();
    let mut messages = Vec::new();
    for (_, bytes) in flow_messages().into_iter().step_by(9) {
        stream.extend_from_slice(&bytes);
        messages.push(bytes);
        stream.extend_from_slice(&b"\r\n\r\n\r\n"[..2 * (messages.len() % 4)]);
    }
    let drain = |framer: &mut Framer, frames: &mut Vec<Frame>| {
        while let Some(frame) = framer.next().unwrap() {
            frames.push(frame);
        }
    };
    let (mut whole, mut single) = (Vec::new(), Vec::new());
    let mut framer = Framer::new(Limits::default());
    framer.push(&stream);
    drain(&mut framer, &mut whole);
    let mut framer = Framer::new(Limits::default());
    for byte in stream {
        framer.push(&[byte]);
        drain(&mut framer, &mut single);
    }
    assert_eq!(whole, single);
    assert_eq!(whole[..2], [Frame::Pong, Frame::Ping]);
    let framed: Vec<_> = whole
        .into_iter()
        .filter_map(|frame| match frame {
            Frame::Message(bytes) => Some(bytes),
            Frame::Ping | Frame::Pong => None,
        })
        .collect();
    assert_eq!(framed, messages);
}

#[test]
fn every_torture_message_is_framed_or_refused_alike_whole_and_byte_by_byte() {
    for message in torture_messages() {
        let run = |chunk: usize| {
            let mut framer = Framer::new(Limits::default());
            let mut frames = Vec::new();
            for part in message.bytes.chunks(chunk) {
                framer.push(part);
                loop {
                    match framer.next() {
                        Ok(Some(frame)) => frames.push(Ok(frame)),
                        Ok(None) => break,
                        Err(error) => {
                            frames.push(Err(error));
                            return frames;
                        }
                    }
                }
            }
            frames
        };
        assert_eq!(run(1), run(usize::MAX), "{}", message.name);
    }
}
