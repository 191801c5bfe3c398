//! No typed header field is forgotten.

use crate::typed::TYPES;

/// The re-exports of the typed header fields and of the parts of their values.
const EXPORTS: &str = include_str!("../../../crates/sip-message/src/header/mod.rs");
/// The registered names.
const NAMES: &str = include_str!("../../../crates/sip-message/src/header/name.rs");

#[test]
fn every_type_that_bears_the_name_of_a_header_field_is_in_the_table() {
    let names: Vec<_> = NAMES.split('"').map(plain).collect();
    let exports = EXPORTS.split("pub use ").skip(1).filter_map(|text| text.split_once(';'));
    let exports: Vec<_> = exports
        .flat_map(|(names, _)| names.split(|c: char| !c.is_alphanumeric()))
        .filter(|name| name.starts_with(char::is_uppercase) && names.contains(&plain(name)))
        .collect();
    assert!(exports.contains(&"Via") && exports.contains(&"WwwAuthenticate"), "{exports:?}");
    for name in &exports {
        assert!(TYPES.contains(name), "{name} is not in the table of typed/mod.rs");
    }
    for name in TYPES {
        assert!(exports.contains(name), "{name} is no header field by its name");
    }
}

/// The name without hyphens and case: `WWW-Authenticate` and `WwwAuthenticate` are the same.
fn plain(name: &str) -> String {
    name.replace('-', "").to_ascii_lowercase()
}
