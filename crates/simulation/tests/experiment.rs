//! The lab's experiments in virtual time: they come to the verdicts of the real stages, and not to others' by chance.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

use std::fs;
use std::path::Path;
use std::time::Duration;

use holdfast_checker::plan::{Experiment, Fault, Kind, Side};
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
fn a_fault_that_begins_as_another_of_its_target_ends_is_in_force_to_its_own_end() {
    let mut order = order("worker-killed", Side::Resilient, None);
    let mut kill = order.experiment.faults[0].clone();
    let mut pause = kill.clone();
    (pause.kind, pause.at, pause.lasts) = (Kind::Pause, kill.at, Duration::from_secs(3));
    (kill.at, kill.lasts) = (pause.end(), Duration::from_secs(3));
    let middle = kill.at + Duration::from_secs(1);
    order.experiment.faults = vec![pause, kill.clone()];
    let trial = order.play().unwrap();
    assert!(
        trial
            .faults
            .iter()
            .all(|it| it.live.holds && it.healed.holds)
    );
    let mut killed = trial
        .calls
        .iter()
        .filter(|it| (middle..kill.end()).contains(&it.intended));
    assert!(killed.all(|it| !it.is_whole()));
}

#[test]
fn a_short_pause_ends_when_it_is_meant_to_and_a_small_delay_is_seen() {
    let mut order = order("worker-killed", Side::Resilient, None);
    let fault = order.experiment.faults[0].clone();
    let kinds = [
        Kind::Pause,
        Kind::Latency {
            delay: Duration::from_millis(30),
            jitter: Duration::ZERO,
            share: 1.0,
        },
    ];
    for kind in kinds {
        let lasts = Duration::from_millis(200);
        order.experiment.faults = vec![Fault {
            kind,
            lasts,
            ..fault.clone()
        }];
        let trial = order.play().unwrap();
        let seen = &trial.faults[0];
        assert!(seen.live.holds && seen.healed.holds, "{seen:?}");
        assert_eq!(seen.to, fault.at + lasts);
    }
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
