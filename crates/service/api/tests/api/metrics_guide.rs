//! `docs/metrics.md`, and the rules and the dashboard in `deploy/observe`, are held against what the API and the worker
//! expose: whoever builds an alert on the guide is not let down.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::Duration;

use holdfast_testbed::exposition::{Families, Family, families};
use holdfast_testbed::proxy::Fault;
use serde_json::Value;

use crate::support::{System, spawn_worker};

fn text(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    fs::read_to_string(root.join(path)).unwrap()
}

/// What the guide's sections of these titles say there is.
fn documented(titles: [&str; 2]) -> Families {
    let guide = text("docs/metrics.md");
    let sections = guide.split("\n## ").filter(|section| {
        let title = section.lines().next().unwrap();
        titles.contains(&title)
    });
    sections
        .flat_map(str::lines)
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` | "))
        .map(|(name, rest)| {
            let (kind, rest) = rest.split_once(" | ").unwrap();
            let (labels, _) = rest.split_once(" |").unwrap();
            let labels = labels.split('`').skip(1).step_by(2);
            let family = Family {
                kind: kind.to_owned(),
                labels: labels.map(str::to_owned).collect(),
            };
            (name.to_owned(), family)
        })
        .collect()
}

fn assert_same(exposed: &Families, documented: &Families) {
    let only = |one: &Families, other: &Families| -> BTreeMap<_, _> {
        let of_one = one.iter().filter(|(name, it)| other.get(*name) != Some(it));
        of_one
            .map(|(name, it)| (name.clone(), it.clone()))
            .collect()
    };
    let undocumented = only(exposed, documented);
    let missing = only(documented, exposed);
    assert!(
        undocumented.is_empty() && missing.is_empty(),
        "undocumented: {undocumented:#?}\ndocumented but not exposed: {missing:#?}"
    );
}

async fn scrape(system: &System) -> String {
    system.api.get("/metrics").await.text().await.unwrap()
}

/// The series of an exposition, without their values.
fn series(exposition: &str) -> BTreeSet<String> {
    let lines = exposition.lines().filter(|line| !line.starts_with('#'));
    let series = lines.filter_map(|line| line.rsplit_once(' '));
    series.map(|(series, _)| series.to_owned()).collect()
}

/// All that there are, as a wrong path is told.
async fn routes(system: &System) -> Vec<String> {
    let problem: Value = system.api.get("/nowhere").await.json().await.unwrap();
    let words = problem["detail"].as_str().unwrap().split([' ', ',']);
    let routes: Vec<_> = words
        .filter(|word| word.starts_with('/'))
        .map(str::to_owned)
        .collect();
    assert!(routes.len() > 8, "{problem}");
    routes
}

#[tokio::test]
async fn the_guide_names_every_metric_of_the_api_with_type_and_labels_and_no_other() {
    let system = System::start().await;
    let exposed = families(&scrape(&system).await);
    assert_same(&exposed, &documented(["The API", "Both"]));
}

#[tokio::test]
async fn the_guide_names_every_metric_of_the_worker_with_type_and_labels_and_no_other() {
    let worker = spawn_worker(Duration::ZERO);
    let url = format!("http://{worker}/metrics");
    let exposition = reqwest::get(url).await.unwrap().text().await.unwrap();
    assert_same(&families(&exposition), &documented(["The worker", "Both"]));
}

#[tokio::test]
async fn rules_and_dashboard_name_no_metric_that_does_not_exist() {
    let known: BTreeSet<String> = documented(["The API", "The worker"])
        .into_keys()
        .chain(documented(["Both", ""]).into_keys())
        .collect();
    for path in [
        "deploy/observe/rules/recording.yml",
        "deploy/observe/rules/alerts.yml",
        "deploy/observe/grafana/dashboards/holdfast.json",
    ] {
        let text = text(path);
        let mut found = 0;
        // A colon belongs to a name: that of a recording rule, which promtool and the observe check look after.
        for word in text.split(|it: char| !(it.is_ascii_alphanumeric() || "_:".contains(it))) {
            let prefixes = ["holdfast_", "http_server_", "process_"];
            if !prefixes.iter().any(|prefix| word.starts_with(prefix)) {
                continue;
            }
            found += 1;
            let ends = ["_bucket", "_sum", "_count"];
            let family = ends.iter().find_map(|end| word.strip_suffix(end));
            assert!(
                known.contains(family.unwrap_or(word)) || known.contains(word),
                "{path}: {word}"
            );
        }
        assert!(found > 5, "{path} names only {found}");
    }
}

