//! The map of the crates, held against their manifests: a crate depends only on crates above it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

#[test]
fn a_crate_depends_only_on_crates_above_it() {
    let wrong: Vec<String> = edges()
        .into_iter()
        .filter(|(from, to)| place(from) <= place(to))
        .map(|(from, to)| format!("{from} → {to}"))
        .collect();
    assert_eq!(wrong, Vec::<String>::new(), "arrows that point down or sideways");
}

#[test]
fn the_forbidden_edges_are_absent() {
    let edges = edges();
    for (from, to) in FORBIDDEN {
        let edge = ((*from).to_owned(), (*to).to_owned());
        assert!(!edges.contains(&edge), "{from} must not depend on {to}");
    }
}

#[test]
fn the_machines_know_neither_runtime_nor_devices() {
    for (from, to) in edges() {
        let is_machine = place(&from) < place("offhook-audio");
        let is_outside = matches!(to.as_str(), "offhook-tokio" | "offhook-audio");
        assert!(!(is_machine && is_outside), "{from} must not depend on {to}");
    }
    for package in members().iter().filter(|package| is_sans_io(&package.name)) {
        let wanted = package.dependencies.iter().filter(|it| it.kind == DependencyKind::Normal);
        let runtime: Vec<_> = wanted.filter(|it| RUNTIMES.contains(&it.name.as_str())).collect();
        assert!(runtime.is_empty(), "{} is sans-IO, but depends on {runtime:?}", package.name);
    }
}

#[test]
fn the_common_dialect_depends_on_nothing_of_ours() {
    assert!(edges().iter().all(|(from, _)| from != "offhook-sansio"));
}

#[test]
fn every_crate_stands_on_the_map() {
    let known: BTreeSet<&str> = MAP.iter().copied().collect();
    for package in members() {
        assert!(known.contains(package.name.as_str()), "{} is not on the map", package.name);
    }
}

/// Which of our crates depends on which, as users of the crates see it.
fn edges() -> BTreeSet<(String, String)> {
    let mut edges = BTreeSet::new();
    for package in members() {
        let wanted = package.dependencies.iter().filter(|it| it.kind == DependencyKind::Normal);
        for dependency in wanted.filter(|it| it.name.starts_with("offhook")) {
            edges.insert((package.name.to_string(), dependency.name.clone()));
        }
    }
    assert!(edges.len() > 10, "the manifests were not read");
    edges
}

fn members() -> Vec<Package> {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let mut command = MetadataCommand::new();
    let metadata: Metadata = command.manifest_path(manifest).no_deps().exec().unwrap();
    metadata.packages
}

fn place(name: &str) -> usize {
    MAP.iter().position(|place| *place == name).unwrap_or(MAP.len())
}

fn is_sans_io(name: &str) -> bool {
    place(name) <= place("offhook-core") && name != "offhook-audio"
}

/// The crates from the ground up.
const MAP: &[&str] = &[
    "offhook-sansio",
    "offhook-sip-message",
    "offhook-sip",
    "offhook-sdp",
    "offhook-codec",
    "offhook-rtp",
    "offhook-media",
    "offhook-audio",
    "offhook-core",
    "offhook-trace",
    "offhook-tokio",
    "offhook",
    "offhook-testkit",
    "offhook-interop",
    "offhook-examples",
    "offhook-benches",
    "offhook-fuzz-bodies",
];

const FORBIDDEN: &[(&str, &str)] = &[
    ("offhook-sip", "offhook-sdp"),
    ("offhook-sip", "offhook-media"),
    ("offhook-codec", "offhook-rtp"),
    ("offhook-core", "offhook-audio"),
];

const RUNTIMES: &[&str] = &["tokio", "async-std", "smol", "mio", "socket2"];
