//! What the tests of typed header fields ask of each of them.

use super::Header;
use crate::{ParseError, Profile, WireText};

/// The value `text` in the tolerant profile.
pub(super) fn read<H: Header>(text: &str) -> H {
    H::parse(&WireText::new(text, Profile::Tolerant))
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

pub(super) fn read_strictly<H: Header>(text: &str) -> Result<H, ParseError> {
    H::parse(&WireText::new(text, Profile::Strict))
}

pub(super) fn written(header: &impl Header) -> String {
    let mut text = String::new();
    header.write(&mut text);
    text
}

/// `text` follows the grammar and is written as it came; no part of it makes the reader panic.
pub(super) fn same<H: Header>(text: &str) -> H {
    reads::<H>(text, text)
}

/// `text` follows the grammar and is written as `normal`.
pub(super) fn reads<H: Header>(text: &str, normal: &str) -> H {
    let strict: H = read_strictly(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let tolerant: H = read(text);
    assert!(strict == tolerant, "{text} is the same in both profiles");
    assert_eq!(written(&tolerant), normal);
    assert!(read::<H>(normal) == tolerant, "{normal} reads back as an equal value");
    every_part::<H>(text);
    tolerant
}

/// `text` is outside the grammar but its meaning is clear; it is written as `normal`.
pub(super) fn forgiven<H: Header>(text: &str, normal: &str) -> H {
    assert!(read_strictly::<H>(text).is_err(), "{text} is outside the grammar");
    let tolerant: H = read(text);
    assert_eq!(written(&tolerant), normal);
    assert!(read::<H>(normal) == tolerant, "{normal} reads back as an equal value");
    every_part::<H>(text);
    tolerant
}

/// `text` is refused in both profiles, at byte `offset`.
pub(super) fn refused<H: Header>(text: &str, offset: usize) {
    for profile in [Profile::Strict, Profile::Tolerant] {
        let error = H::parse(&WireText::new(text, profile)).err();
        let error = error.unwrap_or_else(|| panic!("{profile:?} takes {text}"));
        assert_eq!(error.offset(), offset, "{text} in {profile:?}: {error}");
    }
    every_part::<H>(text);
}

fn every_part<H: Header>(text: &str) {
    let ends = (0..=text.len()).filter(|&at| text.is_char_boundary(at));
    for at in ends {
        for part in [&text[..at], &text[at..]] {
            for profile in [Profile::Strict, Profile::Tolerant] {
                if let Err(error) = H::parse(&WireText::new(part, profile)) {
                    assert!(error.offset() <= part.len(), "{part}: {error}");
                }
            }
        }
    }
}
