//! A run as it might be, for the tests: the worker paused for ten seconds of forty. Seeded, so always the same.

mod seen;

use std::time::Duration;

use self::seen::{LASTS, PATIENCE, WORK, answered, flap, trial};
use super::{Facts, Listed, Repeat, Report, Summary};
use holdfast_checker::arrivals::Arrivals;
use holdfast_checker::plan::{
    Expectation, Experiment, Fault, Kind, Load, Metric, Side, System, Target, Window,
};
use holdfast_checker::stage::StageKind;
use holdfast_checker::trial::{Completion, Trial};
use holdfast_checker::verdict::{Check, Verdict};

/// Everything of a run.
pub(super) struct Run {
    pub(super) experiment: Experiment,
    pub(super) naive: Trial,
    pub(super) resilient: Trial,
    pub(super) verdict: Verdict,
    pub(super) facts: Facts,
    pub(super) repeats: Vec<Repeat>,
}

impl Run {
    pub(super) fn new() -> Self {
        let [naive, resilient] = both();
        Self {
            experiment: experiment(),
            naive,
            resilient,
            verdict: verdict(),
            facts: facts(),
            repeats: vec![Repeat {
                name: "p99, during the fault".to_owned(),
                trials: 5,
                naive: "6.00 s (6.00 to 6.01)".to_owned(),
                resilient: "1.43 s (1.41 to 1.46)".to_owned(),
                effect: "4.2 times".to_owned(),
            }],
        }
    }

    /// With every kind of end, a flapping fault, and two checks that do not hold.
    pub(super) fn deviated() -> Self {
        let mut run = Self::new();
        for trial in [&mut run.naive, &mut run.resilient] {
            let whole = trial.faults[0].clone();
            trial.faults = (0..5).map(|number| flap(&whole, number)).collect();
            for call in trial.calls.iter_mut().filter(|call| call.number % 3 == 0) {
                call.end = match call.number % 8 {
                    1 => answered(503, None),
                    3 => answered(200, Some("db_unavailable:pool_exhausted")),
                    5 => Completion::Left,
                    7 => Completion::NoFile,
                    _ => continue,
                };
            }
        }
        for (index, seen) in [(5, "2.10 s"), (9, "3.61 s")] {
            let check = &mut run.verdict.checks[index];
            check.holds = false;
            check.seen = seen.to_owned();
        }
        run
    }

    pub(super) fn with_report<T>(&self, then: impl FnOnce(&Report<'_>) -> T) -> T {
        then(&Report {
            experiment: &self.experiment,
            naive: &self.naive,
            resilient: &self.resilient,
            verdict: &self.verdict,
            facts: &self.facts,
            repeats: &self.repeats,
        })
    }
}

/// Naive and resilient.
pub(super) fn both() -> [Trial; 2] {
    Side::BOTH.map(trial)
}

/// A line of the index.
pub(super) fn listed(name: &str, number: u32) -> Listed {
    let [naive, resilient] = both();
    Listed {
        name: name.to_owned(),
        run: format!("run-{number}"),
        title: experiment().title,
        question: experiment().question,
        started: format!("2026-03-0{number}T10:00:00Z").parse().unwrap(),
        stage: "local".to_owned(),
        href: format!("{name}/run-{number}/report.html"),
        checks: 11,
        holding: 11,
        unknown: 0,
        naive: Summary::of(&naive),
        resilient: Summary::of(&resilient),
    }
}

pub(super) fn experiment() -> Experiment {
    let expectation = Expectation {
        metric: Metric::P99,
        during: Window::Fault,
        at_least: None,
        at_most: Some(2.7),
    };
    Experiment {
        name: "worker-paused".to_owned(),
        title: "The worker stops answering, with its port open".to_owned(),
        question: "Why is a dependency that says nothing worse than one that is gone, and what ends the waiting?".to_owned(),
        prediction: "Nothing refuses, so every naive call waits until its client gives up. The resilient side waits for a \
                     few attempts, opens its breaker, and then promises at once what it cannot do yet."
            .to_owned(),
        stages: vec![StageKind::Local],
        system: System {
            work_delay: Duration::from_secs_f64(WORK),
            work_capacity: None,
            work_warmup: None,
            workers: std::num::NonZeroU32::MIN,
            replication: None,
            policies: toml::Table::new(),
        },
        load: Load {
            rate: 25.0,
            arrivals: Arrivals::Poisson,
            lasts: Duration::from_secs_f64(LASTS),
            patience: Duration::from_secs_f64(PATIENCE),
            seed: 7,
            try_for: None,
            asks_again: None,
            leaving: None,
        },
        faults: vec![Fault {
            target: Target::Worker,
            kind: Kind::Pause,
            at: Duration::from_secs(10),
            lasts: Duration::from_secs(10),
        }],
        naive: vec![expectation],
        resilient: vec![expectation],
    }
}

fn facts() -> Facts {
    Facts {
        run: "2026-03-02T10-00-00Z-7".to_owned(),
        started: "2026-03-02T10:00:00Z".parse().unwrap(),
        stage: StageKind::Local,
        seed: 7,
        revision: "3f1c9a7d20b4, nothing uncommitted".to_owned(),
        machine: "Linux 6.1, x86_64, 2 cores, 7.8 GiB".to_owned(),
        policies: "[worker]\nattempt_timeout = \"600ms\"\ndeadline = \"1400ms\"\n".to_owned(),
    }
}

fn verdict() -> Verdict {
    let check = |side, name: &str, during, expected: &str, seen: &str| Check {
        side,
        name: name.to_owned(),
        during,
        expected: expected.to_owned(),
        seen: seen.to_owned(),
        value: None,
        holds: true,
        unknown: false,
    };
    let fault = Some(Window::Fault);
    let (naive, resilient) = (Some(Side::Naive), Some(Side::Resilient));
    let checks = vec![
        check(
            None,
            "the fault was live",
            None,
            "seen by its probe, on both sides",
            "seen on both",
        ),
        check(
            None,
            "the fault was healed",
            None,
            "seen by its probe, on both sides",
            "seen on both",
        ),
        check(
            None,
            "steady state before",
            None,
            "all answers whole, on both sides",
            "50 of 50",
        ),
        check(
            None,
            "steady state after",
            None,
            "all answers whole, on both sides",
            "50 of 50",
        ),
        check(naive, "unanswered share", fault, "at least 30 %", "58.8 %"),
        check(naive, "p99", fault, "at least 6 s", "6.00 s"),
        check(naive, "lost", None, "at least 1", "111"),
        check(resilient, "unanswered", Some(Window::All), "none", "none"),
        check(resilient, "promised share", fault, "at least 99 %", "100 %"),
        check(resilient, "p99", fault, "at most 2.7 s", "1.43 s"),
        check(resilient, "lost", None, "none", "none"),
    ];
    Verdict { checks }
}
