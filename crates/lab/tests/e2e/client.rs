//! A client that holds every resilient answer against the published bound.

use std::time::Duration;

use holdfast_wire::{Breaker, Degraded, Policies, Status};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// What the machine, the container network and this client may add to the provable bound.
const MACHINE: Duration = Duration::from_millis(300);
/// `max_open_for` of the slowest breaker + 5 s.
const HEALED_WITHIN: Duration = Duration::from_secs(35);

pub(crate) struct Client {
    base: &'static str,
    http: reqwest::Client,
    bound: Duration,
}

/// An answer, taken apart.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: Value,
    pub(crate) took: Duration,
}

impl Client {
    pub(crate) async fn new(base: &'static str) -> Self {
        // A connection per call, as curl has.
        let http = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let policies: Policies = http
            .get(format!("{base}/policies"))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let bound = Duration::from_secs_f64(policies.process.worst_case_seconds);
        Self { base, http, bound }
    }

    /// `GET /process`, within the bound.
    pub(crate) async fn process(&self) -> Answer {
        let answer = self.get("/process").await;
        assert!(
            answer.took <= self.bound + MACHINE,
            "over the bound of {:?}: {answer:?}",
            self.bound
        );
        answer
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        let started = Instant::now();
        let response = self
            .http
            .get(format!("{}{path}", self.base))
            .send()
            .await
            .unwrap();
        let status = response.status();
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            Some(value.to_str().unwrap().to_owned())
        };
        let (location, retry_after) = (header("location"), header("retry-after"));
        let body = response.bytes().await.unwrap();
        Answer {
            status,
            location,
            retry_after: retry_after.map(|seconds| seconds.parse().unwrap()),
            body: serde_json::from_slice(&body).unwrap_or(Value::Null),
            took: started.elapsed(),
        }
    }

    /// Whether the naive endpoint still has not answered when the resilient one must have.
    pub(crate) async fn naive_hangs(&self) -> bool {
        let call = self
            .http
            .get(format!("{}/naive/process", self.base))
            .timeout(self.bound)
            .send();
        call.await.is_err_and(|error| error.is_timeout())
    }

    pub(crate) async fn status(&self) -> Status {
        serde_json::from_value(self.get("/status").await.body).unwrap()
    }

    /// Calls until all is well again, which takes no help and not long.
    pub(crate) async fn becomes_healthy(&self) {
        let started = Instant::now();
        loop {
            let answer = self.process().await;
            if answer.status == 200 && answer.degraded().is_empty() {
                println!(
                    "   healthy again after {:.1} s",
                    started.elapsed().as_secs_f64()
                );
                return;
            }
            assert!(
                started.elapsed() < HEALED_WITHIN,
                "still not healthy: {answer:?}"
            );
            sleep(Duration::from_millis(200)).await;
        }
    }

    /// Twenty calls behind an open worker breaker: their 95th percentile, by `curl`'s measure of one connection each.
    pub(crate) async fn p95_while_open(&self) -> Duration {
        let mut took = Vec::new();
        while took.len() < 20 {
            let answer = self.process().await;
            assert_eq!(answer.status, 202, "{answer:?}");
            // A probe is let through now and then; it pays for all of us.
            if answer.reason("worker_unavailable") == "circuit_open" {
                took.push(answer.took);
            }
        }
        took.sort();
        took[18]
    }

    pub(crate) async fn worker_breaker_is_open(&self) -> bool {
        self.status().await.dependencies.worker.breaker == Breaker::Open
    }
}

impl Answer {
    pub(crate) fn degraded(&self) -> Vec<Degraded> {
        serde_json::from_value(self.body["degraded"].clone()).unwrap_or_default()
    }

    /// The codes of what was missing, in order.
    pub(crate) fn codes(&self) -> Vec<String> {
        self.degraded()
            .iter()
            .map(|entry| entry.code.to_string())
            .collect()
    }

    /// The reason given for `code`.
    pub(crate) fn reason(&self, code: &str) -> String {
        let degraded = self.degraded();
        let entry = degraded.iter().find(|entry| entry.code.as_str() == code);
        entry
            .unwrap_or_else(|| panic!("no {code} in {self:?}"))
            .reason
            .to_string()
    }
}
