//! The API under test, built as `main` builds it, and a client for it.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use holdfast_api::{Application, Settings};
use holdfast_ops::Environment;
use holdfast_wire::{Breaker, Policies, Status};
use reqwest::{Response, StatusCode};
use tempfile::NamedTempFile;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use super::answer::Answer;

/// What the machine may add to the provable bound.
pub(crate) const MACHINE: Duration = Duration::from_millis(300);

/// The policies of the tests: the defaults, several times quicker, yet slow enough for a busy machine. In dotted keys, so
/// that a test can put its own in their place.
const QUICK: &str = r#"
worker.connect_timeout = "300ms"
worker.attempt_timeout = "600ms"
worker.deadline = "1300ms"
worker.retry.backoff = { initial = "20ms", max = "50ms" }
worker.breaker = { slow_call = "550ms", open_for = "500ms", max_open_for = "1s", ramp = "200ms" }
database.connect_timeout = "400ms"
database.attempt_timeout = "500ms"
database.deadline = "1100ms"
database.pool.max_wait = "300ms"
database.breaker = { slow_call = "450ms", open_for = "500ms", max_open_for = "1s", ramp = "200ms" }
"#;

/// How long a healed system may take to be healthy again: the quick policies' max_open_for + 5 s.
const HEALED_WITHIN: Duration = Duration::from_secs(6);

/// The API under test and a client for it.
pub(crate) struct Api {
    pub(crate) base: String,
    pub(crate) address: SocketAddr,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<std::io::Result<()>>>,
}

impl Api {
    /// Builds the API as `main` does. Neither dependency need be there.
    pub(crate) fn start(worker_url: &str, database: SocketAddr, policies: &str) -> Self {
        let database = format!("postgres://holdfast:holdfast@{database}/holdfast");
        Self::with_database_url(worker_url, &database, policies)
    }

    /// As [`Api::start`], with the database under any name.
    pub(crate) fn with_database_url(worker_url: &str, database: &str, policies: &str) -> Self {
        let mut file = NamedTempFile::new().unwrap();
        write!(file, "{}{policies}", quick_but_for(policies)).unwrap();
        let environment = Environment::from([
            ("HOLDFAST_WORKER_URL", worker_url),
            ("DATABASE_URL", database),
            ("HOLDFAST_POLICIES", file.path().to_str().unwrap()),
        ]);
        let surroundings = Environment::of_process();
        if surroundings.get("RUST_LOG").is_some() {
            holdfast_ops::telemetry::init(&surroundings).unwrap();
        }
        let bind = SocketAddr::from(([127, 0, 0, 1], 0));
        let settings = Settings::read(&environment, bind).unwrap();
        let application = Application::build(settings).unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], application.port()));
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(application.run_until_stopped(async {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
        }));
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let base = format!("http://{address}");
        Self {
            base,
            address,
            http,
            stop: Some(stop),
            served: Some(served),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Response {
        self.http
            .post(format!("{}{path}", self.base))
            .body(body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method.parse().unwrap(), format!("{}{path}", self.base))
    }

    /// `GET /process`, which must be answered within the published bound.
    pub(crate) async fn process(&self) -> Answer {
        let bound = self.worst_case().await + MACHINE;
        let started = Instant::now();
        let response = self.get("/process").await;
        let took = started.elapsed();
        assert!(
            took <= bound,
            "answered after {took:?}, the bound is {bound:?}"
        );
        Answer::read(response).await
    }

    pub(crate) async fn worst_case(&self) -> Duration {
        let policies: Policies = self.get("/policies").await.json().await.unwrap();
        Duration::from_secs_f64(policies.process.worst_case_seconds)
    }

    pub(crate) async fn status(&self) -> Status {
        self.get("/status").await.json().await.unwrap()
    }

    /// Calls until the answer is whole again, which must not take long.
    pub(crate) async fn becomes_healthy(&self) {
        let started = Instant::now();
        loop {
            let answer = self.process().await;
            if answer.status == StatusCode::OK && answer.degraded().is_empty() {
                return;
            }
            assert!(
                started.elapsed() < HEALED_WITHIN,
                "still not healthy: {answer:?}"
            );
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Calls until the worker's breaker is open.
    pub(crate) async fn opens_worker_breaker(&self) {
        self.calls_until(|status| status.dependencies.worker.breaker == Breaker::Open)
            .await;
    }

    /// Calls until the database's breaker is open.
    pub(crate) async fn opens_database_breaker(&self) {
        self.calls_until(|status| status.dependencies.database.breaker == Breaker::Open)
            .await;
    }

    async fn calls_until(&self, reached: impl Fn(&Status) -> bool) {
        for _ in 0..5 {
            self.process().await;
            if reached(&self.status().await) {
                return;
            }
        }
        panic!("not reached within five calls: {:?}", self.status().await);
    }

    /// Waits until `/status` says so of its own accord.
    pub(crate) async fn comes_to(&self, reached: impl Fn(&Status) -> bool) {
        let started = Instant::now();
        loop {
            let status = self.status().await;
            if reached(&status) {
                return;
            }
            assert!(started.elapsed() < HEALED_WITHIN, "still {status:?}");
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// Tells it to stop, as SIGTERM does.
    pub(crate) fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(&mut self) {
        self.served.take().unwrap().await.unwrap().unwrap();
    }
}

/// The quick policies without the keys that a test sets itself.
fn quick_but_for(policies: &str) -> String {
    let key = |line: &str| line.split(" =").next().unwrap().to_owned();
    let own: Vec<_> = policies.lines().map(key).collect();
    let kept = QUICK.lines().filter(|line| !own.contains(&key(line)));
    kept.map(|line| format!("{line}\n")).collect()
}
