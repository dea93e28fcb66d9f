//! The index of known troubles in `CONFORMANCE.md` names tests; here it is held against the sources.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const INDEX: &str = include_str!("../CONFORMANCE.md");

/// The names of all test functions below `folder`.
fn tests_in(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            tests_in(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.extend(test_names(&fs::read_to_string(path).unwrap()));
        }
    }
}

/// A function is a test if an attribute that ends in `test` stands above it.
fn test_names(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        if line.starts_with("#[") {
            let attribute = line.trim_start_matches("#[").split(['(', ']']).next();
            is_test |= attribute.is_some_and(|name| name.ends_with("test"));
        } else if let Some(rest) = line.trim_start_matches("async ").strip_prefix("fn ") {
            names.extend(is_test.then(|| rest.split('(').next().unwrap().to_owned()));
            is_test = false;
        }
    }
    names
}

/// What stands between backticks and reads like the name of a test: words joined by underscores.
fn named(index: &str) -> Vec<&str> {
    let quoted = index.split('`').skip(1).step_by(2);
    quoted
        .filter(|text| text.matches('_').count() >= 3 && !text.contains(['/', '.', ' ']))
        .collect()
}

#[test]
fn every_test_that_the_index_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeSet::new();
    tests_in(&root.join("src"), &mut tests);
    tests_in(&root.join("tests"), &mut tests);
    let named = named(INDEX);
    assert!(named.len() > 40, "only {} names found", named.len());
    let missing: Vec<_> = named
        .iter()
        .filter(|name| !tests.contains(**name))
        .collect();
    assert!(missing.is_empty(), "no such test: {missing:?}");
}
