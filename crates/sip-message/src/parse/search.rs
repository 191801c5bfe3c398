//! Where the first byte of a kind stands: line ends, brackets, commas, and the end of a token. More
//! than one byte is looked at at a time.

use super::Class;

/// Where the first byte of `bytes` stands that is `wanted`.
#[inline]
pub(crate) fn position(bytes: &[u8], wanted: impl Fn(u8) -> bool + Copy) -> Option<usize> {
    let (blocks, rest) = bytes.as_chunks();
    let mut before = 0_usize;
    for block in blocks {
        if holds(block, wanted) {
            return Some(before.wrapping_add(first(block, wanted)));
        }
        // It stays below the length of `bytes`.
        before = before.wrapping_add(BLOCK);
    }
    rest.iter().position(|&byte| wanted(byte)).map(|at| before.wrapping_add(at))
}

/// Whether a byte of `block` is `wanted`. Without a branch for each, all are compared at once.
#[inline]
fn holds(block: &[u8; BLOCK], wanted: impl Fn(u8) -> bool) -> bool {
    block.iter().fold(false, |any, &byte| any | wanted(byte))
}

/// Where the first `wanted` byte of `block` stands, which is known to hold one.
#[inline]
fn first(block: &[u8; BLOCK], wanted: impl Fn(u8) -> bool) -> usize {
    let marks = block.map(|byte| if wanted(byte) { u8::MAX } else { 0 });
    (u128::from_le_bytes(marks).trailing_zeros() / u8::BITS) as usize
}

/// How many bytes at the start of `bytes` are of the class `class`; see [`Class::length`].
#[inline]
pub(crate) fn length_of(class: Class, bytes: &[u8]) -> usize {
    let (blocks, rest) = bytes.as_chunks::<4>();
    let mut before = 0_usize;
    for block in blocks {
        if let Some(at) = block.iter().position(|&byte| !class.has(byte)) {
            return before.wrapping_add(at);
        }
        before = before.wrapping_add(block.len());
    }
    before.wrapping_add(class.length(rest))
}

/// As many as the common vector registers hold.
const BLOCK: usize = 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn is_line_end(byte: u8) -> bool {
        matches!(byte, b'\r' | b'\n')
    }

    proptest! {
        #[test]
        fn a_search_finds_what_a_look_at_each_byte_finds(
            bytes in prop::collection::vec(
                prop_oneof![
                    8 => any::<u8>(),
                    1 => prop::sample::select(b"\r\n\x0b\x0c\x0e\x8a\x8d,;<>\"".to_vec()),
                ],
                0..200,
            ),
        ) {
            for start in 0..bytes.len() {
                let rest = &bytes[start..];
                let naive = |wanted: fn(u8) -> bool| rest.iter().position(|&byte| wanted(byte));
                prop_assert_eq!(position(rest, is_line_end), naive(is_line_end));
                prop_assert_eq!(position(rest, |byte| byte == b','), naive(|byte| byte == b','));
            }
        }
    }

    proptest! {
        #[test]
        fn a_run_of_a_class_ends_where_a_look_at_each_byte_ends_it(text in "[a-z0-9.: é]{0,40}") {
            for class in [Class::TOKEN, Class::DIGIT, Class::WORD, Class::LAX_VALUE] {
                for start in 0..text.len() {
                    let rest = &text.as_bytes()[start..];
                    let naive = rest.iter().take_while(|&&byte| class.has(byte)).count();
                    prop_assert_eq!(length_of(class, rest), naive);
                }
            }
        }
    }

    #[test]
    fn a_line_end_is_found_at_every_place_of_every_length() {
        for length in 0..100 {
            for filler in [b'a', 0x0b, 0x0c, 0x0e, 0x8a, 0x8d, 0xff, 0] {
                let mut bytes = vec![filler; length];
                assert_eq!(position(&bytes, is_line_end), None);
                for at in (0..length).rev() {
                    bytes[at] = if at % 2 == 0 { b'\r' } else { b'\n' };
                    assert_eq!(position(&bytes, is_line_end), Some(at), "{length} {filler}");
                }
            }
        }
    }
}
