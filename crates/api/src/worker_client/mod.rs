//! The call to the worker: one HTTP request, bounded in size, its failures told apart.
//!
//! No policy here. The naive and the resilient side use the same call with clients of their own, built for what each
//! is: one waits for ever, the other has a connect timeout and stands behind the worker policy.

mod error;
mod resilient;

use std::sync::Arc;
use std::time::Duration;

use holdfast_wire::JsonText;
use reqwest::header::RETRY_AFTER;
use reqwest::{Client, ClientBuilder, RequestBuilder, Response, Url, redirect, retry};

pub(crate) use self::error::WorkerError;
pub(crate) use self::resilient::ResilientWorker;
use crate::resolver::Resolver;
use crate::trace;

/// A worker's answer is a line of JSON; whatever is larger is not an answer.
const MAX_BODY: usize = 64 * 1024;
/// The worker closes a connection that is idle for five seconds; a call sent into that is lost.
const IDLE_LIMIT: Duration = Duration::from_secs(4);
/// No peer sends our clients away for longer than this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// Calls `GET /work`. Clones share their connections.
#[derive(Clone)]
pub(crate) struct WorkerClient {
    http: Client,
    work: Url,
}

impl WorkerClient {
    /// A client that gives up on connecting after `connect_timeout`, resolving names through `resolver`.
    ///
    /// # Errors
    /// When the HTTP client cannot be built or `base` cannot carry a path.
    pub(crate) fn resilient(
        base: &Url,
        connect_timeout: Duration,
        resolver: Resolver,
    ) -> Result<Self, WorkerError> {
        Self::build(base, resolver, |http| http.connect_timeout(connect_timeout))
    }

    /// A client that waits for as long as it takes.
    ///
    /// # Errors
    /// As [`WorkerClient::resilient`].
    pub(crate) fn naive(base: &Url, resolver: Resolver) -> Result<Self, WorkerError> {
        Self::build(base, resolver, |http| http)
    }

    fn build(
        base: &Url,
        resolver: Resolver,
        timeouts: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Result<Self, WorkerError> {
        // Nothing may happen behind the policy's back: no proxy from the environment, no redirect, no hidden retry.
        let http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .pool_idle_timeout(IDLE_LIMIT)
            .dns_resolver(Arc::new(resolver));
        let http = timeouts(http).build()?;
        let work = base
            .join("work")
            .map_err(|error| WorkerError::BadResponse(error.into()))?;
        Ok(Self { http, work })
    }

    /// Has the work done and returns the worker's body.
    ///
    /// # Errors
    /// See [`WorkerError`].
    pub(crate) async fn work(&self) -> Result<JsonText, WorkerError> {
        let request = traced(self.http.get(self.work.clone()));
        let response = request.send().await?;
        let status = response.status();
        if !status.is_success() {
            return Err(WorkerError::Status {
                status: status.as_u16(),
                retry_after: retry_after(&response),
            });
        }
        let body = bounded_body(response).await?;
        serde_json::from_slice(&body).map_err(|error| WorkerError::BadResponse(error.into()))
    }
}

/// With the headers that tell which trace calls.
fn traced(request: RequestBuilder) -> RequestBuilder {
    let Some(context) = trace::current() else {
        return request;
    };
    let request = request.header("traceparent", context.traceparent());
    match context.tracestate() {
        Some(state) => request.header("tracestate", state),
        None => request,
    }
}

async fn bounded_body(mut response: Response) -> Result<Vec<u8>, WorkerError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(WorkerError::BadResponse(
                format!("larger than {MAX_BODY} bytes").into(),
            ));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// `Retry-After` in seconds; its date form is not used between services.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response
        .headers()
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}
