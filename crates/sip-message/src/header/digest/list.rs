//! Where one challenge ends and the next one begins: a comma may stand within one value, so a list of
//! them splits by a rule of its own.

use crate::{
    Profile,
    headers::quoted_length,
    parse::{Class, position},
};

/// How far the first challenge of `text` reaches: to a comma behind which a scheme stands and not
/// the name of a parameter. RFC 3261 §7.3.1 forbids to put two in one row, HTTP allows it, and so
/// some servers do it.
pub(super) fn element_length(text: &[u8], profile: Profile) -> usize {
    if profile == Profile::Strict {
        return text.len();
    }
    let mut at = 0_usize;
    while let Some(rest) = text.get(at..)
        && let Some(found) = position(rest, |byte| matches!(byte, b'"' | b','))
    {
        at = at.saturating_add(found);
        let run = text.get(at..).unwrap_or_default();
        if run.first() == Some(&b'"') {
            at = at.saturating_add(quoted_length(run));
            continue;
        }
        let length = run.iter().take_while(|byte| is_separator(byte)).count();
        let next = at.saturating_add(length);
        if starts_with_scheme(text.get(next..).unwrap_or_default()) {
            let last = run.iter().take(length).rposition(|&byte| byte == b',');
            return at.saturating_add(last.unwrap_or_default());
        }
        at = next;
    }
    text.len()
}

/// A token, and behind it white space or nothing, but no `=`.
fn starts_with_scheme(text: &[u8]) -> bool {
    let length = Class::TOKEN.length(text);
    let rest = text.get(length..).unwrap_or_default();
    let behind = rest.iter().find(|byte| !is_white(byte));
    match (rest.first(), behind) {
        _ if length == 0 => false,
        (None | Some(b','), _) => true,
        (Some(byte), Some(behind)) => is_white(byte) && *behind != b'=',
        (Some(byte), None) => is_white(byte),
    }
}

fn is_separator(byte: &u8) -> bool {
    *byte == b',' || is_white(byte)
}

fn is_white(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}
