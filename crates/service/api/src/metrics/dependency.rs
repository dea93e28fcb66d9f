//! What a dependency's policy says of itself, beside the thresholds it is held against.

use std::time::Duration;

use holdfast_policy::{BreakerState, Snapshot};
use metrics::{Gauge, describe_gauge, gauge};

use crate::dependency::Dependency;

/// The gauges of one dependency.
pub(super) struct DependencyGauges {
    dependency: &'static str,
    states: [(BreakerState, Gauge); BreakerState::ALL.len()],
    failure: Rate,
    slow: Rate,
    in_flight: Gauge,
    waiting: Gauge,
    limit: Gauge,
    retry_budget: Gauge,
    attempt_timeout: Gauge,
    deadline: Gauge,
    slow_call: Gauge,
}

/// A rate in the breaker's window and the rate that opens it.
struct Rate {
    now: Gauge,
    threshold: Gauge,
}

impl DependencyGauges {
    /// Every gauge of `dependency`.
    pub(super) fn new(dependency: &'static str) -> Self {
        describe();
        let of = |name: &'static str| gauge!(name, "dependency" => dependency);
        let state = |state: BreakerState| {
            let labels = [("dependency", dependency), ("state", state.as_str())];
            (state, gauge!("holdfast_breaker_state", &labels))
        };
        Self {
            dependency,
            states: BreakerState::ALL.map(state),
            failure: Rate {
                now: of("holdfast_breaker_failure_ratio"),
                threshold: of("holdfast_breaker_failure_threshold_ratio"),
            },
            slow: Rate {
                now: of("holdfast_breaker_slow_call_ratio"),
                threshold: of("holdfast_breaker_slow_call_threshold_ratio"),
            },
            in_flight: of("holdfast_attempts_in_flight"),
            waiting: of("holdfast_attempts_waiting"),
            limit: of("holdfast_attempts_limit"),
            retry_budget: of("holdfast_retry_budget_tokens"),
            attempt_timeout: of("holdfast_attempt_timeout_seconds"),
            deadline: of("holdfast_call_deadline_seconds"),
            slow_call: of("holdfast_slow_call_threshold_seconds"),
        }
    }

    /// Sets them to what the policy of `dependency` says now, if it is theirs.
    pub(super) fn observe(&self, dependency: &Dependency) {
        if dependency.name() != self.dependency {
            return;
        }
        // Once: between two looks the file may have been read again.
        let policy = dependency.policy();
        self.show(&policy.snapshot());
        let config = policy.config();
        self.attempt_timeout
            .set(config.attempt_timeout.unwrap_or_default().as_secs_f64());
        self.deadline.set(config.deadline.as_secs_f64());
        let breaker = config.breaker.as_ref();
        let slow_call = breaker
            .and_then(|breaker| breaker.slow_call)
            .map(|it: Duration| it.as_secs_f64());
        self.slow_call.set(slow_call.unwrap_or(0.0));
    }

    fn show(&self, snapshot: &Snapshot) {
        for (state, gauge) in &self.states {
            gauge.set(if *state == snapshot.breaker { 1.0 } else { 0.0 });
        }
        let thresholds = (
            snapshot.failure_rate_threshold,
            snapshot.slow_call_rate_threshold,
        );
        self.failure.set(snapshot.failure_rate, thresholds.0);
        self.slow.set(snapshot.slow_call_rate, thresholds.1);
        self.in_flight.set(f64::from(snapshot.in_flight));
        self.waiting.set(f64::from(snapshot.waiting));
        self.limit
            .set(f64::from(snapshot.limit.unwrap_or_default()));
        self.retry_budget.set(snapshot.retry_budget);
    }
}

impl Rate {
    /// An empty window shows no failures, and a rule that is not in force a threshold of 0.
    fn set(&self, now: Option<f64>, threshold: Option<f64>) {
        self.now.set(now.unwrap_or(0.0));
        self.threshold.set(threshold.unwrap_or(0.0));
    }
}

fn describe() {
    for (name, what) in [
        (
            "holdfast_breaker_state",
            "1 for the state the breaker is in, else 0",
        ),
        (
            "holdfast_breaker_failure_ratio",
            "Share of failures in the breaker's window",
        ),
        (
            "holdfast_breaker_failure_threshold_ratio",
            "Share of failures that opens the breaker",
        ),
        (
            "holdfast_breaker_slow_call_ratio",
            "Share of slow attempts in the breaker's window",
        ),
        (
            "holdfast_breaker_slow_call_threshold_ratio",
            "Share of slow attempts that opens the breaker",
        ),
        ("holdfast_attempts_in_flight", "Attempts under way"),
        (
            "holdfast_attempts_waiting",
            "Attempts that wait for a slot in the bulkhead",
        ),
        ("holdfast_attempts_limit", "Attempts allowed at once"),
        (
            "holdfast_retry_budget_tokens",
            "Tokens left in the retry budget",
        ),
        (
            "holdfast_attempt_timeout_seconds",
            "The longest an attempt may take",
        ),
        (
            "holdfast_call_deadline_seconds",
            "The longest a call may take, its retries included",
        ),
        (
            "holdfast_slow_call_threshold_seconds",
            "From when on an attempt counts as slow, 0 if slowness is not judged",
        ),
    ] {
        describe_gauge!(name, what);
    }
}
