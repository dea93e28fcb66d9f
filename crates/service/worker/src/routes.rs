//! The worker's four routes.

use std::time::Duration;

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse, Responder, get};
use holdfast_ops::process_metrics::ProcessMetrics;
use holdfast_ops::{Readiness, TraceContext, describe, telemetry};
use holdfast_wire::{Health, Work};
use metrics::{Counter, Gauge, counter, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use tokio::sync::SemaphorePermit;
use tokio::time::sleep;
use tracing::{Instrument, Span};

use crate::capacity::Capacity;
use crate::settings::Settings;

/// What the routes share, built once outside the per-thread application factory.
pub(crate) struct Shared {
    work_delay: Duration,
    capacity: Option<Capacity>,
    readiness: Readiness,
    calls: Counter,
    in_flight: Gauge,
    waiting: Gauge,
    process: ProcessMetrics,
    recorder: PrometheusRecorder,
}

impl Shared {
    pub(crate) fn new(settings: &Settings, readiness: Readiness) -> Self {
        // A recorder of its own, so that several workers in one process count apart.
        let recorder = PrometheusBuilder::new().build_recorder();
        let (calls, in_flight, waiting, process) = metrics::with_local_recorder(&recorder, || {
            metrics::describe_counter!("holdfast_work_calls_total", "Calls of /work received");
            metrics::describe_gauge!("holdfast_work_in_flight", "Calls of /work under way");
            metrics::describe_gauge!(
                "holdfast_work_waiting",
                "Of them, those that wait because HOLDFAST_WORK_CAPACITY is used up"
            );
            (
                counter!("holdfast_work_calls_total"),
                gauge!("holdfast_work_in_flight"),
                gauge!("holdfast_work_waiting"),
                ProcessMetrics::new(env!("CARGO_PKG_VERSION")),
            )
        });
        calls.absolute(0);
        in_flight.set(0.0);
        waiting.set(0.0);
        Self {
            work_delay: settings.work_delay,
            capacity: settings
                .capacity
                .map(|places| Capacity::new(places, settings.warmup)),
            readiness,
            calls,
            in_flight,
            waiting,
            process,
            recorder,
        }
    }
}

impl Shared {
    /// A place to work in; at once where there is no limit.
    async fn place(&self) -> Option<SemaphorePermit<'_>> {
        let _waiting = InFlight::enter(&self.waiting);
        self.capacity.as_ref()?.place().await
    }
}

/// Counts a call as under way until it is answered, or dropped by a client that left.
struct InFlight<'a>(&'a Gauge);

impl<'a> InFlight<'a> {
    fn enter(gauge: &'a Gauge) -> Self {
        gauge.increment(1.0);
        Self(gauge)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

#[get("/work")]
pub(crate) async fn work(shared: Data<Shared>, request: HttpRequest) -> impl Responder {
    shared.calls.increment(1);
    let _in_flight = InFlight::enter(&shared.in_flight);
    let span = span_of(&request);
    let worked = async {
        let _place = shared.place().await;
        sleep(shared.work_delay).await;
    };
    worked.instrument(span.clone()).await;
    describe(&span, "http.response.status_code", 200);
    Json(Work {
        status: "done".to_owned(),
    })
}

/// Where a collector is told, a span: a child of the caller's, of which there is one per attempt of the API.
fn span_of(request: &HttpRequest) -> Span {
    let header = |name| request.headers().get(name)?.to_str().ok();
    let caller = header("traceparent")
        .and_then(|traceparent| TraceContext::parse(traceparent, header("tracestate")));
    if let Some(caller) = &caller {
        tracing::debug!(trace_id = %caller.trace_id(), parent_id = caller.parent_id(), "asked to work");
    }
    if !telemetry::spans_are_exported() {
        return Span::none();
    }
    let span = tracing::info_span!("work", otel.name = "GET /work", otel.kind = "server");
    if let Some(caller) = &caller {
        caller.adopt(&span);
    }
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "/work"),
        ("url.path", "/work"),
        ("url.scheme", "http"),
    ] {
        describe(&span, key, value);
    }
    span
}

#[get("/livez")]
pub(crate) async fn livez() -> impl Responder {
    Json(Health::new("alive"))
}

#[get("/readyz")]
pub(crate) async fn readyz(shared: Data<Shared>) -> impl Responder {
    if shared.readiness.is_ready() {
        HttpResponse::Ok().json(Health::new("ready"))
    } else {
        HttpResponse::ServiceUnavailable().json(Health::new("draining"))
    }
}

#[get("/metrics")]
pub(crate) async fn exposition(shared: Data<Shared>) -> impl Responder {
    shared.process.observe(&shared.recorder);
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(shared.recorder.handle().render())
}
