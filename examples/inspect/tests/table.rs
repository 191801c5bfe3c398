//! No typed header field is forgotten.

use crate::typed::TYPES;

/// The re-exports of the typed header fields.
const EXPORTS: &str = include_str!("../../../crates/sip-message/src/header/mod.rs");

/// What is exported beside them: names and the parts of values.
const PARTS: [&str; 3] = ["HeaderName", "MediaType", "NameAddr"];

#[test]
fn every_type_is_in_the_table() {
    let mut exported = 0;
    for statement in EXPORTS.split("pub use ").skip(1) {
        let (names, _) = statement.split_once(';').unwrap();
        let (_, names) = names.split_once("::").unwrap();
        for name in names.split(|c: char| !c.is_alphanumeric()).filter(|name| !name.is_empty()) {
            exported += 1;
            let known = TYPES.contains(&name) || PARTS.contains(&name);
            assert!(known, "{name} needs a Describe, or a place among the parts");
        }
    }
    assert_eq!(exported, TYPES.len() + PARTS.len(), "a name stands in the table twice");
}
