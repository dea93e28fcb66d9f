//! The import rules of the workspace, held against its manifests and sources. `deny.toml` carries those that concern
//! other people's crates as well; this test needs no tool.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

mod circles;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(3)
        .unwrap()
        .to_owned()
}

/// Every crate of the workspace, by its folder under `crates`.
fn crates() -> Vec<String> {
    let manifest = fs::read_to_string(root().join("Cargo.toml"));
    let manifest: toml::Table = manifest.unwrap().parse().unwrap();
    let mut found = Vec::new();
    for member in manifest["workspace"]["members"].as_array().unwrap() {
        let Some(member) = member.as_str().unwrap().strip_prefix("crates/") else {
            continue;
        };
        let Some(folder) = member.strip_suffix("/*") else {
            found.push(member.to_owned());
            continue;
        };
        for entry in fs::read_dir(root().join("crates").join(folder)).unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            found.push(format!("{folder}/{name}"));
        }
    }
    assert!(found.len() >= 6, "{found:?}");
    found
}

fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    manifest
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
        .map(|(dependency, _)| dependency.clone())
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
        ("service/wire", vec![]),
        ("service/ops", vec![]),
        ("service/worker", vec!["holdfast-ops", "holdfast-wire"]),
        (
            "service/api",
            vec!["holdfast-ops", "holdfast-policy", "holdfast-wire"],
        ),
        ("lab/browser", vec![]),
        ("lab/checker", vec![]),
        ("lab/report", vec!["holdfast-checker"]),
        ("lab/testbed", vec!["holdfast-ops"]),
        (
            "simulation",
            vec![
                "holdfast-api",
                "holdfast-checker",
                "holdfast-policy",
                "holdfast-wire",
            ],
        ),
        (
            "lab/system",
            vec![
                "holdfast-checker",
                "holdfast-ops",
                "holdfast-testbed",
                "holdfast-wire",
            ],
        ),
        (
            "lab/chaos",
            vec!["holdfast-checker", "holdfast-system", "holdfast-testbed"],
        ),
        (
            "lab/experiment",
            vec![
                "holdfast-chaos",
                "holdfast-checker",
                "holdfast-ops",
                "holdfast-report",
                "holdfast-system",
                "holdfast-testbed",
                "holdfast-wire",
            ],
        ),
        (
            "lab/lab",
            vec![
                "holdfast-chaos",
                "holdfast-checker",
                "holdfast-experiment",
                "holdfast-ops",
                "holdfast-system",
                "holdfast-testbed",
                "holdfast-wire",
            ],
        ),
    ] {
        let mut siblings = dependencies(name);
        siblings.retain(|name| name.starts_with("holdfast-"));
        assert!(
            siblings.iter().all(|it| allowed.contains(&it.as_str())),
            "{name}: {siblings:?}"
        );
    }
}

#[test]
fn frameworks_stay_in_the_crates_that_own_them() {
    for (library, owners) in [
        ("actix-web", vec!["service/api", "service/worker"]),
        ("deadpool-postgres", vec!["service/api"]),
        // Of the policy crate only its feature for it.
        (
            "reqwest",
            vec![
                "service/api",
                "lab/chaos",
                "lab/lab",
                "lab/system",
                "policy",
            ],
        ),
        (
            "tokio-postgres",
            vec![
                "service/api",
                "lab/chaos",
                "lab/lab",
                "lab/system",
                "lab/testbed",
            ],
        ),
        ("rustls", vec!["service/api"]),
        ("redb", vec!["service/api", "simulation"]),
        ("kuva", vec!["lab/report"]),
        ("askama", vec!["lab/experiment", "lab/report"]),
        ("backoff", vec!["policy"]),
        ("tower", vec!["policy"]),
    ] {
        for name in crates() {
            let uses = dependencies(&name).contains(library);
            assert_eq!(
                uses,
                owners.contains(&name.as_str()),
                "{name} and {library}"
            );
        }
    }
}

#[test]
fn what_only_judges_and_tells_waits_for_nobody() {
    for name in ["lab/checker", "lab/report"] {
        let used = dependencies(name);
        for library in ["tokio", "reqwest", "tokio-postgres"] {
            assert!(!used.contains(library), "{name} uses {library}");
        }
    }
}

#[test]
fn only_the_store_speaks_sql() {
    let api = root().join("crates/service/api/src");
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
    let api = root().join("crates/service/api/src");
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
    for name in ["policy", "service", "simulation", "lab"] {
        for path in sources(&root().join("crates").join(name)) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 300, "{} has {lines} lines", path.display());
        }
    }
}
