//! Trials for tests, put together piece by piece. The bound is 3 s, the load lasts 14 s, and the worker was killed from
//! 3 s to 8 s.

#![allow(clippy::unwrap_used, reason = "helpers of tests may be blunt")]

use std::path::Path;
use std::time::Duration;

use super::plan::{Expectation, Experiment, Metric, Side, Target, Window};
use super::trial::{Answer, Call, Completion, FaultWindow, Observation, Sample, Transition, Trial};

#[derive(Debug)]
pub struct TrialFixture {
    pub trial: Trial,
}

impl TrialFixture {
    /// Of the naive side, with the fault and without calls.
    pub fn naive() -> Self {
        Self::of(Side::Naive)
    }

    /// Of the resilient side, with the fault and without calls.
    pub fn resilient() -> Self {
        Self::of(Side::Resilient)
    }

    fn of(side: Side) -> Self {
        let mut trial = Trial::new(side, s(3), s(14));
        trial.breaches = Some(Vec::new());
        Self { trial }.fault(Target::Worker, s(3), s(8))
    }

    /// With a fault that was seen to be live and to heal.
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

    pub fn sample(mut self, at: Duration, worker_arrivals: Option<u64>) -> Self {
        self.trial.samples.push(Sample {
            at,
            worker_arrivals,
            ..Sample::default()
        });
        self
    }

    /// With a breaker that opens.
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

/// That a figure of the calls during the fault is within these limits.
pub fn expecting(metric: Metric, at_least: Option<f64>, at_most: Option<f64>) -> Expectation {
    Expectation {
        metric,
        during: Window::Fault,
        at_least,
        at_most,
    }
}

/// Both sides of [`plan`], as predicted: ten calls a second.
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
pub fn whole() -> Completion {
    end(200, true, None, Some("database"))
}

/// Whole, but for where it is recorded.
pub fn recorded_in(place: &str) -> Completion {
    end(200, true, Some("db_unavailable:circuit_open"), Some(place))
}

/// A promise in place of the worker's result.
pub fn without_worker() -> Completion {
    end(
        202,
        false,
        Some("worker_unavailable:circuit_open"),
        Some("database"),
    )
}

/// Nothing but a status and, with 200, what the naive endpoint sends.
pub fn answered(status: u16) -> Completion {
    end(status, status == 200, None, None)
}

/// With this status, maybe with the worker's result, maybe without something, recorded somewhere or not.
pub fn end(
    status: u16,
    has_result: bool,
    without: Option<&str>,
    recorded_in: Option<&str>,
) -> Completion {
    Completion::Answered(Answer {
        status,
        has_result,
        degraded: without.map(str::to_owned).into_iter().collect(),
        recorded_in: recorded_in.map(str::to_owned),
        ..Answer::default()
    })
}

pub fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}
