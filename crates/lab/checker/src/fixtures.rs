//! Trials for tests, put together piece by piece. The bound is 3 s, the load lasts 14 s, and the worker was killed from
//! 3 s to 8 s.

#![allow(clippy::unwrap_used, reason = "helpers of tests may be blunt")]

use std::path::Path;
use std::time::Duration;

use super::plan::{Experiment, Side, Target};
use super::trial::{
    Call, Completion, Durability, FaultWindow, Generator, Observation, Sample, Transition, Trial,
};

/// A trial in the making.
#[derive(Debug)]
pub struct TrialFixture {
    /// As far as it is put together.
    pub trial: Trial,
}

impl TrialFixture {
    /// Of the naive side, with the fault and without calls.
    #[must_use]
    pub fn naive() -> Self {
        Self::of(Side::Naive)
    }

    /// Of the resilient side, with the fault and without calls.
    #[must_use]
    pub fn resilient() -> Self {
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
            breaches: Some(Vec::new()),
            durability: Durability::default(),
            generator: Generator::default(),
            contender: None,
        };
        Self { trial }.fault(Target::Worker, s(3), s(8))
    }

    /// With a fault that was seen to be live and to heal.
    #[must_use]
    pub fn fault(mut self, target: Target, from: Duration, to: Duration) -> Self {
        let saw = |seen: &str| Observation {
            holds: true,
            seen: seen.to_owned(),
        };
        self.trial.faults.push(FaultWindow {
            name: format!("{target} kill"),
            target,
            from,
            to,
            recovered: to,
            live: saw("its port refuses"),
            healed: saw("it answers"),
        });
        self
    }

    /// With one call more.
    #[must_use]
    pub fn call(mut self, intended: Duration, latency: Duration, end: Completion) -> Self {
        self.trial.calls.push(Call {
            number: self.trial.calls.len() as u64,
            intended,
            sent: intended,
            ended: intended + latency,
            surge: false,
            end,
        });
        self
    }

    /// With a look at the system.
    #[must_use]
    pub fn sample(mut self, at: Duration, worker_arrivals: Option<u64>) -> Self {
        self.trial.samples.push(Sample {
            at,
            worker_arrivals,
            open_work: None,
            journal_entries: None,
            ejected: None,
        });
        self
    }

    /// With a breaker that opens.
    #[must_use]
    pub fn opens(mut self, dependency: &str, at: Duration) -> Self {
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
#[must_use]
pub fn plan() -> Experiment {
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
#[must_use]
pub fn played() -> (Trial, Trial) {
    let (mut naive, mut resilient) = (TrialFixture::naive(), TrialFixture::resilient());
    for at in (0..14_000).step_by(100).map(ms) {
        let hurt = (s(3)..=s(8)).contains(&at);
        naive = naive.call(at, ms(200), answered(if hurt { 500 } else { 200 }));
        let end = if hurt { without_worker() } else { whole() };
        resilient = resilient.call(at, ms(200), end);
    }
    (naive.trial, resilient.trial)
}

/// An answer with all there is to it.
#[must_use]
pub fn whole() -> Completion {
    Completion::Answered {
        status: 200,
        request_id: None,
        has_result: true,
        degraded: Vec::new(),
        recorded_in: Some("database".to_owned()),
    }
}

/// Whole, but for where it is recorded.
#[must_use]
pub fn recorded_in(place: &str) -> Completion {
    Completion::Answered {
        status: 200,
        request_id: None,
        has_result: true,
        degraded: vec!["db_unavailable:circuit_open".to_owned()],
        recorded_in: Some(place.to_owned()),
    }
}

/// A promise in place of the worker's result.
#[must_use]
pub fn without_worker() -> Completion {
    Completion::Answered {
        status: 202,
        request_id: None,
        has_result: false,
        degraded: vec!["worker_unavailable:circuit_open".to_owned()],
        recorded_in: Some("database".to_owned()),
    }
}

/// Nothing but a status and, with 200, what the naive endpoint sends.
#[must_use]
pub fn answered(status: u16) -> Completion {
    Completion::Answered {
        status,
        request_id: None,
        has_result: status == 200,
        degraded: Vec::new(),
        recorded_in: None,
    }
}

/// Nothing but a status.
#[must_use]
pub fn without_result(status: u16) -> Completion {
    Completion::Answered {
        status,
        request_id: None,
        has_result: false,
        degraded: Vec::new(),
        recorded_in: None,
    }
}

/// Seconds.
#[must_use]
pub fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Milliseconds.
#[must_use]
pub fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
