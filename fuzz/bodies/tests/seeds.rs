//! Replays every seed through the body of its target.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use offhook_fuzz_bodies::{HEADERS, TARGETS};

#[test]
fn every_seed_keeps_the_promises_of_its_target() {
    for (target, body) in TARGETS {
        let seeds = entries(&fuzz().join("seeds").join(target));
        assert!(!seeds.is_empty(), "{target} has no seeds");
        for seed in seeds {
            // Shown when the body panics.
            println!("{}", seed.display());
            body(&fs::read(seed).unwrap());
        }
    }
}

#[test]
fn every_seed_keeps_the_promises_when_it_is_cut_anywhere() {
    for (target, body) in TARGETS {
        for seed in entries(&fuzz().join("seeds").join(target)) {
            println!("{}", seed.display());
            let bytes = fs::read(seed).unwrap();
            let step = bytes.len() / 200 + 1;
            (0..bytes.len()).step_by(step).for_each(|length| body(&bytes[..length]));
        }
    }
}

#[test]
fn every_target_has_a_program_and_a_folder_of_seeds_and_no_others_exist() {
    let names: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(stems(&fuzz().join("seeds")), names);
    assert_eq!(stems(&fuzz().join("targets")), names);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in &names {
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name}");
    }
}

#[test]
fn every_typed_header_field_has_a_row_and_a_seed_that_picks_it() {
    let check = fuzz().join("../crates/sip-message/src/header/check.rs");
    let check = fs::read_to_string(check).unwrap();
    let (_, list) = check.split_once("\ntypes! {").unwrap();
    let all: BTreeSet<&str> = list.split_once('}').unwrap().0.split_whitespace().collect();
    assert_eq!(HEADERS.iter().map(|row| row.type_name).collect::<BTreeSet<_>>(), all);
    for (index, row) in HEADERS.iter().enumerate() {
        let seed = fs::read(fuzz().join("seeds/sip_header").join(row.type_name)).unwrap();
        assert_eq!(seed.first().copied().map(usize::from), Some(index), "{}", row.type_name);
    }
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What is in a folder; nothing, if there is no such folder.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn stems(folder: &Path) -> BTreeSet<String> {
    let paths = entries(folder);
    let stems = paths.iter().filter_map(|path| path.file_stem());
    stems.map(|stem| stem.to_string_lossy().into_owned()).collect()
}
