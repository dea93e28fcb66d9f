//! Asking the services over HTTP how they are.

use std::str::FromStr;
use std::time::Duration;

use holdfast_testbed::exposition;
use holdfast_wire::{Policies, Request, RequestList, Status};
use reqwest::{RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::error::SystemError;
use crate::wait::Patience;

const PROCESS_WITHIN: Duration = Duration::from_secs(15);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
const READ_AGAIN: Patience = Patience::new(ANSWER_WITHIN, Duration::from_millis(50));

/// A client for one service's questions about itself; never used for what is being measured.
#[derive(Debug, Clone)]
pub struct AdminClient {
    client: reqwest::Client,
    base: String,
}

impl AdminClient {
    /// Of the service on this loopback port.
    pub fn new(port: u16) -> Self {
        Self::at(format!("http://127.0.0.1:{port}"))
    }

    /// Of the service at this address, without a slash at the end.
    pub fn at(base: String) -> Self {
        // One connection per question: a kept one would not show whether the port still accepts.
        let client = reqwest::Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(ANSWER_WITHIN);
        Self {
            // Without TLS there is nothing in the builder that can fail; the default client differs only in its pool.
            client: client.build().unwrap_or_default(),
            base,
        }
    }

    /// The service's address, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Whether `GET /readyz` answers 200 now; if not, why.
    pub async fn ready(&self) -> Result<(), String> {
        match self.call("/readyz").send().await {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("answers {}", answer.status())),
            Err(error) if error.is_connect() => Err("does not listen".to_owned()),
            Err(_) => Err("does not answer".to_owned()),
        }
    }

    /// Whether a `GET` of this path is answered with a success.
    pub async fn says_yes(&self, path: &str) -> bool {
        let answer = self.call(path).send().await;
        answer.is_ok_and(|answer| answer.status().is_success())
    }

    /// Within which it answers every call, as it publishes.
    pub async fn bound(&self) -> Result<Duration, SystemError> {
        let seconds = self.policies().await?.process.worst_case_seconds;
        Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }

    pub async fn policies(&self) -> Result<Policies, SystemError> {
        self.get("/policies").await
    }

    /// `GET /policies`, once the policy file has been read again more than `before` times.
    pub async fn policies_read_after(&self, before: u64) -> Result<Policies, SystemError> {
        let mut wait = READ_AGAIN.begin();
        loop {
            let now = self.policies().await?;
            if now.reloads.count > before {
                return Ok(now);
            }
            if wait.is_over().await {
                let problem = "the policy file was not read again".to_owned();
                return Err(self.failed("/policies", problem));
            }
        }
    }

    pub async fn status(&self) -> Result<Status, SystemError> {
        self.get("/status").await
    }

    pub async fn requests(&self, query: &str) -> Result<RequestList, SystemError> {
        self.get(&format!("/requests?{query}")).await
    }

    /// `GET /requests/{id}`; none: there is no such request.
    pub async fn request(&self, id: Uuid) -> Result<Option<Request>, SystemError> {
        let path = format!("/requests/{id}");
        let answer = self.call(&path).send().await;
        if answer.is_ok_and(|answer| answer.status() == StatusCode::NOT_FOUND) {
            return Ok(None);
        }
        self.get(&path).await.map(Some)
    }

    /// `GET /metrics`, as text; none: no answer.
    pub async fn metrics(&self) -> Option<String> {
        let answer = self.call("/metrics").send().await;
        answer.ok()?.text().await.ok()
    }

    /// The value of a metric without labels; none: no answer, or no such metric.
    pub async fn metric<T: FromStr>(&self, name: &str) -> Option<T> {
        exposition::value(&self.metrics().await?, name)
    }

    /// `GET /process`, whatever comes of it.
    pub async fn process(&self) {
        let call = self.call("/process").timeout(PROCESS_WITHIN);
        let _ = call.send().await;
    }

    fn call(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.base))
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, SystemError> {
        let asked = async {
            let answer = self.call(path).send().await;
            let answer = answer.map_err(|error| error.to_string())?;
            match answer.status() {
                status if !status.is_success() => Err(format!("it answered {status}")),
                _ => answer.json().await.map_err(|error| error.to_string()),
            }
        };
        asked.await.map_err(|problem| self.failed(path, problem))
    }

    fn failed(&self, path: &str, problem: String) -> SystemError {
        SystemError::Api {
            url: format!("{}{path}", self.base),
            problem,
        }
    }
}