#[test]
fn every_alert_says_how_bad_it_is_and_leads_to_its_own_line_of_the_runbook() {
    let alerts = text("deploy/observe/rules/alerts.yml");
    let mut found = 0;
    for alert in alerts.split("- alert: ").skip(1) {
        let name = alert.lines().next().unwrap();
        let said = |key: &str| {
            let line = alert.lines().find_map(|it| it.trim().strip_prefix(key));
            line.unwrap_or_else(|| panic!("{name} has no {key}"))
        };
        assert!(["page", "ticket"].contains(&said("severity: ")), "{name}");
        assert!(said("summary: ").len() > 20 && said("description: ").len() > 20);
        let (path, anchor) = said("runbook_url: ").split_once('#').unwrap();
        assert_eq!(anchor, name);
        let place = format!("<a id=\"{anchor}\"></a>");
        assert_eq!(text(path).matches(&place).count(), 1, "{place} in {path}");
        found += 1;
    }
    assert!(found > 15, "{found}");
}

#[tokio::test]
async fn an_outage_and_what_every_route_answers_adds_no_series() {
    let system = System::start().await;
    let before = series(&scrape(&system).await);
    system.api.becomes_healthy().await;
    system.worker.set(Fault::Refuse).await;
    system.api.opens_worker_breaker().await;
    system.database.set(Fault::Refuse).await;
    system.api.opens_database_breaker().await;
    for route in routes(&system).await {
        for path in [
            route.clone(),
            route.replace("{id}", "none"),
            format!("{route}?status=none"),
        ] {
            system.api.get(&path).await;
            system.api.post(&path, "{").await;
        }
    }
    let after = series(&scrape(&system).await);
    let new: Vec<_> = after.difference(&before).collect();
    assert!(new.is_empty(), "{new:#?}");
    assert_eq!(before.difference(&after).count(), 0);
}

#[tokio::test]
async fn a_thousand_paths_and_methods_of_a_clients_choice_add_no_series() {
    let system = System::start().await;
    let before = series(&scrape(&system).await);
    for number in 0..1000 {
        let method = ["GET", "POST", "DELETE", "HEAD", "BREW"][number % 5];
        let method = if number % 7 == 0 {
            format!("M{number}")
        } else {
            method.to_owned()
        };
        let path = ["/x", "/requests/x", "/process/x", "/naive/x", "/metrics/x"][number / 5 % 5];
        let path = format!("{path}{}?q={number}", unlike_the_others(number));
        system.api.request(&method, &path).send().await.unwrap();
    }
    let after = series(&scrape(&system).await);
    let new: Vec<_> = after.difference(&before).collect();
    assert!(new.is_empty(), "{new:#?}");
}

/// No path twice.
fn unlike_the_others(number: usize) -> String {
    format!("{:x}", number.wrapping_mul(0x9E37_79B9))
}

#[tokio::test]
async fn answers_are_counted_by_status_and_by_what_was_missing() {
    let system = System::start().await;
    system.api.becomes_healthy().await;
    let whole = r#"holdfast_process_answers_total{status="200",degraded="none"} "#;
    let deferred = r#"holdfast_process_answers_total{status="202",degraded="worker_unavailable"} "#;
    let value = |text: &str, series: &str| -> u64 {
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(series));
        value
            .unwrap_or_else(|| panic!("{series} is not in\n{text}"))
            .parse()
            .unwrap()
    };
    let before = scrape(&system).await;
    assert!(value(&before, whole) >= 1);
    assert_eq!(value(&before, deferred), 0);
    system.worker.set(Fault::Refuse).await;
    assert_eq!(system.api.process().await.status, 202);
    system.api.post("/process", "{").await;
    let after = scrape(&system).await;
    assert_eq!(value(&after, deferred), 1);
    assert_eq!(value(&after, whole), value(&before, whole));
    assert!(
        after.contains(r#"holdfast_pool_sessions{pool="resilient",state="idle"} 1"#),
        "{after}"
    );
}
