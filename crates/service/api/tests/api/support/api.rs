//! The API under test, built as `main` builds it, and a client for it.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use holdfast_ops::Environment;
use holdfast_ops::telemetry::Telemetry;
use holdfast_wire::{Breaker, Policies, Request, RequestStatus, Status};
use reqwest::{Response, StatusCode};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::answer::Answer;
use super::test_config::{ADMIN_TOKEN, TestConfig};

/// What the machine may add to the provable bound.
pub(crate) const MACHINE: Duration = Duration::from_millis(300);

/// How long a healed system may take to be healthy again: the quick policies' max_open_for + 5 s.
const HEALED_WITHIN: Duration = Duration::from_secs(6);
/// How long recovery may take to finish what was accepted: the same, and a lease that must end first.
const RECOVERED_WITHIN: Duration = Duration::from_secs(20);

/// One log for all tests of the process, until it ends.
static LOGS: OnceLock<Telemetry> = OnceLock::new();

/// The API under test and a client for it.
pub(crate) struct Api {
    pub(crate) base: String,
    pub(crate) address: SocketAddr,
    pub(crate) config: TestConfig,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<std::io::Result<()>>>,
}

impl Api {
    /// Starts the API. Neither dependency need be there.
    pub(crate) fn start(config: TestConfig) -> Self {
        let environment = Environment::of_process();
        if environment.get("RUST_LOG").is_some() {
            LOGS.get_or_init(|| {
                holdfast_ops::telemetry::init(
                    &environment,
                    "tests",
                    &tokio::runtime::Handle::current(),
                )
                .unwrap()
            });
        }
        let application = config.build().unwrap();
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
            config,
            http,
            stop: Some(stop),
            served: Some(served),
        }
    }

    /// `POST /process` under `key`.
    pub(crate) async fn post_keyed(&self, key: &str, body: &str) -> Answer {
        let request = self.request("POST", "/process").body(body.to_owned());
        let response = request.header("idempotency-key", key).send().await;
        Answer::read(response.unwrap()).await
    }

    /// How `/requests/{id}` shows it, within what the machine may need.
    pub(crate) async fn comes_to_be(&self, id: Uuid, status: RequestStatus) -> Request {
        let started = Instant::now();
        loop {
            let response = self.get(&format!("/requests/{id}")).await;
            if response.status() == StatusCode::OK {
                let request: Request = response.json().await.unwrap();
                if request.status == status {
                    return request;
                }
            }
            assert!(
                started.elapsed() < RECOVERED_WITHIN,
                "{id} is not {status:?}"
            );
            sleep(Duration::from_millis(50)).await;
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Response {
        self.http
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .unwrap()
    }

    /// One scrape.
    pub(crate) async fn metrics(&self) -> Metrics {
        Metrics(self.get("/metrics").await.text().await.unwrap())
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<reqwest::Body>) -> Response {
        self.http
            .post(format!("{}{path}", self.base))
            .body(body)
            .send()
            .await
            .unwrap()
    }

    /// What an operator asks for, with the token.
    pub(crate) async fn operate(&self, path: &str) -> Response {
        let request = self.request("POST", path).bearer_auth(ADMIN_TOKEN);
        request.send().await.unwrap()
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

    /// Waits until recovery has brought over all that the journal holds.
    pub(crate) async fn journal_empties(&self) {
        self.comes_to(|status| status.journal.as_ref().unwrap().entries == 0)
            .await;
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

/// What one scrape showed.
pub(crate) struct Metrics(String);

impl Metrics {
    /// The count that a series has, given with its labels.
    pub(crate) fn count(&self, series: &str) -> u64 {
        let mut lines = self.0.lines();
        let count = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        let count = count.unwrap_or_else(|| panic!("{series} is not in\n{}", self.0));
        count.parse().unwrap()
    }

    /// Asserts these counts.
    pub(crate) fn show(&self, expected: &[(&str, u64)]) {
        for (series, count) in expected {
            assert_eq!(self.count(series), *count, "{series}");
        }
    }
}
