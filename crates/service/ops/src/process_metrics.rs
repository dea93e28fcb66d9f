//! What any process can say of itself, under the names that Prometheus' own clients use.

use metrics::{Recorder, counter, describe_counter, describe_gauge, gauge, with_local_recorder};
use metrics_process::Collector;

use crate::telemetry::span_counts;

const SPANS: &str = "holdfast_spans_total";

/// The metrics of this process.
pub struct ProcessMetrics(Collector);

impl ProcessMetrics {
    /// All of them, with the current recorder; `version` is that of the program.
    #[must_use]
    pub fn new(version: &'static str) -> Self {
        describe_gauge!("holdfast_build_info", "Always 1; which version runs");
        gauge!("holdfast_build_info", "version" => version).set(1.0);
        describe_counter!(
            SPANS,
            "Spans by what became of them on the way to the collector"
        );
        show_spans();
        let collector = Collector::default();
        collector.describe();
        Self(collector)
    }

    /// Sets them in `recorder` to how things are now.
    pub fn observe(&self, recorder: &impl Recorder) {
        with_local_recorder(recorder, || {
            self.0.collect();
            show_spans();
        });
    }
}

fn show_spans() {
    for (outcome, spans) in span_counts() {
        counter!(SPANS, "outcome" => outcome).absolute(spans);
    }
}
