//! The import rules of the workspace, held against its manifests and sources. `deny.toml` carries those that concern
//! other people's crates as well; this test needs no tool.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap()
        .to_owned()
}

fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    manifest["dependencies"]
        .as_table()
        .unwrap()
        .keys()
        .cloned()
        .collect()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn crates_import_only_the_siblings_they_may() {
    for (name, allowed) in [
        ("policy", vec![]),
        ("wire", vec![]),
        ("ops", vec![]),
        ("worker", vec!["holdfast-ops", "holdfast-wire"]),
        (
            "api",
            vec!["holdfast-ops", "holdfast-policy", "holdfast-wire"],
        ),
        ("lab", vec!["holdfast-ops", "holdfast-wire"]),
    ] {
        let siblings = dependencies(name);
        let siblings: Vec<_> = siblings
            .iter()
            .filter(|name| name.starts_with("holdfast-"))
            .collect();
        assert!(
            siblings.iter().all(|it| allowed.contains(&it.as_str())),
            "{name}: {siblings:?}"
        );
    }
}

#[test]
fn frameworks_stay_in_the_crates_that_own_them() {
    for (library, owners) in [
        ("actix-web", vec!["api", "worker"]),
        ("deadpool-postgres", vec!["api"]),
        ("reqwest", vec!["api", "lab"]),
        ("tokio-postgres", vec!["api", "lab"]),
        ("rustls", vec!["api"]),
        ("redb", vec!["api"]),
        ("backoff", vec!["policy"]),
        ("tower", vec!["policy"]),
    ] {
        for name in ["policy", "wire", "ops", "worker", "api", "lab"] {
            let uses = dependencies(name).contains(library);
            assert_eq!(uses, owners.contains(&name), "{name} and {library}");
        }
    }
}

#[test]
fn only_the_store_speaks_sql() {
    let api = root().join("crates/api/src");
    for path in sources(&api)
        .iter()
        .filter(|path| !path.starts_with(api.join("store")))
    {
        let text = fs::read_to_string(path).unwrap();
        // Sessions are opened and kept by a module of their own, which knows no table.
        let pool = path.starts_with(api.join("postgres"));
        let words = ["SELECT ", "INSERT ", "UPDATE ", "deadpool"];
        for word in words.iter().filter(|word| !(pool && **word == "deadpool")) {
            assert!(!text.contains(word), "{} says {word}", path.display());
        }
    }
}

#[test]
fn the_use_case_knows_no_http_and_only_http_knows_actix() {
    let api = root().join("crates/api/src");
    let hosts = ["application.rs", "http"].map(|host| api.join(host));
    for path in sources(&api) {
        let text = fs::read_to_string(&path).unwrap();
        let may_know = hosts.iter().any(|host| path.starts_with(host));
        assert!(
            may_know || !text.contains("actix_web"),
            "{} knows actix",
            path.display()
        );
    }
}

#[test]
fn no_source_file_is_longer_than_300_lines() {
    for name in ["policy", "wire", "ops", "worker", "api", "lab"] {
        for path in sources(&root().join("crates").join(name)) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 300, "{} has {lines} lines", path.display());
        }
    }
}
