//! Messages and keep-alives one after the other (RFC 3261 §18.3, RFC 5626 §3.5.1).

use bytes::Bytes;
use offhook::sip_message::{Frame, Framer, Limits, ParseError, ParseOptions};

use crate::{fault::Fault, finding::Finding, node::Node, sip, tree::Row};

/// Looks at all that a connection carried in one direction.
pub(crate) fn inspect(input: &Bytes, options: &ParseOptions) -> Finding {
    let mut stream = Stream { input, options, at: 0, frames: Vec::new() };
    let mut framer = Framer::new(Limits::default());
    framer.push(input);
    let end = loop {
        match framer.next() {
            Ok(Some(frame)) => stream.take(&frame),
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    stream.end(end);
    stream.finding()
}

struct Stream<'a> {
    input: &'a Bytes,
    options: &'a ParseOptions,
    /// Where the next frame begins.
    at: usize,
    frames: Vec<(usize, Finding)>,
}

impl Stream<'_> {
    fn take(&mut self, frame: &Frame) {
        match frame {
            Frame::Message(message) => {
                let range = self.at..self.at + message.len();
                self.push(range.len(), sip::inspect(self.input, range, self.options));
            }
            Frame::Pong => self.push(CRLF, keep_alive("pong", self.at)),
            // The framer has shown the first half of a ping as a pong: nobody knew then.
            Frame::Ping => {
                let first = self.frames.pop().map_or(self.at, |(offset, _)| offset);
                let length = self.at - first + CRLF;
                self.at = first;
                self.push(length, keep_alive("ping", first));
            }
        }
    }

    fn push(&mut self, length: usize, finding: Finding) {
        self.frames.push((self.at, finding));
        self.at += length;
    }

    /// What is left must be nothing.
    fn end(&mut self, end: Result<(), ParseError>) {
        let left = self.input.len() - self.at;
        let fault = match end {
            Err(error) => Fault::of_sip(&error, self.at),
            Ok(()) if left == 0 => return,
            Ok(()) => {
                let error = ParseError::new(left, "the rest of the message", "RFC 3261 §18.3");
                Fault::of_sip(&error, self.at)
            }
        };
        let row = Row::fault(0, &fault, self.input);
        self.push(left, Finding::refused("whole SIP message", left, &fault, vec![row]));
    }

    fn finding(self) -> Finding {
        let valid = self.frames.iter().all(|(_, finding)| finding.valid);
        let mut trees = Vec::new();
        let mut frames = Vec::new();
        for (offset, finding) in self.frames {
            trees.extend(finding.trees);
            let place = Node::map([("offset", offset.into())]);
            frames.push(match finding.node {
                Node::Map(entries) => {
                    entries.iter().fold(place, |frame, (key, value)| frame.with(key, value.clone()))
                }
                _ => place,
            });
        }
        let node = Node::map([("kind", "stream".into()), ("frames", Node::List(frames))]);
        Finding { trees, node, valid }
    }
}

fn keep_alive(kind: &str, offset: usize) -> Finding {
    let row = Row::at(offset, 0, "keep-alive", "RFC 5626 §3.5.1");
    Finding::new(kind.to_owned(), vec![row], Node::map([("kind", kind.into())]), true)
}

const CRLF: usize = 2;
