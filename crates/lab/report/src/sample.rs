//! A run as it might be, for the tests: the worker killed for five seconds of fourteen.

use std::time::Duration;

use super::{Facts, Listed, Repeat, Report, Summary};
use holdfast_checker::arrivals::Arrivals;
use holdfast_checker::fixtures::{TrialFixture, end, ms, plan, s, whole, without_worker};
use holdfast_checker::plan::{Experiment, Metric, Side};
use holdfast_checker::stage::StageKind;
use holdfast_checker::trial::{Completion, Sample, Trial};
use holdfast_checker::verdict::{Verdict, judge};

const RATE: f64 = 70.0;
/// How long a naive client waits.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

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
        let (mut experiment, [naive, resilient]) = (plan(), both());
        experiment.naive[0].metric = Metric::UnansweredShare;
        experiment.load.rate = RATE;
        Self {
            verdict: judge(&experiment, &naive, &resilient),
            experiment,
            naive,
            resilient,
            facts: Facts {
                run: "2026-03-02T10-00-00Z-7".to_owned(),
                started: "2026-03-02T10:00:00Z".parse().unwrap(),
                stage: StageKind::Local,
                seed: 7,
                revision: "3f1c9a7d20b4, nothing uncommitted".to_owned(),
                machine: "Linux 6.1, x86_64, 2 cores, 7.8 GiB".to_owned(),
                policies: "[worker]\ndeadline = \"1400ms\"\n".to_owned(),
            },
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
            let mut flap = trial.faults[0].clone();
            trial.faults.clear();
            for from in [3, 5, 7, 9].map(s) {
                (flap.from, flap.to) = (from, from + ms(1_100));
                trial.faults.push(flap.clone());
            }
            for (number, call) in trial.calls.iter_mut().enumerate() {
                call.end = match number % 24 {
                    0 => end(503, false, None, None),
                    6 => end(
                        200,
                        true,
                        Some("db_unavailable:pool_exhausted"),
                        Some("journal"),
                    ),
                    12 => Completion::Left,
                    18 => Completion::NoFile,
                    _ => continue,
                };
            }
        }
        for check in &mut run.verdict.checks[12..14] {
            check.holds = false;
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

fn trial(side: Side) -> Trial {
    let mut scene = match side {
        Side::Naive => TrialFixture::naive(),
        _ => TrialFixture::resilient(),
    };
    let times = Arrivals::Constant.times(RATE, s(14), 1);
    for (number, at) in (0..).zip(times) {
        let jitter = ms(number % 30);
        let (latency, end) = match side {
            _ if at < s(3) || at >= s(8) => (ms(200) + jitter, whole()),
            Side::Naive => (PATIENCE, Completion::GivenUp),
            // Until the breaker opens.
            _ if at < ms(3_500) => (ms(1_400) + jitter, without_worker()),
            _ => (ms(4) + jitter, without_worker()),
        };
        scene = scene.call(at, latency, end);
    }
    if side != Side::Naive {
        scene = scene.opens("worker", ms(3_500));
        scene
            .trial
            .transitions
            .push(scene.trial.transitions[0].clone());
        let closed = &mut scene.trial.transitions[1];
        (closed.at, closed.from, closed.to) = (s(8), "open".to_owned(), "closed".to_owned());
    }
    let mut trial = scene.trial;
    // A client that gave up took its call with it, and left a row behind.
    let lost = trial
        .calls
        .iter()
        .filter(|call| call.end == Completion::GivenUp);
    trial.durability.lost = lost.count() as u64;
    trial.samples = (0..60)
        .map(|quarter| look(&trial, ms(250 * quarter)))
        .collect();
    trial
}

/// A worker that is dead cannot tell its count, and what it could not do is owed for so long.
fn look(trial: &Trial, at: Duration) -> Sample {
    let sent = trial.calls.iter().filter(|call| call.intended <= at);
    let owed = sent
        .clone()
        .filter(|call| call.status() == Some(202))
        .count() as u64;
    Sample {
        at,
        worker_arrivals: (at < s(3) || at >= s(8)).then(|| sent.count() as u64 - owed),
        open_work: Some(if at < s(9) { owed } else { 0 }),
        journal_entries: Some(0),
        ejected: None,
    }
}

pub(super) fn listed(name: &str, number: u32) -> Listed {
    let [naive, resilient] = both();
    Listed {
        name: name.to_owned(),
        run: format!("run-{number}"),
        title: plan().title,
        question: plan().question,
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
