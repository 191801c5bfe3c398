//! Messages that grow in one place, and what is done with them: each must take time in proportion
//! to their length, whoever has written them.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use bytes::Bytes;
use offhook_sip_message::{Framer, Limits, Message, ParseOptions, Profile};

use crate::sip::{Offhook, received};

/// A message that grows in one place.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// What there is much of in it.
    pub name: &'static str,
    /// How much there is in the smallest one.
    pub least: usize,
    rows: fn(usize) -> String,
}

impl Shape {
    /// The message with `factor` times as much as the smallest one.
    pub fn message(&self, factor: usize) -> Bytes {
        let rows = (self.rows)(self.least.saturating_mul(factor));
        let message = format!(
            "INVITE sip:bob@biloxi.example SIP/2.0\r\n\
             Via: SIP/2.0/UDP pc33.atlanta.example;branch=z9hG4bK776a\r\n\
             Max-Forwards: 70\r\n\
             From: <sip:alice@atlanta.example>;tag=1928\r\n\
             Call-ID: a84b4c76e66710\r\n\
             CSeq: 63104 INVITE\r\n\
             {rows}\
             Content-Length: 0\r\n\r\n"
        );
        received(message.as_bytes())
    }
}

/// The largest are eight times the smallest: ten thousand header fields in 64 KiB, a thousand
/// `Via`, a megabyte of folds, ten thousand elements, a URI of 60 kB, 128 parameters.
pub const SHAPES: &[Shape] = &[
    Shape { name: "header fields", least: 1250, rows: |n| "a: b\r\n".repeat(n) },
    Shape { name: "Via rows", least: 125, rows: |n| via("v: ").repeat(n) },
    Shape { name: "folds", least: 1 << 17, rows: |n| row("s", "", "a\r\n ", n / 4, "a") },
    Shape { name: "folds of nothing", least: 1 << 17, rows: |n| row("s", "", "\r\n ", n / 3, "a") },
    Shape { name: "escaped quotes", least: 7500, rows: |n| contact(&r#"\""#.repeat(n / 2)) },
    Shape { name: "brackets in quotes", least: 7500, rows: |n| contact(&"<,>".repeat(n / 3)) },
    Shape { name: "quotes", least: 7500, rows: |n| row("m", "", "\"\" ", n / 3, "<sip:a@b>") },
    Shape { name: "open brackets", least: 7500, rows: |n| row("m", "", "<", n, "") },
    Shape { name: "comments", least: 7500, rows: |n| row("User-Agent", "a ", "(b) ", n / 4, "c") },
    Shape { name: "comments in comments", least: 7500, rows: comments },
    Shape { name: "open comments", least: 7500, rows: |n| row("User-Agent", "a ", "(", n, "") },
    Shape { name: "options", least: 1250, rows: |n| row("k", "", "timer,", n, "timer") },
    Shape { name: "methods", least: 1250, rows: |n| row("Allow", "", "X,", n, "INVITE") },
    Shape { name: "routes", least: 1250, rows: |n| row("Route", "", "<sip:a;lr>, ", n, "<sip:b>") },
    Shape { name: "broken routes", least: 1250, rows: |n| row("Route", "", "!,", n, "<sip:b>") },
    Shape { name: "empty elements", least: 7500, rows: |n| row("Route", "", ",", n, "<sip:b>") },
    Shape { name: "user of a URI", least: 7500, rows: |n| row("t", "<sip:", "a", n, "@b>") },
    Shape {
        name: "escapes in a URI",
        least: 7500,
        rows: |n| row("t", "<sip:", "%41", n / 3, "@b>"),
    },
    Shape { name: "host of a URI", least: 7500, rows: |n| row("t", "<sip:a@", "b.", n / 2, "c>") },
    Shape { name: "parameters of a URI", least: 16, rows: |n| numbered("t: <sip:a@b", n, ">\r\n") },
    Shape {
        name: "headers of a URI",
        least: 7500,
        rows: |n| row("t", "<sip:a@b?a=b", "&a=b", n / 4, ">"),
    },
    Shape { name: "parameters", least: 16, rows: |n| numbered("t: <sip:a@b>", n, "\r\n") },
    Shape {
        name: "parameters of Via",
        least: 16,
        rows: |n| numbered(&via("v: ").replace("\r\n", ""), n, "\r\n"),
    },
    Shape { name: "equal parameters", least: 1250, rows: |n| row("t", "<sip:a@b>", ";a=b", n, "") },
    Shape { name: "white space", least: 7500, rows: |n| row("t", "<sip:a@b>", " ", n, ";tag=a") },
    Shape { name: "parameters of a body type", least: 16, rows: |n| numbered("c: a/b", n, "\r\n") },
];

fn row(name: &str, start: &str, part: &str, count: usize, end: &str) -> String {
    format!("{name}: {start}{}{end}\r\n", part.repeat(count))
}

fn via(name: &str) -> String {
    format!("{name}SIP/2.0/UDP 192.0.2.4:5060;branch=z9hG4bK776a\r\n")
}

fn contact(display_name: &str) -> String {
    format!("m: \"{display_name}\" <sip:a@b>\r\n")
}

fn comments(length: usize) -> String {
    let depth = length / 2;
    format!("User-Agent: a {}{}\r\n", "(".repeat(depth), ")".repeat(depth))
}

fn numbered(start: &str, count: usize, end: &str) -> String {
    let parameters: String = (0..count).map(|number| format!(";p{number}=v")).collect();
    format!("{start}{parameters}{end}")
}

/// What is done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// It is parsed.
    Parse,
    /// All values of all its header fields are read.
    Read,
    /// It is written again by a builder.
    Build,
    /// It comes in pieces of 64 bytes.
    Stream64,
    /// It comes byte by byte.
    Stream1,
}

impl Work {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Parse, Self::Read, Self::Build, Self::Stream64, Self::Stream1];

    /// The shortest time of so many, and whether it came to an end that is none.
    pub fn time(self, message: &Bytes, runs: usize) -> Duration {
        let parsed = Message::parse_with(message.clone(), &UNBOUNDED);
        let once = |_| {
            let start = Instant::now();
            match (self, &parsed) {
                (Self::Parse, _) => {
                    drop(black_box(Message::parse_with(message.clone(), &UNBOUNDED)));
                }
                (Self::Read, Ok(message)) => {
                    black_box(Offhook::read_all(message.headers()));
                }
                (Self::Build, Ok(Message::Request(request))) => {
                    drop(black_box(request.edit().build()));
                }
                (Self::Stream64, _) => stream(message, 64),
                (Self::Stream1, _) => stream(message, 1),
                (Self::Read | Self::Build, _) => {}
            }
            start.elapsed()
        };
        (0..runs).map(once).min().unwrap_or_default()
    }
}

fn stream(message: &Bytes, piece: usize) {
    let mut framer = Framer::new(UNBOUNDED.limits);
    for piece in message.chunks(piece) {
        framer.push(piece);
        drop(black_box(framer.next()));
    }
}

/// Nothing but the message's own length bounds the work.
pub const UNBOUNDED: ParseOptions = ParseOptions {
    profile: Profile::Tolerant,
    limits: Limits {
        message: usize::MAX,
        start_line: usize::MAX,
        header: usize::MAX,
        headers: usize::MAX,
        body: usize::MAX,
    },
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_a_message_that_the_framer_finds() {
        for shape in SHAPES {
            for factor in [1, 8] {
                let message = shape.message(factor);
                let parsed = Message::parse_with(message.clone(), &UNBOUNDED);
                assert!(parsed.is_ok(), "{}: {parsed:?}", shape.name);
                let mut framer = Framer::new(UNBOUNDED.limits);
                framer.push(&message);
                assert!(framer.next().unwrap().is_some(), "{}", shape.name);
            }
            let [small, large] = [1, 8].map(|factor| shape.message(factor).len());
            assert!((2..=9).contains(&(large / small)), "{}: {small} {large}", shape.name);
        }
    }
}
