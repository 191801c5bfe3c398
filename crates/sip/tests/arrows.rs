//! The tests that `tests/README.md` names are there.
#![cfg(test)]

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|it| it == "rs") {
            found.push(path);
        }
    }
}

fn tests() -> HashSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    sources(&root.join("tests"), &mut files);
    let mut tests = HashSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        for after in text.split("#[test]\n").skip(1) {
            let name = after.lines().find_map(|line| line.trim().strip_prefix("fn "));
            tests.extend(name.and_then(|name| name.split('(').next()).map(str::to_owned));
        }
    }
    tests
}

#[test]
fn every_arrow_names_a_test_that_is_there() {
    let page = include_str!("README.md");
    let tests = tests();
    let mut named = 0;
    for name in page.split('`').skip(1).step_by(2).filter(|it| it.matches('_').count() > 2) {
        assert!(tests.contains(name), "no test `{name}`");
        named += 1;
    }
    assert!(named > 80, "{named}");
    // Each row of a table has one.
    let rows = page.lines().filter(|line| line.starts_with("| ") && !line.ends_with("| test |"));
    for row in rows {
        assert!(row.contains('`'), "{row}");
    }
}
