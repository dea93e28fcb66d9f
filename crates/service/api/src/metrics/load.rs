//! Calls under way at the two endpoints, beside what is allowed, and the bound on an answer.

use metrics::{Gauge, describe_gauge, gauge};

use crate::config::Policies;
use crate::limit::InFlightLimit;
use crate::overview::Overview;
use crate::worker_client::Endpoints;

/// The gauges of both endpoints.
pub(super) struct Load {
    process: Endpoint,
    naive: Endpoint,
    worst_case: Gauge,
    workers: Workers,
}

/// Addresses that the worker is called at.
struct Workers {
    in_service: Gauge,
    ejected: Gauge,
}

struct Endpoint {
    in_flight: Gauge,
    limit: Gauge,
}

impl Load {
    /// Every gauge.
    pub(super) fn new() -> Self {
        describe_gauge!(
            "holdfast_endpoint_in_flight",
            "Calls of the endpoint under way"
        );
        describe_gauge!("holdfast_endpoint_limit", "Calls it takes on at once");
        describe_gauge!(
            "holdfast_process_worst_case_seconds",
            "Within which every call of /process is answered"
        );
        Self {
            process: Endpoint::new("process"),
            naive: Endpoint::new("naive"),
            worst_case: gauge!("holdfast_process_worst_case_seconds"),
            workers: Workers::new(),
        }
    }

    /// Sets them.
    pub(super) fn observe(&self, overview: &Overview, policies: &Policies) {
        self.process.observe(&overview.process_limit);
        self.naive.observe(&overview.naive_limit);
        let bound = policies.worst_case();
        self.worst_case.set(bound.as_secs_f64());
        self.workers.observe(&overview.endpoints);
    }
}

impl Workers {
    fn new() -> Self {
        describe_gauge!(
            "holdfast_worker_endpoints",
            "Addresses the worker is called at, in service or ejected"
        );
        let state = |state: &'static str| gauge!("holdfast_worker_endpoints", "state" => state);
        Self {
            in_service: state("in_service"),
            ejected: state("ejected"),
        }
    }

    fn observe(&self, endpoints: &Endpoints) {
        let (mut in_service, mut ejected) = (0, 0);
        for endpoint in endpoints.states() {
            *(if endpoint.ejected {
                &mut ejected
            } else {
                &mut in_service
            }) += 1;
        }
        self.in_service.set(f64::from(in_service));
        self.ejected.set(f64::from(ejected));
    }
}

impl Endpoint {
    fn new(endpoint: &'static str) -> Self {
        Self {
            in_flight: gauge!("holdfast_endpoint_in_flight", "endpoint" => endpoint),
            limit: gauge!("holdfast_endpoint_limit", "endpoint" => endpoint),
        }
    }

    fn observe(&self, limit: &InFlightLimit) {
        self.in_flight.set(f64::from(limit.in_flight()));
        self.limit.set(f64::from(limit.limit()));
    }
}
