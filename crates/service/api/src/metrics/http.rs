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
const BUCKETS: [f64; 14] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
/// Of the bound, from where on a call counts as near it: the alert's threshold, which a quantile cannot tell without an edge.
const NEAR: f64 = 0.95;
const ACTIVE: &str = "http_server_active_requests";

/// The buckets' edges, in seconds, where no call takes longer than `bound`.
pub(super) fn buckets(bound: Duration) -> Vec<f64> {
    let bound = bound.as_secs_f64();
    let mut edges = BUCKETS.to_vec();
    edges.extend([NEAR * bound, bound]);
    edges.sort_by(f64::total_cmp);
    edges.dedup();
    edges
}

/// The methods that routes take, and all others as one.
const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "_OTHER"];
const UNMATCHED: &str = "";
const WRONG_METHOD: u16 = 405;
/// What any handler may answer, by a defect.
const DEFECT: u16 = 500;

/// A method that a route takes, and the statuses it answers. Their series exist from the start; what is not expected gets
/// its series when it happens.
pub(crate) struct Expected {
    pub(crate) route: &'static str,
    pub(crate) method: &'static str,
    pub(crate) statuses: Vec<u16>,
}

/// One series of the histogram.
type Answered = (&'static str, u16);

impl Expected {
    fn takes(&self, route: &str, method: &str) -> bool {
        self.route == route && self.method == method
    }
}

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
    /// Every series of `routes`, at zero.
    pub(super) fn new(routes: &[Expected], recorder: Arc<PrometheusRecorder>) -> Self {
        describe_histogram!(DURATION, "Time from the request's head to the answer's");
        describe_gauge!(ACTIVE, "Exchanges under way");
        let mut expected: HashMap<_, HashMap<_, _>> = HashMap::new();
        for (route, method, status) in expected_series(routes) {
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
        let [get, head, post, other] = &self.active;
        let (method, active) = match method {
            "GET" => ("GET", get),
            "HEAD" => ("HEAD", head),
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

fn expected_series(
    routes: &[Expected],
) -> impl Iterator<Item = (&'static str, &'static str, u16)> + '_ {
    let answers = routes.iter().flat_map(|it| {
        let statuses = it.statuses.iter().copied().chain([DEFECT]);
        statuses.map(|status| (it.route, it.method, status))
    });
    let refusals = METHODS.into_iter().flat_map(move |method| {
        let is_refused = move |route: &&str| !routes.iter().any(|it| it.takes(route, method));
        let refused = routes.iter().map(|it| it.route).filter(is_refused);
        refused.map(move |route| (route, method, WRONG_METHOD))
    });
    let unmatched = METHODS.map(|method| (UNMATCHED, method, 404));
    answers.chain(refusals).chain(unmatched)
}

fn labels(route: String, method: &'static str, status: u16) -> Vec<Label> {
    vec![
        Label::new("http_request_method", method),
        Label::new("http_response_status_code", status.to_string()),
        Label::new("http_route", route),
        Label::new("url_scheme", "http"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_and_what_is_near_it_are_edges_wherever_it_lies() {
        for bound in [Duration::from_secs(4), Duration::from_secs(20)] {
            let edges = buckets(bound);
            assert!(edges.is_sorted_by(|one, other| one < other), "{edges:?}");
            for edge in [NEAR * bound.as_secs_f64(), bound.as_secs_f64(), 0.1, 10.0] {
                assert!(edges.contains(&edge), "{edge}");
            }
        }
        assert_eq!(buckets(Duration::from_secs(10)).len(), BUCKETS.len() + 1);
    }
}
