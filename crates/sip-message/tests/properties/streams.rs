//! How a stream is cut makes no difference.

use offhook_sip_message::*;
use proptest::prelude::*;

use crate::generate::rows;

/// Everything that comes out, and the error that ends it.
fn frames<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    limits: Limits,
) -> (Vec<Frame>, Option<ParseError>) {
    let (mut framer, mut frames) = (Framer::new(limits), Vec::new());
    for piece in pieces {
        framer.push(piece);
        loop {
            match framer.next() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

fn cut<'a>(stream: &'a [u8], cuts: &'a [prop::sample::Index]) -> impl Iterator<Item = &'a [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
    places.extend([0, stream.len()]);
    places.sort_unstable();
    let pairs: Vec<_> = places.windows(2).map(|pair| pair[0]..pair[1]).collect();
    pairs.into_iter().map(|range| &stream[range])
}

fn message() -> impl Strategy<Value = String> {
    (rows(), "(\r\n|[a-z]|\0){0,9}").prop_map(|(rows, body)| {
        let head: String = rows.iter().map(|(_, row)| row.as_str()).collect();
        format!("SIP/2.0 200 OK\r\n{head}Content-Length: {}\r\n\r\n{body}", body.len())
    })
}

proptest! {
    #[test]
    fn messages_and_keep_alives_come_out_as_they_went_in(
        messages in prop::collection::vec((message(), 0..4_usize), 1..4),
        cuts: Vec<prop::sample::Index>,
    ) {
        let stream: String =
            messages.iter().map(|(message, crlfs)| message.clone() + &"\r\n".repeat(*crlfs)).collect();
        let (whole, error) = frames(std::iter::once(stream.as_bytes()), Limits::default());
        prop_assert_eq!(&error, &None);
        let framed = whole.iter().filter_map(|frame| match frame {
            Frame::Message(bytes) => Some(bytes),
            Frame::Ping | Frame::Pong => None,
        });
        prop_assert!(framed.eq(messages.iter().map(|(message, _)| message.as_bytes())));
        prop_assert_eq!(whole.len(), messages.iter().map(|(_, crlfs)| crlfs + 1).sum::<usize>());
        prop_assert_eq!((whole, error), frames(cut(stream.as_bytes(), &cuts), Limits::default()));
    }

    #[test]
    fn broken_streams_break_at_the_same_place(
        stream in "(\r\n|\r|\n| |:|A|Via: |Content-Length: [0-9]{1,2}\r\n|SIP/2.0 200 OK\r\n|\r\n\r\n|X: aaaaaaaaaaaaaaaaaaaa\r\n){0,16}",
        cuts: Vec<prop::sample::Index>,
        message in 20..120_usize, start_line in 5..40_usize, header in 5..60_usize, headers in 1..4_usize, body in 0..30_usize,
    ) {
        let limits = Limits { message, start_line, header, headers, body };
        let whole = frames(std::iter::once(stream.as_bytes()), limits);
        prop_assert_eq!(&whole, &frames(cut(stream.as_bytes(), &cuts), limits));
        prop_assert_eq!(whole, frames(stream.as_bytes().chunks(1), limits));
    }
}
