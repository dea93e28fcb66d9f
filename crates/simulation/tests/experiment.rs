//! The lab's experiments in virtual time: they come to the verdicts of the real stages, and not to others' by chance.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

use std::fs;
use std::path::Path;

use holdfast_checker::plan::{Experiment, Side};
use holdfast_checker::trial::Trial;
use holdfast_checker::verdict::{Check, judge};
use holdfast_simulation::experiment::{NotPlayed, Order};

/// As the lab composes it where the experiment has no policies of its own, but that what `rejects` is asked to reject.
fn order(name: &str, side: Side, rejects: Option<&str>) -> Order {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../experiments");
    let read = |file: &str| fs::read_to_string(folder.join(file)).unwrap();
    let file = format!("{name}.toml");
    let mut policies = read("policies.toml");
    if let Some(table) = rejects {
        let rejecting = format!("{table}\non_unavailable = 'reject'");
        policies = policies.replace(table, &rejecting);
    }
    Order {
        experiment: Experiment::parse(Path::new(&file), &read(&file)).unwrap(),
        policies,
        side,
    }
}

fn failed(name: &str, rejects: Option<&str>) -> Vec<Check> {
    let play = |side| order(name, side, rejects).play().unwrap();
    let (naive, resilient) = (play(Side::Naive), play(Side::Resilient));
    let plan = order(name, Side::Naive, None).experiment;
    let mut checks = judge(&plan, &naive, &resilient).checks;
    checks.retain(|check| !check.holds);
    checks
}

#[test]
fn each_kind_of_fault_comes_to_the_verdict_of_the_real_stages() {
    for name in [
        "api-killed",
        "both-gone",
        "clients-leaving",
        "database-locked",
        "database-paused",
        "database-read-only",
        "database-slow",
        "partition",
        "worker-flaky",
        "worker-garbage",
        "worker-killed",
        "worker-resets",
        "worker-restarted",
        "worker-slow",
    ] {
        let failed = failed(name, None);
        assert!(failed.is_empty(), "{name}: {failed:#?}");
    }
}

#[test]
fn a_policy_that_is_needed_and_missing_is_found_out() {
    let missing = |name, rejects| {
        let failed = failed(name, Some(rejects));
        failed.into_iter().map(|it| it.name).collect::<Vec<_>>()
    };
    let journal = missing("database-killed", "[database]");
    assert!(journal.contains(&"success_share".to_owned()), "{journal:?}");
    let defer = missing("worker-killed", "[worker]");
    assert!(defer.contains(&"promised_share".to_owned()), "{defer:?}");
}

#[test]
fn the_same_order_is_the_same_trial() {
    let play = || -> Trial { order("worker-flaky", Side::Resilient, None).play().unwrap() };
    assert_eq!(play(), play());
}

#[test]
fn what_the_model_does_not_have_is_named() {
    let order = order("worker-replaced", Side::Resilient, None);
    let refused = order.play().unwrap_err();
    assert!(matches!(refused, NotPlayed::Unknown(_)), "{refused}");
    assert!(refused.to_string().contains("worker replace"), "{refused}");
}
