//! Metrics: one recorder per application, every series there from the start, policy events counted as they happen.

mod durability;

use std::sync::Arc;

use holdfast_policy::{BreakerState, CallOutcome, Event, Observer, Outcome, RejectedBy};
use metrics::{
    Counter, Gauge, Histogram, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram, with_local_recorder,
};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use self::durability::Durability;
use crate::dependency::Dependency;
use crate::journal::Depth;
use crate::recovery::Progress;

const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The recorder and what it renders. Clones share it.
#[derive(Clone)]
pub(crate) struct Metrics {
    handle: PrometheusHandle,
    gauges: Arc<[(&'static str, DependencyGauges)]>,
    durability: Arc<Durability>,
}

/// The gauges of a dependency, set from its snapshot when they are scraped.
struct DependencyGauges {
    states: Vec<(BreakerState, Gauge)>,
    in_flight: Gauge,
    limit: Gauge,
    retry_budget: Gauge,
}

/// Counts the events of one dependency's policy.
pub(crate) struct PolicyMetrics {
    attempts: Vec<Counter>,
    attempt_seconds: Histogram,
    calls: Vec<Counter>,
    call_seconds: Histogram,
    rejections: Vec<Counter>,
    transitions: Vec<Counter>,
    retries: Counter,
    budget_exhausted: Counter,
}

impl Metrics {
    /// A recorder of its own, with the observers that feed it, one for each of `dependencies`.
    ///
    /// # Errors
    /// When the exporter refuses its buckets.
    pub(crate) fn new<const N: usize>(
        dependencies: [&'static str; N],
    ) -> Result<(Self, [PolicyMetrics; N]), BuildError> {
        let suffix = Matcher::Suffix("_seconds".to_owned());
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(suffix, &BUCKETS)?
            .build_recorder();
        describe(&recorder);
        let handle = recorder.handle();
        Ok(with_local_recorder(&recorder, || {
            let gauges = dependencies.map(|name| (name, DependencyGauges::new(name)));
            let metrics = Self {
                handle,
                gauges: Arc::from(Vec::from(gauges)),
                durability: Arc::new(Durability::new()),
            };
            (metrics, dependencies.map(PolicyMetrics::new))
        }))
    }

    /// Sets the gauges of `dependency` to what its policy says now.
    pub(crate) fn observe(&self, dependency: &Dependency) {
        let snapshot = dependency.snapshot();
        let of_it = self
            .gauges
            .iter()
            .filter(|(name, _)| *name == dependency.name());
        for (_, gauges) in of_it {
            for (state, gauge) in &gauges.states {
                gauge.set(if *state == snapshot.breaker { 1.0 } else { 0.0 });
            }
            gauges.in_flight.set(f64::from(snapshot.in_flight));
            gauges.limit.set(f64::from(snapshot.limit));
            gauges.retry_budget.set(snapshot.retry_budget);
        }
    }

    /// Sets the series of the journal to what it says of itself now.
    pub(crate) fn observe_journal(&self, depth: &Depth) {
        self.durability.journal(depth);
    }

    /// Sets the series of open work and of recovery.
    pub(crate) fn observe_recovery(&self, open_work: Option<u64>, progress: &Progress) {
        self.durability.recovery(open_work, progress);
    }

    /// The Prometheus text exposition.
    #[must_use]
    pub(crate) fn render(&self) -> String {
        self.handle.render()
    }

    /// Folds what the histograms gathered; without it they grow. Call every few seconds.
    pub(crate) fn run_upkeep(&self) {
        self.handle.run_upkeep();
    }
}

impl DependencyGauges {
    fn new(dependency: &'static str) -> Self {
        let state = |state: BreakerState| {
            let labels = [("dependency", dependency), ("state", state.as_str())];
            (state, gauge!("holdfast_breaker_state", &labels))
        };
        Self {
            states: BreakerState::ALL.map(state).into(),
            in_flight: gauge!("holdfast_attempts_in_flight", "dependency" => dependency),
            limit: gauge!("holdfast_attempts_limit", "dependency" => dependency),
            retry_budget: gauge!("holdfast_retry_budget_tokens", "dependency" => dependency),
        }
    }
}

impl PolicyMetrics {
    fn new(dependency: &'static str) -> Self {
        let series = |name: &'static str, label: &'static str, value: &'static str| {
            let counter = counter!(name, "dependency" => dependency, label => value);
            counter.absolute(0);
            counter
        };
        let attempt = |o: Outcome| series("holdfast_attempts_total", "outcome", o.as_str());
        let call = |o: CallOutcome| series("holdfast_calls_total", "outcome", o.as_str());
        let rejection = |by: RejectedBy| series("holdfast_rejections_total", "reason", by.as_str());
        let transition =
            |to: BreakerState| series("holdfast_breaker_transitions_total", "to", to.as_str());
        let plain = |name: &'static str| {
            let counter = counter!(name, "dependency" => dependency);
            counter.absolute(0);
            counter
        };
        Self {
            attempts: Outcome::ALL.map(attempt).into(),
            attempt_seconds: histogram!("holdfast_attempt_duration_seconds", "dependency" => dependency),
            calls: CallOutcome::ALL.map(call).into(),
            call_seconds: histogram!("holdfast_call_duration_seconds", "dependency" => dependency),
            rejections: RejectedBy::ALL.map(rejection).into(),
            transitions: BreakerState::ALL.map(transition).into(),
            retries: plain("holdfast_retries_total"),
            budget_exhausted: plain("holdfast_retry_budget_exhausted_total"),
        }
    }
}

impl Observer for PolicyMetrics {
    fn on_event(&self, event: &Event) {
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
            Event::Retry { .. } => self.retries.increment(1),
            Event::BudgetExhausted { .. } => self.budget_exhausted.increment(1),
            Event::Transition {
                policy, from, to, ..
            } => {
                count(&BreakerState::ALL, &self.transitions, to);
                tracing::info!(
                    dependency = policy,
                    from = from.as_str(),
                    to = to.as_str(),
                    "breaker changed state"
                );
            }
            // The policy crate may grow events that no metric shows yet.
            _ => {}
        }
    }
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

fn describe(recorder: &PrometheusRecorder) {
    with_local_recorder(recorder, || {
        Durability::describe();
        describe_counter!(
            "holdfast_attempts_total",
            "Attempts that reached the dependency"
        );
        describe_counter!("holdfast_calls_total", "Calls, by what the caller got");
        describe_counter!("holdfast_rejections_total", "Attempts refused by a policy");
        describe_counter!("holdfast_retries_total", "Further attempts made");
        describe_counter!(
            "holdfast_retry_budget_exhausted_total",
            "Further attempts not made for want of a token"
        );
        describe_counter!(
            "holdfast_breaker_transitions_total",
            "Changes of the breaker's state"
        );
        describe_gauge!(
            "holdfast_breaker_state",
            "1 for the state the breaker is in, else 0"
        );
        describe_gauge!("holdfast_attempts_in_flight", "Attempts under way");
        describe_gauge!("holdfast_attempts_limit", "Attempts allowed at once");
        describe_gauge!(
            "holdfast_retry_budget_tokens",
            "Tokens left in the retry budget"
        );
        describe_histogram!("holdfast_attempt_duration_seconds", "Time an attempt took");
        describe_histogram!(
            "holdfast_call_duration_seconds",
            "Time a call took, its retries included"
        );
    });
}
