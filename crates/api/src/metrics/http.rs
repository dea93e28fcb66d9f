//! HTTP server metrics, by OpenTelemetry's semantic conventions in Prometheus' form.
//!
//! A client chooses path and method, so neither is a label: the path counts as the template of the route it matched,
//! empty if it matched none, and a method that no route takes as `_OTHER`.

use std::collections::HashMap;
use std::sync::Arc;

use metrics::{
    Gauge, Histogram, Label, describe_gauge, describe_histogram, gauge, histogram,
    with_local_recorder,
};
use metrics_exporter_prometheus::PrometheusRecorder;
use tokio::time::{Duration, Instant};

/// The name of the histogram.
pub(super) const DURATION: &str = "http_server_request_duration_seconds";
/// Those that the conventions advise.
pub(super) const BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
const ACTIVE: &str = "http_server_active_requests";

/// The methods that routes take, and all others as one.
const METHODS: [&str; 3] = ["GET", "POST", "_OTHER"];
const UNMATCHED: &str = "";
const WRONG_METHOD: u16 = 405;
/// What any handler may answer, by a defect.
const DEFECT: u16 = 500;

/// What is expected of each route: the methods it takes and how it answers them. Its series exist from the start; what
/// is not expected gets its series when it happens.
const ROUTES: [(&str, &[&str], &[u16]); 9] = [
    (
        "/process",
        &["GET", "POST"],
        &[200, 202, 400, 408, 409, 413, 422, 503],
    ),
    ("/naive/process", &["GET", "POST"], &[200, 400, 408, 413]),
    ("/requests", &["GET"], &[200, 400, 503]),
    ("/requests/{id}", &["GET"], &[200, 400, 404, 503]),
    ("/policies", &["GET"], &[200]),
    ("/status", &["GET"], &[200]),
    ("/livez", &["GET"], &[200]),
    ("/readyz", &["GET"], &[200, 503]),
    ("/metrics", &["GET"], &[200]),
];

/// One series of the histogram.
type Answered = (&'static str, u16);

/// Measures exchanges.
pub(crate) struct HttpMetrics {
    recorder: Arc<PrometheusRecorder>,
    expected: HashMap<&'static str, HashMap<Answered, Histogram>>,
    active: [Gauge; METHODS.len()],
}

/// An exchange under way; counted as such until it is dropped, however it ends.
pub(crate) struct Exchange<'a> {
    metrics: &'a HttpMetrics,
    active: &'a Gauge,
    method: &'static str,
    since: Instant,
}

impl HttpMetrics {
    /// Every expected series, at zero.
    pub(super) fn new(recorder: Arc<PrometheusRecorder>) -> Self {
        describe_histogram!(DURATION, "Time from the request's head to the answer's");
        describe_gauge!(ACTIVE, "Exchanges under way");
        let mut expected: HashMap<_, HashMap<_, _>> = HashMap::new();
        for (route, method, status) in expected_series() {
            let histogram = histogram!(DURATION, labels(route.to_owned(), method, status));
            let of_route = expected.entry(route).or_default();
            of_route.insert((method, status), histogram);
        }
        let active = |method: &'static str| {
            let labels = [("http_request_method", method), ("url_scheme", "http")];
            gauge!(ACTIVE, &labels)
        };
        Self {
            recorder,
            expected,
            active: METHODS.map(active),
        }
    }

    /// An exchange begins, by this method.
    pub(crate) fn begin(&self, method: &str) -> Exchange<'_> {
        let [get, post, other] = &self.active;
        let (method, active) = match method {
            "GET" => ("GET", get),
            "POST" => ("POST", post),
            _ => ("_OTHER", other),
        };
        active.increment(1.0);
        Exchange {
            metrics: self,
            active,
            method,
            since: Instant::now(),
        }
    }

    fn record(&self, route: Option<String>, answered: Answered, took: Duration) {
        let route = route.unwrap_or_default();
        let seconds = took.as_secs_f64();
        let expected = self.expected.get(route.as_str());
        if let Some(histogram) = expected.and_then(|it| it.get(&answered)) {
            histogram.record(seconds);
            return;
        }
        let (method, status) = answered;
        with_local_recorder(&*self.recorder, || {
            histogram!(DURATION, labels(route, method, status)).record(seconds);
        });
    }
}

impl Exchange<'_> {
    /// It was answered with `status` by the route of this template.
    pub(crate) fn answered(self, route: Option<String>, status: u16) {
        let took = self.since.elapsed();
        self.metrics.record(route, (self.method, status), took);
    }
}

impl Drop for Exchange<'_> {
    fn drop(&mut self) {
        self.active.decrement(1.0);
    }
}

fn expected_series() -> impl Iterator<Item = (&'static str, &'static str, u16)> {
    let known = ROUTES.iter().flat_map(|(route, takes, statuses)| {
        METHODS.iter().flat_map(move |method| {
            let answers: Vec<u16> = if takes.contains(method) {
                statuses.iter().copied().chain([DEFECT]).collect()
            } else {
                vec![WRONG_METHOD]
            };
            answers
                .into_iter()
                .map(move |status| (*route, *method, status))
        })
    });
    known.chain(METHODS.map(|method| (UNMATCHED, method, 404)))
}

fn labels(route: String, method: &'static str, status: u16) -> Vec<Label> {
    vec![
        Label::new("http_request_method", method),
        Label::new("http_response_status_code", status.to_string()),
        Label::new("http_route", route),
        Label::new("url_scheme", "http"),
    ]
}
