//! A client that holds every resilient answer against the published bound.

use std::sync::Mutex;
use std::time::Duration;

use holdfast_system::accepted::Accepted;
use holdfast_wire::{Breaker, Degraded, Status};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::time::{Instant, sleep};

/// Of every stage that is tested.
const BASE: &str = "http://127.0.0.1:18080";
/// What the machine, the container network and this client may add to the provable bound.
const MACHINE: Duration = Duration::from_millis(300);
/// How long all that was accepted may take to be done once all is healed.
const DONE_WITHIN: Duration = Duration::from_secs(120);
/// `max_open_for` of the slowest breaker + 5 s.
const HEALED_WITHIN: Duration = Duration::from_secs(35);

/// Of deploy/policies.toml: 2 * (1000 + 250) + 5500 ms. Not the API's word for it.
const BOUND: Duration = Duration::from_millis(8_000);
/// Two failed checks of the balancer, and room.
const LED_WITHIN: Duration = Duration::from_secs(15);
/// A breaker opens after a few failures, and a probe that is let through is soon over.
const OPEN_WITHIN: Duration = Duration::from_secs(60);

pub(crate) struct Client {
    http: reqwest::Client,
    promises: Mutex<Vec<Accepted>>,
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
    pub(crate) async fn new() -> Self {
        // A connection per call, as curl has. What comes late is to be seen as late; what never comes ends the test.
        let http = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(BOUND + Duration::from_secs(5))
            .build()
            .unwrap();
        let client = Self {
            http,
            promises: Mutex::default(),
        };
        let published =
            client.get("/policies").await.body["process"]["worst_case_seconds"].as_f64();
        assert_eq!(
            published,
            Some(BOUND.as_secs_f64()),
            "the API publishes another bound"
        );
        client
    }

    /// `GET /process`, within the bound.
    pub(crate) async fn process(&self) -> Answer {
        let answer = self.get("/process").await;
        Self::hold_to_the_bound(&answer);
        // A call without a key stands for itself alone.
        self.remember(&answer, &answer.body["request_id"].to_string());
        answer
    }

    /// `POST /process` with this body under this key, within the bound.
    pub(crate) async fn process_once(&self, key: &str, body: &Value) -> Answer {
        let call = self.http.post(format!("{BASE}/process"));
        let call = call.header("Idempotency-Key", key).json(body);
        let answer = answer(call).await;
        Self::hold_to_the_bound(&answer);
        self.remember(&answer, key);
        answer
    }

    fn hold_to_the_bound(answer: &Answer) {
        assert!(
            answer.took <= BOUND + MACHINE,
            "over the bound of {BOUND:?}: {answer:?}"
        );
    }

    fn remember(&self, answer: &Answer, key: &str) {
        let status = answer.status.as_u16();
        if let (200 | 202, Some(id)) = (status, answer.body["request_id"].as_str()) {
            self.promises.lock().unwrap().push(Accepted {
                id: id.parse().unwrap(),
                key: key.to_owned(),
                status,
            });
        }
    }

    /// Every promise it was given so far.
    pub(crate) fn promises(&self) -> Vec<Accepted> {
        self.promises.lock().unwrap().clone()
    }

    /// Waits until the balancer sends nobody to a node that is gone: whose call was on its way there is to ask again.
    pub(crate) async fn is_led_to_the_living(&self) {
        let started = Instant::now();
        let mut in_a_row = 0;
        while in_a_row < 6 {
            let looked = self.http.get(format!("{BASE}/livez")).send().await;
            in_a_row = if looked.is_ok() { in_a_row + 1 } else { 0 };
            assert!(started.elapsed() < LED_WITHIN, "{looked:?}");
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(self.http.get(format!("{BASE}{path}"))).await
    }

    /// Waits until all that was accepted is done and the journal is empty, which takes no help.
    pub(crate) async fn finishes_everything(&self) {
        let started = Instant::now();
        loop {
            let open = self.get("/requests?status=received").await;
            let journal = self.status().await.journal.unwrap();
            if open.body["total"] == 0 && journal.entries == 0 {
                println!("   all done after {:.1} s", started.elapsed().as_secs_f64());
                return;
            }
            assert!(
                started.elapsed() < DONE_WITHIN,
                "still {open:?}, {journal:?}"
            );
            sleep(Duration::from_millis(500)).await;
        }
    }

    /// Whether the naive endpoint still has not answered when the resilient one must have.
    pub(crate) async fn naive_hangs(&self) -> bool {
        let call = self.http.get(format!("{BASE}/naive/process"));
        let answer = call.timeout(BOUND).send().await;
        answer.is_err_and(|error| error.is_timeout())
    }

    pub(crate) async fn status(&self) -> Status {
        serde_json::from_value(self.get("/status").await.body).unwrap()
    }

    /// Calls until all is well again, which takes no help and not long.
    pub(crate) async fn becomes_healthy(&self) {
        self.becomes_healthy_for(1).await;
    }

    /// The same for three APIs behind a balancer, which asks them in turn: each has breakers of its own.
    pub(crate) async fn all_become_healthy(&self) {
        self.becomes_healthy_for(3).await;
    }

    async fn becomes_healthy_for(&self, calls_in_a_row: u32) {
        let started = Instant::now();
        let mut in_a_row = 0;
        loop {
            let answer = self.process().await;
            let is_whole = answer.status == 200 && answer.degraded().is_empty();
            in_a_row = if is_whole { in_a_row + 1 } else { 0 };
            if in_a_row == calls_in_a_row {
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
        let started = Instant::now();
        while took.len() < 20 {
            assert!(started.elapsed() < OPEN_WITHIN, "only {took:?}");
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

    /// Calls, and looks at each answer, until the worker's breaker is open.
    pub(crate) async fn until_the_worker_breaker_opens(&self, look: impl Fn(&Answer)) {
        let started = Instant::now();
        while !self.worker_breaker_is_open().await {
            assert!(started.elapsed() < OPEN_WITHIN, "the breaker stays closed");
            look(&self.process().await);
        }
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

async fn answer(call: reqwest::RequestBuilder) -> Answer {
    let started = Instant::now();
    let response = call.send().await.unwrap();
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
