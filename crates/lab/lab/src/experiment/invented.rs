//! Trials for tests, put together piece by piece. The bound is 3 s, the load lasts 14 s, and the worker was killed from
//! 3 s to 8 s.

use std::path::Path;
use std::time::Duration;

use super::plan::{Experiment, Side, Target};
use super::trial::{Call, End, Generator, Ledger, Observed, Sample, Sight, Transition, Trial};

pub(super) struct Scene {
    pub(super) trial: Trial,
}

impl Scene {
    pub(super) fn naive() -> Self {
        Self::of(Side::Naive)
    }

    pub(super) fn resilient() -> Self {
        Self::of(Side::Resilient)
    }

    fn of(side: Side) -> Self {
        let trial = Trial {
            side,
            bound: s(3),
            lasts: s(14),
            faults: Vec::new(),
            transitions: Vec::new(),
            samples: Vec::new(),
            calls: Vec::new(),
            ledger: Ledger::default(),
            generator: Generator::default(),
            contender: None,
        };
        Self { trial }.fault(Target::Worker, s(3), s(8))
    }

    pub(super) fn fault(mut self, target: Target, from: Duration, to: Duration) -> Self {
        let saw = |seen: &str| Sight {
            holds: true,
            seen: seen.to_owned(),
        };
        self.trial.faults.push(Observed {
            name: format!("{target} kill"),
            target,
            from,
            to,
            live: saw("its port refuses"),
            healed: saw("it answers"),
        });
        self
    }

    pub(super) fn call(mut self, intended: Duration, latency: Duration, end: End) -> Self {
        self.trial.calls.push(Call {
            number: self.trial.calls.len() as u64,
            intended,
            sent: intended,
            ended: intended + latency,
            end,
        });
        self
    }

    pub(super) fn sample(mut self, at: Duration, worker_arrivals: Option<u64>) -> Self {
        self.trial.samples.push(Sample {
            at,
            worker_arrivals,
            open_work: None,
            journal_entries: None,
        });
        self
    }

    pub(super) fn opens(mut self, dependency: &str, at: Duration) -> Self {
        self.trial.transitions.push(Transition {
            at,
            dependency: dependency.to_owned(),
            from: "closed".to_owned(),
            to: "open".to_owned(),
        });
        self
    }
}

/// The worker is killed from 3 s to 8 s: naive answers 500, resilient promises, and all is well again.
pub(super) fn plan() -> Experiment {
    let text = r#"
        title = "Worker killed"
        question = "Who falls?"
        prediction = "Naive."
        [load]
        rate = 10
        arrivals = "constant"
        for = "14s"
        [[fault]]
        target = "worker"
        kind = "kill"
        at = "3s"
        for = "5s"
        [naive]
        error_share = { at_least = 0.9 }
        [resilient]
        promised_share = { at_least = 1, during = "all" }
        time_to_recover = { at_most = "3s" }
    "#;
    Experiment::parse(Path::new("worker-killed.toml"), text).unwrap()
}

/// Both sides of [`plan`], as predicted: ten calls a second.
pub(super) fn played() -> (Trial, Trial) {
    let (mut naive, mut resilient) = (Scene::naive(), Scene::resilient());
    for at in (0..14_000).step_by(100).map(ms) {
        let hurt = (s(3)..=s(8)).contains(&at);
        naive = naive.call(at, ms(200), answered(if hurt { 500 } else { 200 }));
        let end = if hurt { without_worker() } else { whole() };
        resilient = resilient.call(at, ms(200), end);
    }
    (naive.trial, resilient.trial)
}

pub(super) fn whole() -> End {
    End::Answered {
        status: 200,
        request_id: None,
        has_result: true,
        degraded: Vec::new(),
        recorded_in: Some("database".to_owned()),
    }
}

/// Whole, but for where it is recorded.
pub(super) fn recorded_in(place: &str) -> End {
    End::Answered {
        status: 200,
        request_id: None,
        has_result: true,
        degraded: vec!["db_unavailable:circuit_open".to_owned()],
        recorded_in: Some(place.to_owned()),
    }
}

pub(super) fn without_worker() -> End {
    End::Answered {
        status: 202,
        request_id: None,
        has_result: false,
        degraded: vec!["worker_unavailable:circuit_open".to_owned()],
        recorded_in: Some("database".to_owned()),
    }
}

/// Nothing but a status and, with 200, what the naive endpoint sends.
pub(super) fn answered(status: u16) -> End {
    End::Answered {
        status,
        request_id: None,
        has_result: status == 200,
        degraded: Vec::new(),
        recorded_in: None,
    }
}

pub(super) fn without_result(status: u16) -> End {
    End::Answered {
        status,
        request_id: None,
        has_result: false,
        degraded: Vec::new(),
        recorded_in: None,
    }
}

pub(super) fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(super) fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
