//! What a collector gets to see: it decodes what the processes send it, and finds the tree of a request in it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says bluntly what it expects"
)]

mod collector;

use std::net::SocketAddr;
use std::time::Duration;

use holdfast_ops::{Environment, probe, telemetry};
use holdfast_testbed::ports;
use holdfast_testbed::postgres::Cluster;
use serde_json::Value as Json;
use tokio::process::{Child, Command};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use collector::{Collector, Seen};

const LIMIT: Duration = Duration::from_secs(20);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
/// The breaker opens at the first failure and soon probes.
const POLICIES: &str = "[worker]\nretry = { max_attempts = 2 }\n\
    breaker = { consecutive_failures = 2, open_for = \"300ms\", max_open_for = \"300ms\" }\n";

/// The API's binary.
struct Api {
    _child: Child,
    base: String,
    _folder: tempfile::TempDir,
}

impl Api {
    async fn start(collector: SocketAddr, worker: SocketAddr, database: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("policies.toml"), POLICIES).unwrap();
        let address = free();
        let child = Command::new(env!("CARGO_BIN_EXE_holdfast-api"))
            .current_dir(folder.path())
            .env("HOLDFAST_BIND", address.to_string())
            .env("HOLDFAST_WORKER_URL", format!("http://{worker}"))
            .env(
                "DATABASE_URL",
                format!("postgres://holdfast:holdfast@127.0.0.1:{database}/holdfast"),
            )
            .env("HOLDFAST_POLICIES", "policies.toml")
            // The log is as quiet as it gets: what it leaves out must reach the collector all the same.
            .env("RUST_LOG", "error")
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))
            .env(
                "OTEL_RESOURCE_ATTRIBUTES",
                "deployment.environment.name=test",
            )
            .env("OTEL_BSP_SCHEDULE_DELAY", "100")
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let started = Instant::now();
        while probe::ready(address, LIMIT).await.is_err() {
            assert!(started.elapsed() < LIMIT, "it never became ready");
            sleep(Duration::from_millis(20)).await;
        }
        Self {
            _child: child,
            base: format!("http://{address}"),
            _folder: folder,
        }
    }

    /// `GET /process` as part of a trace of the client's.
    async fn process(&self) -> (u16, Json) {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let answer = client
            .get(format!("{}/process", self.base))
            .header("traceparent", format!("00-{TRACE}-{PARENT}-01"))
            .send()
            .await
            .unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    async fn metrics(&self) -> String {
        let answer = reqwest::get(format!("{}/metrics", self.base)).await;
        answer.unwrap().text().await.unwrap()
    }
}

fn free() -> SocketAddr {
    ([127, 0, 0, 1], ports::free().unwrap()).into()
}

