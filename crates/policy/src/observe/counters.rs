//! What happens at one dependency's policy, counted as it happens.

use std::fmt;

use metrics::{Counter, Histogram, counter, describe_counter, describe_histogram, histogram};

use crate::event::{CallOutcome, Event, HedgeOutcome, Observer, Outcome, RejectedBy};
use crate::snapshot::BreakerState;

/// Counts the events of one policy in the recorder that is in force when it is made. Durations are in seconds.
pub struct Counters {
    attempts: [Counter; Outcome::ALL.len()],
    attempt_seconds: Histogram,
    calls: [Counter; CallOutcome::ALL.len()],
    call_seconds: Histogram,
    rejections: [Counter; RejectedBy::ALL.len()],
    transitions: [Counter; BreakerState::ALL.len()],
    hedges: [Counter; HedgeOutcome::ALL.len()],
    retries: Counter,
    budget_exhausted: Counter,
}

impl Counters {
    /// Every series of `dependency`, at zero.
    #[must_use]
    pub fn new(dependency: &str) -> Self {
        describe();
        let series = |name: &'static str, label: &'static str, value: &'static str| {
            at_zero(counter!(name, "dependency" => dependency.to_owned(), label => value))
        };
        let attempt = |o: Outcome| series("holdfast_attempts_total", "outcome", o.as_str());
        let call = |o: CallOutcome| series("holdfast_calls_total", "outcome", o.as_str());
        let rejection = |by: RejectedBy| series("holdfast_rejections_total", "reason", by.as_str());
        let hedge = |o: HedgeOutcome| series("holdfast_hedges_total", "outcome", o.as_str());
        let transition =
            |to: BreakerState| series("holdfast_breaker_transitions_total", "to", to.as_str());
        let plain =
            |name: &'static str| at_zero(counter!(name, "dependency" => dependency.to_owned()));
        let seconds = |name: &'static str| histogram!(name, "dependency" => dependency.to_owned());
        Self {
            attempts: Outcome::ALL.map(attempt),
            attempt_seconds: seconds("holdfast_attempt_duration_seconds"),
            calls: CallOutcome::ALL.map(call),
            call_seconds: seconds("holdfast_call_duration_seconds"),
            rejections: RejectedBy::ALL.map(rejection),
            transitions: BreakerState::ALL.map(transition),
            hedges: HedgeOutcome::ALL.map(hedge),
            retries: plain("holdfast_retries_total"),
            budget_exhausted: plain("holdfast_retry_budget_exhausted_total"),
        }
    }
}

impl Observer for Counters {
    fn on_event(&self, event: &Event<'_>) {
        match event {
            Event::Attempt {
                outcome, elapsed, ..
            } => {
                count(&Outcome::ALL, &self.attempts, outcome);
                self.attempt_seconds.record(elapsed.as_secs_f64());
            }
            Event::Call {
                outcome, elapsed, ..
            } => {
                count(&CallOutcome::ALL, &self.calls, outcome);
                self.call_seconds.record(elapsed.as_secs_f64());
            }
            Event::Rejected { by, .. } => count(&RejectedBy::ALL, &self.rejections, by),
            Event::Hedge { outcome, .. } => count(&HedgeOutcome::ALL, &self.hedges, outcome),
            Event::Retry { .. } => self.retries.increment(1),
            Event::BudgetExhausted { .. } => self.budget_exhausted.increment(1),
            Event::Transition { to, .. } => count(&BreakerState::ALL, &self.transitions, to),
        }
    }
}

impl fmt::Debug for Counters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Counters").finish_non_exhaustive()
    }
}

/// A counter that was never set does not exist.
fn at_zero(counter: Counter) -> Counter {
    counter.absolute(0);
    counter
}

/// Increments the counter that stands where `value` stands in `all`.
fn count<T: PartialEq>(all: &[T], counters: &[Counter], value: &T) {
    if let Some(counter) = all
        .iter()
        .position(|it| it == value)
        .and_then(|at| counters.get(at))
    {
        counter.increment(1);
    }
}

fn describe() {
    for (name, what) in [
        (
            "holdfast_attempts_total",
            "Attempts that reached the dependency",
        ),
        ("holdfast_calls_total", "Calls, by what the caller got"),
        ("holdfast_rejections_total", "Attempts refused by a policy"),
        (
            "holdfast_hedges_total",
            "Second attempts beside slow ones, by what became of them",
        ),
        ("holdfast_retries_total", "Further attempts granted"),
        (
            "holdfast_retry_budget_exhausted_total",
            "Further attempts not made for want of a token",
        ),
        (
            "holdfast_breaker_transitions_total",
            "Changes of the breaker's state",
        ),
    ] {
        describe_counter!(name, what);
    }
    describe_histogram!("holdfast_attempt_duration_seconds", "Time an attempt took");
    describe_histogram!(
        "holdfast_call_duration_seconds",
        "Time a call took, its retries included"
    );
}
