//! Rooms of a crate, the files and folders in it, that import each other in a circle.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::{crates, root, sources};

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
        // A comment may point anywhere.
        let text: Vec<_> = text
            .split("#[cfg(test)]\nmod ")
            .next()
            .unwrap()
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .collect();
        let text = text.join("\n");
        let deep = path.strip_prefix(folder).unwrap().iter().count()
            - usize::from(path.ends_with("mod.rs"));
        for up in [prefix.to_owned(), "super::".repeat(deep)] {
            let named = names_after(&text, &up);
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
fn no_rooms_of_a_crate_import_each_other_in_a_circle() {
    for name in crates() {
        let folder = root().join("crates").join(&name).join("src");
        // The browser's test is all its crate has.
        if !folder.exists() {
            continue;
        }
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
    write("c.rs", "/// As [`crate::a`] does.");
    assert_eq!(first_circle(&imports(folder.path(), "crate::")), None);
    write("c.rs", "fn f() { crate::a::g() }");
    let found = first_circle(&imports(folder.path(), "crate::"));
    assert_eq!(found.as_deref(), Some("a -> b -> c -> a"));
}
