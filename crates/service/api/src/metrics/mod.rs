//! Metrics: one recorder per application, every series there from the start, labels from closed sets only.
//!
//! Events are counted as they happen. Gauges, and what others count for themselves, are set when they are scraped.
//! `docs/metrics.md` lists every series; `tests/api/metrics_guide.rs` holds it against a running API.

mod answers;
mod dependency;
mod durability;
mod http;
mod load;
mod pools;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::observe::Counters;
use metrics::{Counter, with_local_recorder};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use holdfast_ops::process_metrics::ProcessMetrics;

pub(crate) use self::answers::Answers;
use self::dependency::DependencyGauges;
use self::durability::Durability;
pub(crate) use self::http::Expected;
use self::http::HttpMetrics;
use self::load::Load;
use self::pools::Pools;
use crate::overview::Overview;
use crate::store::LiveMetrics;

/// Fine enough for a database's milliseconds, and as far as the longest bound of the defaults.
const BUCKETS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 7.5, 10.0,
];

/// The recorder and what it renders. Clones share it.
#[derive(Clone)]
pub(crate) struct Metrics {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
    series: Arc<Series>,
    observes: bool,
}

/// All but what the observers of the policies feed.
struct Series {
    answers: Answers,
    dependencies: Vec<DependencyGauges>,
    durability: Durability,
    http: HttpMetrics,
    load: Load,
    pools: Pools,
    process: ProcessMetrics,
    writes: LiveMetrics,
}

impl Metrics {
    /// A recorder of its own for what `routes` answer, none of them later than `bound` as it is at the start, with the observers that feed it, one for each of `dependencies`.
    /// Unless it `observes`, there are its series, but nobody counts exchanges.
    ///
    /// # Errors
    /// When the exporter refuses its buckets.
    pub(crate) fn new<const N: usize>(
        dependencies: [&'static str; N],
        routes: &[Expected],
        bound: Duration,
        observes: bool,
    ) -> Result<(Self, [Counters; N]), BuildError> {
        let requests = Matcher::Full(http::DURATION.to_owned());
        let rows = Matcher::Full(writes::ROWS.to_owned());
        let others = Matcher::Suffix("_seconds".to_owned());
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(requests, &http::buckets(bound))?
            .set_buckets_for_metric(rows, &writes::ROW_BUCKETS)?
            .set_buckets_for_metric(others, &BUCKETS)?
            .build_recorder();
        let handle = recorder.handle();
        let recorder = Arc::new(recorder);
        let (series, observers) = with_local_recorder(&*recorder, || {
            let observers = dependencies.map(Counters::new);
            (Series::new(&dependencies, routes, &recorder), observers)
        });
        let series = Arc::new(series);
        let metrics = Self {
            recorder,
            handle,
            series,
            observes,
        };
        Ok((metrics, observers))
    }

    /// What counts the answers of `/process`, if it observes.
    pub(crate) fn answers(&self) -> Option<&Answers> {
        self.observes.then_some(&self.series.answers)
    }

    /// What measures exchanges, if it observes.
    pub(crate) fn http(&self) -> Option<&HttpMetrics> {
        self.observes.then_some(&self.series.http)
    }

    /// What measures how writes are gathered.
    pub(crate) fn writes(&self) -> LiveMetrics {
        self.series.writes.clone()
    }

    /// The Prometheus text exposition, of what `overview` shows now.
    #[must_use]
    pub(crate) fn scrape(&self, overview: &Overview) -> String {
        let series = &self.series;
        for gauges in &series.dependencies {
            gauges.observe(&overview.dependencies.worker);
            gauges.observe(&overview.dependencies.database);
        }
        // Once: between two looks the file may have been read again.
        let policies = overview.policies.get();
        series.durability.observe(overview, &policies);
        series.load.observe(overview, &policies);
        series.pools.observe(&overview.pools);
        series.process.observe(&*self.recorder);
        self.handle.render()
    }

    /// Folds what the histograms gathered; without it they grow. Call every few seconds.
    pub(crate) fn run_upkeep(&self) {
        self.handle.run_upkeep();
    }
}

impl Series {
    fn new(
        dependencies: &[&'static str],
        routes: &[Expected],
        recorder: &Arc<PrometheusRecorder>,
    ) -> Self {
        Self {
            answers: Answers::new(),
            dependencies: dependencies
                .iter()
                .copied()
                .map(DependencyGauges::new)
                .collect(),
            durability: Durability::new(),
            http: HttpMetrics::new(routes, Arc::clone(recorder)),
            load: Load::new(),
            pools: Pools::new(),
            process: ProcessMetrics::new(env!("CARGO_PKG_VERSION")),
            writes: writes::writes(),
        }
    }
}

/// The counter, shown before its first event: a rate needs a zero to start from.
fn at_zero(counter: Counter) -> Counter {
    counter.absolute(0);
    counter
}

/// Far below what a double holds exactly.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