/// The worker at `bind`, until the sender is dropped.
fn worker(bind: SocketAddr) -> oneshot::Sender<()> {
    let settings = holdfast_worker::Settings {
        bind,
        work_delay: Duration::from_millis(20),
        capacity: None,
        warmup: Duration::ZERO,
    };
    let worker = holdfast_worker::Application::build(settings).unwrap();
    let (stop, stopped) = oneshot::channel();
    tokio::spawn(worker.run_until_stopped(async {
        let _ = stopped.await;
    }));
    stop
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The server's span with its call and attempt below it, and whose statement it was; the attempt's id.
fn assert_tree(seen: &[Seen], place: SocketAddr) -> Vec<u8> {
    let server = seen
        .iter()
        .find(|it| it.span.name == "GET /process")
        .unwrap();
    assert_eq!(server.service, "holdfast-api");
    assert_eq!(hex(&server.span.trace_id), TRACE);
    assert_eq!(hex(&server.span.parent_span_id), PARENT);
    assert_eq!(server.span.kind, 2, "a server's");
    assert_eq!(server.says("http.request.method"), "GET");
    assert_eq!(server.says("http.route"), "/process");
    assert_eq!(server.says("http.response.status_code"), "200");
    let of_worker = |it: &&Seen| it.span.name == "call" && it.says("dependency") == "worker";
    let call = seen.iter().find(of_worker).unwrap();
    assert_eq!(call.span.parent_span_id, server.id());
    assert_eq!(call.says("outcome"), "answered");
    let attempt = seen.iter().find(|it| it.span.name == "GET").unwrap();
    assert_eq!(attempt.span.parent_span_id, call.id());
    assert_eq!(attempt.span.kind, 3, "a client's");
    assert_eq!(attempt.says("server.port"), place.port().to_string());
    assert_eq!(attempt.says("http.response.status_code"), "200");
    let statement = seen.iter().find(|it| it.span.name == "postgresql").unwrap();
    assert_eq!(statement.says("db.system.name"), "postgresql");
    // Whose batch it was is said by the link.
    let linked = |it: &&Seen| {
        it.span
            .links
            .iter()
            .any(|link| hex(&link.trace_id) == TRACE)
    };
    assert!(seen.iter().any(|it| it.span.name == "flush" && linked(&it)));
    attempt.id()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_sees_the_tree_of_a_request_and_after_an_outage_its_recovery() {
    let cluster = Cluster::start().await.unwrap();
    let (collector, address) = Collector::start().await;
    let place = free();
    // The worker's spans are those of this process.
    let endpoint = format!("http://{address}");
    let environment = Environment::from([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("RUST_LOG", "error"),
    ]);
    let runtime = tokio::runtime::Handle::current();
    let _telemetry = telemetry::init(&environment, "holdfast-worker", &runtime).unwrap();
    let stop = worker(place);
    let api = Api::start(address, place, cluster.port()).await;

    let (status, _) = api.process().await;
    assert_eq!(status, 200);
    let seen = collector
        .until("healthy request", |it| it.span.name == "GET /process")
        .await;
    let attempt = assert_tree(&seen, place);
    let work = collector
        .until("work", |it| it.span.name == "GET /work")
        .await;
    let work = work.iter().find(|it| it.span.name == "GET /work").unwrap();
    assert_eq!(work.service, "holdfast-worker");
    assert_eq!(work.span.parent_span_id, attempt);

    drop(stop);
    while tokio::net::TcpStream::connect(place).await.is_ok() {
        sleep(Duration::from_millis(20)).await;
    }
    let (status, body) = api.process().await;
    assert_eq!(status, 202);
    let id = body["request_id"].as_str().unwrap().to_owned();
    let seen = collector
        .until("second attempt", |it| {
            it.says("http.request.resend_count") == "1"
        })
        .await;
    let failed = seen
        .iter()
        .find(|it| it.says("http.request.resend_count") == "1");
    assert_eq!(
        failed.unwrap().span.status.clone().unwrap().code,
        2,
        "an error"
    );

    let _stop = worker(place);
    let seen = collector
        .until("recovery", |it| {
            it.span.name == "recovery" && it.says("request_id") == id && !it.span.links.is_empty()
        })
        .await;
    let recovery = |it: &&Seen| it.span.name == "recovery" && it.says("request_id") == id;
    let recovery = seen.iter().find(recovery).unwrap();
    assert_ne!(hex(&recovery.span.trace_id), TRACE, "a trace of its own");
    assert_eq!(hex(&recovery.span.links[0].trace_id), TRACE);
}

#[tokio::test]
async fn a_collector_that_is_not_there_holds_up_no_request() {
    let nobody = free();
    let api = Api::start(nobody, nobody, nobody.port()).await;
    for _ in 0..50 {
        let started = Instant::now();
        let (status, _) = api.process().await;
        assert!(matches!(status, 202 | 503), "{status}");
        assert!(started.elapsed() < Duration::from_secs(8));
    }
    let none_lost = "holdfast_spans_total{outcome=\"failed\"} 0\n";
    let started = Instant::now();
    while api.metrics().await.contains(none_lost) {
        assert!(started.elapsed() < LIMIT, "no span is counted as lost");
        sleep(Duration::from_millis(100)).await;
    }
}
