//! `docs/policies.md` is held against the loader: an operator who believes the guide is not let down at start.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;

use holdfast_api::Settings;
use holdfast_ops::Environment;
use tempfile::NamedTempFile;
use toml::{Table, Value};

fn text(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    fs::read_to_string(root.join(path)).unwrap()
}

/// What the API makes of a policy file that says `policies`.
fn load(policies: &str) -> Result<Settings, String> {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(policies.as_bytes()).unwrap();
    let environment = Environment::from([
        ("HOLDFAST_WORKER_URL", "http://127.0.0.1:1"),
        ("DATABASE_URL", "postgres://u:p@127.0.0.1:1/x"),
        ("HOLDFAST_POLICIES", file.path().to_str().unwrap()),
    ]);
    let bind = SocketAddr::from(([127, 0, 0, 1], 0));
    Settings::read(&environment, bind).map_err(|error| error.to_string())
}

/// The part of `guide` under the heading `title`.
fn section<'a>(guide: &'a str, title: &str) -> &'a str {
    let mut sections = guide.split("\n## ");
    sections.find(|text| text.starts_with(title)).unwrap()
}

/// The first two cells of each row that has code in both.
fn rows(section: &str) -> impl Iterator<Item = (&str, &str)> {
    section.lines().filter_map(|line| {
        let (first, rest) = line.strip_prefix("| `")?.split_once("` | `")?;
        Some((first, rest.split_once('`')?.0))
    })
}

/// Every key below `table`, dotted, with its value as TOML.
fn keys(table: &Table, path: &str) -> Vec<(String, String)> {
    let below = |(key, value): (&String, &Value)| match value {
        Value::Table(inner) => keys(inner, &format!("{path}{key}.")),
        value => vec![(format!("{path}{key}"), value.to_string())],
    };
    table.iter().flat_map(below).collect()
}

#[test]
fn the_guide_names_every_key_with_its_default_and_no_other() {
    let guide = text("docs/policies.md");
    let file: Table = text("deploy/policies.toml").parse().unwrap();
    for (name, table) in &file {
        let section = section(&guide, &format!("`[{name}]`"));
        let keys = keys(table.as_table().unwrap(), "");
        let code: Vec<&str> = section.split('`').skip(1).step_by(2).collect();
        for (key, default) in &keys {
            let said = code.windows(2).any(|two| two == [key, default]);
            assert!(said, "[{name}] {key} = {default}");
        }
        for (key, default) in rows(section) {
            let known = keys.contains(&(key.to_owned(), default.to_owned()));
            assert!(known, "[{name}] has no {key} = {default}");
        }
    }
}

#[test]
fn every_example_of_the_guide_loads_and_has_the_worst_case_that_follows_it() {
    let guide = text("docs/policies.md");
    let blocks: Vec<&str> = guide.split("```toml\n").skip(1).collect();
    assert!(blocks.len() > 4, "the guide lost its examples");
    for (example, after) in blocks.iter().map(|it| it.split_once("```").unwrap()) {
        let policies = load(example).unwrap().policies.policies;
        let database = policies.database.deadline.as_secs_f64();
        let journal = policies.journal.deadline.as_secs_f64();
        let worker = policies.worker.deadline.as_secs_f64();
        let bound = policies.worst_case().as_secs_f64();
        let sum =
            format!("Worst case: 2 × ({database} s + {journal} s) + {worker} s = **{bound} s**.");
        assert!(after.contains(&sum), "{example}{sum}");
    }
}

#[test]
fn what_the_guide_says_is_refused_is_refused_in_these_words() {
    let guide = text("docs/policies.md");
    let refused: Vec<_> = rows(section(&guide, "Rules between keys")).collect();
    assert!(refused.len() > 9, "the guide lost its rules");
    for (file, words) in refused {
        let refusal = load(file).err().unwrap();
        let (key, _) = words.split_once(' ').unwrap();
        let said = refusal.trim_end_matches(&format!(" ({key} is the default)"));
        assert!(said.ends_with(words), "{file}: {refusal}");
    }
}
