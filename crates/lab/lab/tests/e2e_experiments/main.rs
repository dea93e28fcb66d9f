//! `lab run` against the real system: its verdicts, its exit codes, and what it leaves behind when it is stopped or killed.
//! Run by `make e2e`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says bluntly what it expects"
)]

mod others;
mod place;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use place::Place;

/// As short as the rules allow.
const SHORT: &str = r#"
title = "Short"
question = "Does it run?"
prediction = "The naive side fails."

[load]
rate = 20
for = "11s"

[[fault]]
target = "worker"
kind = "KIND"
at = "3s"
for = "2s"

[naive]
promised_share = { at_most = 0.2 }

[resilient]
promised_share = { at_least = 0.95 }
lost = { at_most = 0 }
"#;

fn short(kind: &str) -> String {
    SHORT.replace("KIND", kind)
}

fn said(output: &Output) -> String {
    let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8(both).unwrap()
}

/// A run that is in the middle of its first fault.
fn in_the_middle(place: &Place, file: &Path) -> (Child, BufReader<ChildStderr>) {
    let mut command = place.lab(&["run", file.to_str().unwrap()]);
    let mut lab = command
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = BufReader::new(lab.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("worker pause: ") {
        line.clear();
        assert!(
            told.read_line(&mut line).unwrap() > 0,
            "the run ended early"
        );
    }
    (lab, told)
}

fn signal(lab: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(lab.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[tokio::test]
#[ignore = "drives a system of its own: run by make e2e"]
async fn an_experiment_that_holds_exits_0_leaves_a_report_and_can_be_reproduced() {
    let place = Place::new();
    let file = place.write("short.toml", &short("kill"));
    let output = place.run(&["run", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let results = place.folder.path().join("results");
    let run = fs::read_dir(results.join("short"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    let report = fs::read_to_string(run.path().join("report.html")).unwrap();
    assert!(report.contains("Does it run?"));
    assert!(results.join("index.html").is_file());
    place.is_empty_soon().await;

    let again = place.run(&["reproduce", "short"]);
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    assert!(said(&again).contains("agree"), "{}", said(&again));
}

#[tokio::test]
#[ignore = "drives a system of its own: run by make e2e"]
async fn an_experiment_without_its_fault_is_vacuous_and_fails() {
    let place = Place::new();
    let text = short("kill");
    let from = text.find("[[fault]]").unwrap();
    let until = text.find("[naive]").unwrap();
    let without = format!("{}{}", &text[..from], &text[until..]);
    // Even where the naive side's expectation holds by itself.
    let without = without.replace("at_most = 0.2", "at_most = 1.0");
    let file = place.write("vacuous.toml", &without);
    let output = place.run(&["run", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("vacuous"), "{}", said(&output));
}

#[tokio::test]
#[ignore = "drives a system of its own: run by make e2e"]
async fn a_resilient_side_without_resilience_deviates_and_does_so_again() {
    let place = Place::new();
    let policies = "[system]\npolicies = { worker = { on_unavailable = \"reject\" } }\n[load]";
    let file = place.write("reject.toml", &short("kill").replace("[load]", policies));
    let output = place.run(&["run", "--retry", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(
        said(&output).contains("promised_share"),
        "{}",
        said(&output)
    );
    let runs = fs::read_dir(place.folder.path().join("results/reject"));
    let runs = runs
        .unwrap()
        .filter(|it| it.as_ref().unwrap().path().is_dir());
    assert_eq!(runs.count(), 2, "{}", said(&output));
}

#[tokio::test]
#[ignore = "drives a system of its own: run by make e2e"]
async fn what_cannot_be_played_exits_2() {
    let place = Place::new();
    let file = place.write("typo.toml", &short("kill").replace("rate", "raet"));
    let output = place.run(&["run", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let told = said(&output);
    assert!(
        told.contains("typo.toml:7") && told.contains("`rate`"),
        "{told}"
    );
    let output = place.run(&["run", "--json", "worker-kiled"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told[0]["experiment"], "worker-kiled");
    assert!(
        told[0]["error"].as_str().unwrap().contains("worker-killed"),
        "{told}"
    );

    // No call is quick enough to be whole.
    let slow = "[system]\nwork_delay = \"500ms\"\n[load]";
    let file = place.write("unsteady.toml", &short("kill").replace("[load]", slow));
    let output = place.run(&["run", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("steady state"), "{}", said(&output));
    place.is_empty_soon().await;
}

#[tokio::test]
#[ignore = "drives a system of its own: run by make e2e"]
async fn a_runner_killed_in_the_middle_of_a_fault_leaves_nothing_behind() {
    let place = Place::new();
    let file = place.write("killed.toml", &short("pause"));
    let (mut lab, _told) = in_the_middle(&place, &file);
    assert!(!place.processes().is_empty());
    signal(&lab, Signal::KILL);
    lab.wait().unwrap();
    place.is_empty_soon().await;

    let output = place.run(&["run", file.to_str().unwrap()]);
    assert_ne!(output.status.code(), Some(2), "{}", said(&output));
}

#[tokio::test]
#[ignore = "drives a system of its own: run by make e2e"]
async fn ctrl_c_rolls_back_and_exits_2() {
    let place = Place::new();
    let file = place.write("interrupted.toml", &short("pause"));
    let (mut lab, told) = in_the_middle(&place, &file);
    signal(&lab, Signal::INT);
    let status = lab.wait().unwrap();
    assert_eq!(status.code(), Some(2));
    assert!(place.processes().is_empty(), "{:?}", place.processes());
    let rest: Vec<String> = told.lines().map_while(Result::ok).collect();
    assert!(
        rest.iter().any(|line| line.contains("interrupted")),
        "{rest:?}"
    );
}
