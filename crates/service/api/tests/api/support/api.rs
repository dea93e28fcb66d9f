//! The API under test, built as `main` builds it, and a client for it.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use holdfast_api::{Application, Settings, StartError};
use holdfast_ops::Environment;
use holdfast_ops::telemetry::Telemetry;
use holdfast_wire::{Breaker, Policies, Request, RequestStatus, Status};
use reqwest::{Response, StatusCode};
use tempfile::{NamedTempFile, TempDir};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

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
journal.deadline = "500ms"
recovery.lease = "5s"
"#;

/// How long a healed system may take to be healthy again: the quick policies' max_open_for + 5 s.
const HEALED_WITHIN: Duration = Duration::from_secs(6);
/// How long recovery may take to finish what was accepted: the same, and a lease that must end first.
const RECOVERED_WITHIN: Duration = Duration::from_secs(20);

/// What operators show.
pub(crate) const ADMIN_TOKEN: &str = "the-operators-own";

/// One log for all tests of the process, until it ends.
static LOGS: OnceLock<Telemetry> = OnceLock::new();

/// What an API is started with: again, for a restart; with a folder of its own, for a second replica.
#[derive(Clone)]
pub(crate) struct Surroundings {
    pub(crate) worker_url: String,
    pub(crate) database_url: String,
    /// Laid over the quick ones.
    pub(crate) policies: String,
    pub(crate) journal: Arc<TempDir>,
    /// What operators must show; empty: nobody may.
    pub(crate) admin_token: &'static str,
}

/// The API under test and a client for it.
pub(crate) struct Api {
    pub(crate) base: String,
    pub(crate) address: SocketAddr,
    pub(crate) surroundings: Surroundings,
    http: reqwest::Client,
    stop: Option<oneshot::Sender<()>>,
    served: Option<JoinHandle<std::io::Result<()>>>,
}

impl Surroundings {
    /// By the API's own role: what a test does with Postgres, it does with the rights that are documented.
    pub(crate) fn new(worker_url: &str, database: SocketAddr, policies: &str) -> Self {
        let database_url = format!("postgres://holdfast_api:holdfast@{database}/holdfast");
        Self {
            worker_url: worker_url.to_owned(),
            database_url,
            policies: policies.to_owned(),
            journal: Arc::new(tempfile::tempdir().unwrap()),
            admin_token: ADMIN_TOKEN,
        }
    }

    /// The same, for another replica: the journal is its own.
    pub(crate) fn of_a_replica(&self) -> Self {
        Self {
            journal: Arc::new(tempfile::tempdir().unwrap()),
            ..self.clone()
        }
    }

    /// Builds the application as `main` does.
    pub(crate) fn build(&self) -> Result<Application, StartError> {
        let mut file = NamedTempFile::new().unwrap();
        let policies = &self.policies;
        write!(file, "{}{policies}", quick_but_for(policies)).unwrap();
        let environment = Environment::from([
            ("HOLDFAST_WORKER_URL", self.worker_url.as_str()),
            ("DATABASE_URL", &self.database_url),
            ("HOLDFAST_POLICIES", file.path().to_str().unwrap()),
            (
                "HOLDFAST_JOURNAL_DIR",
                self.journal.path().to_str().unwrap(),
            ),
            ("HOLDFAST_ADMIN_TOKEN", self.admin_token),
        ]);
        let bind = SocketAddr::from(([127, 0, 0, 1], 0));
        Application::build(Settings::read(&environment, bind).unwrap())
    }
}

impl Api {
    /// Starts the API. Neither dependency need be there.
    pub(crate) fn start(surroundings: Surroundings) -> Self {
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
        let application = surroundings.build().unwrap();
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
            surroundings,
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

/// The quick policies without the keys that a test sets itself.
fn quick_but_for(policies: &str) -> String {
    let key = |line: &str| line.split(" =").next().unwrap().to_owned();
    let own: Vec<_> = policies.lines().map(key).collect();
    let kept = QUICK.lines().filter(|line| !own.contains(&key(line)));
    kept.map(|line| format!("{line}\n")).collect()
}
