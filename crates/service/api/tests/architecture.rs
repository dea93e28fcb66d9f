//! The import rules of the workspace, held against its manifests and sources. `deny.toml` carries those that concern
//! other people's crates as well; this test needs no tool.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

use std::collections::{BTreeMap, BTreeSet};
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
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
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
        ("lab/testbed", vec!["holdfast-ops"]),
        (
            "lab/lab",
            vec!["holdfast-ops", "holdfast-testbed", "holdfast-wire"],
        ),
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
        ("actix-web", vec!["service/api", "service/worker"]),
        ("deadpool-postgres", vec!["service/api"]),
        ("reqwest", vec!["service/api", "lab/lab"]),
        (
            "tokio-postgres",
            vec!["service/api", "lab/lab", "lab/testbed"],
        ),
        ("rustls", vec!["service/api"]),
        ("redb", vec!["service/api"]),
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
    for name in ["policy", "service", "lab"] {
        for path in sources(&root().join("crates").join(name)) {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines <= 300, "{} has {lines} lines", path.display());
        }
    }
}

/// What each room of `folder` names of the others: a room is a file or folder in it. `prefix` leads to them from anywhere
/// in the crate; `super::` does as often as a file lies deep.
fn imports(folder: &Path, prefix: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut graph: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let room = |path: &Path| -> Option<String> {
        let first = path.strip_prefix(folder).unwrap().iter().next()?;
        Some(first.to_string_lossy().trim_end_matches(".rs").to_owned())
    };
    let files = sources(folder);
    let rooms: BTreeSet<_> = files.iter().filter_map(|path| room(path)).collect();
    for path in &files {
        let name = room(path).unwrap();
        let is_test = path
            .components()
            .any(|it| it.as_os_str().to_string_lossy().starts_with("tests"));
        if ["lib", "main", "mod"].contains(&name.as_str()) || is_test {
            continue;
        }
        let text = fs::read_to_string(path).unwrap();
        let text = text.split("#[cfg(test)]\nmod ").next().unwrap();
        let deep = path.strip_prefix(folder).unwrap().iter().count()
            - usize::from(path.ends_with("mod.rs"));
        for up in [prefix.to_owned(), "super::".repeat(deep)] {
            let named = names_after(text, &up);
            let others = named
                .into_iter()
                .filter(|it| rooms.contains(it) && *it != name);
            graph.entry(name.clone()).or_default().extend(others);
        }
    }
    graph
}

/// The first name of each path that begins with `prefix`, also of several between braces.
fn names_after(text: &str, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        // Not the end of a longer path, and not of one that goes up further.
        if text[..at].ends_with("::") {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        let mut depth = 0;
        let mut word = String::new();
        let mut takes = true;
        for it in rest.chars() {
            match it {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => takes = true,
                it if it.is_alphanumeric() || it == '_' => {
                    if takes {
                        word.push(it);
                    }
                    continue;
                }
                _ => {}
            }
            if !word.is_empty() {
                found.push(std::mem::take(&mut word));
                takes = false;
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

/// A way from `at` back to it, if there is one.
fn circle(graph: &BTreeMap<String, BTreeSet<String>>, way: &mut Vec<String>) -> bool {
    let last = way[way.len() - 1].clone();
    for next in graph.get(&last).into_iter().flatten() {
        if *next == way[0] {
            way.push(next.clone());
            return true;
        }
        if way.contains(next) {
            continue;
        }
        way.push(next.clone());
        if circle(graph, way) {
            return true;
        }
        way.pop();
    }
    false
}

fn first_circle(graph: &BTreeMap<String, BTreeSet<String>>) -> Option<String> {
    graph.keys().find_map(|room| {
        let mut way = vec![room.clone()];
        circle(graph, &mut way).then(|| way.join(" -> "))
    })
}

#[test]
fn no_rooms_of_a_service_import_each_other_in_a_circle() {
    for name in [
        "service/wire",
        "service/ops",
        "service/worker",
        "service/api",
    ] {
        let folder = root().join("crates").join(name).join("src");
        assert_eq!(
            first_circle(&imports(&folder, "crate::")),
            None,
            "in {name}"
        );
    }
    let api = root().join("crates/service/api/src");
    for room in ["http", "config"] {
        let graph = imports(&api.join(room), &format!("crate::{room}::"));
        assert!(
            graph.values().any(|it| !it.is_empty()),
            "nothing is seen in {room}"
        );
        assert_eq!(first_circle(&graph), None, "in api/{room}");
    }
}

#[test]
fn a_circle_is_found_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("a.rs", "use crate::{b::X, c};");
    write("b.rs", "use super::c::Y;");
    write("c.rs", "");
    assert_eq!(first_circle(&imports(folder.path(), "crate::")), None);
    write("c.rs", "fn f() { crate::a::g() }");
    let found = first_circle(&imports(folder.path(), "crate::"));
    assert_eq!(found.as_deref(), Some("a -> b -> c -> a"));
}
