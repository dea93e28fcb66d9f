//! The call to the worker: one HTTP request, bounded in size, its failures told apart.
//!
//! No policy here. The naive and the resilient side use the same call with clients of their own, built for what each
//! is: one waits for ever, the other has a connect timeout and stands behind the worker policy.

mod connections;
mod endpoints;
mod error;
mod in_turn;
mod resilient;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use holdfast_wire::JsonText;
use reqwest::header::RETRY_AFTER;
use reqwest::{RequestBuilder, Response, Url};
use tokio::runtime::Handle;
use uuid::Uuid;

use self::connections::{Connections, Recipe};
pub(crate) use self::endpoints::{EndpointState, Endpoints, TriedEndpoints};
pub use self::error::WorkerError;
pub(crate) use self::in_turn::InTurn;
pub(crate) use self::resilient::ResilientWorker;
use crate::config::WorkerAddress;
use crate::dependency::DependencyError;
use crate::main_runtime::run_on;
use crate::resolver::Resolver;
use crate::trace;

/// A worker's answer is a line of JSON; whatever is larger is not an answer.
const MAX_BODY: usize = 64 * 1024;
/// As deep as bodies of our own clients may nest.
const MAX_DEPTH: usize = 127;
/// No peer sends our clients away for longer than this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// A connection is used no longer than this, so that a name which moved is followed under steady traffic.
const MAX_AGE: Duration = Duration::from_secs(3);

/// What the worker is told of a call.
#[derive(Debug, Clone, Copy)]
pub struct WorkCall<'a> {
    /// The request's id: a worker that cares can do it once.
    pub id: Uuid,
    /// What is left of the call's deadline, if it has one.
    pub remaining: Option<Duration>,
    /// Where earlier attempts of the same call went, if anybody asks.
    tried: Option<&'a TriedEndpoints>,
    /// What of this attempt's time went where nobody was reached, in nanoseconds, if anybody asks.
    elsewhere: Option<&'a AtomicU64>,
}

impl<'a> WorkCall<'a> {
    /// A call that nobody has tried yet.
    #[must_use]
    pub fn first(id: Uuid, remaining: Option<Duration>) -> Self {
        Self {
            id,
            remaining,
            tried: None,
            elsewhere: None,
        }
    }

    /// One of several attempts, which share `tried`. `elsewhere` gets the nanoseconds after which this one goes on from endpoints
    /// that it did not reach.
    pub(crate) fn sharing(self, tried: &'a TriedEndpoints, elsewhere: &'a AtomicU64) -> Self {
        Self {
            tried: Some(tried),
            elsewhere: Some(elsewhere),
            ..self
        }
    }

    fn goes_on_after(&self, time: Duration) {
        if let Some(elsewhere) = self.elsewhere {
            let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
            elsewhere.store(nanoseconds, Ordering::Relaxed);
        }
    }

    fn tried(&self) -> u64 {
        self.tried.map_or(0, TriedEndpoints::get)
    }

    fn has_tried(&self, endpoint: u64) {
        if let Some(tried) = self.tried {
            tried.add(endpoint);
        }
    }

    fn ended_at(&self, slot: u32) {
        if let Some(tried) = self.tried {
            tried.ended_at(slot);
        }
    }
}

/// One call of the worker, without any policy. Clones share what they have.
pub trait WorkClient: Clone + Send + Sync + 'static {
    /// Why there is no result.
    type Error: DependencyError;

    /// Has the work done and returns the worker's body.
    fn work(
        &self,
        call: WorkCall<'_>,
    ) -> impl Future<Output = Result<JsonText, Self::Error>> + Send;
}

/// Calls `GET /work`. Clones share their connections.
#[derive(Clone)]
pub(crate) struct WorkerClient {
    connections: Arc<Connections>,
    work: Url,
    runtime: Handle,
}

impl WorkerClient {
    /// A client that waits for as long as it takes.
    ///
    /// # Errors
    /// When the HTTP client cannot be built or the address cannot carry a path.
    pub(crate) fn naive(
        worker: &WorkerAddress,
        resolver: Resolver,
        runtime: Handle,
    ) -> Result<Self, WorkerError> {
        let recipe = Recipe {
            resolver,
            tls: worker.tls.clone(),
            connect_timeout: None,
            pin: None,
        };
        Self::build(worker, recipe, None, runtime)
    }

    fn build(
        worker: &WorkerAddress,
        recipe: Recipe,
        max_age: Option<Duration>,
        runtime: Handle,
    ) -> Result<Self, WorkerError> {
        let work = worker
            .url
            .join("work")
            .map_err(|error| WorkerError::BadResponse(error.into()))?;
        Ok(Self {
            connections: Arc::new(Connections::new(recipe, max_age)?),
            work,
            runtime,
        })
    }
}

impl WorkClient for WorkerClient {
    type Error = WorkerError;

    async fn work(&self, call: WorkCall<'_>) -> Result<JsonText, WorkerError> {
        let request = traced(self.connections.client()?.get(self.work.clone()));
        let request = described(request, call);
        trace::calls(&self.work);
        // Boxed: it is large, and the caller's own future would carry it.
        let exchange = exchange(request).boxed();
        match run_on(&self.runtime, exchange).await {
            Ok(answer) => answer,
            Err(stopped) => Err(WorkerError::BadResponse(stopped.into())),
        }
    }
}

async fn exchange(request: RequestBuilder) -> Result<JsonText, WorkerError> {
    let response = request.send().await?;
    let status = response.status();
    trace::answered(status.as_u16());
    if !status.is_success() {
        return Err(WorkerError::Status {
            status: status.as_u16(),
            retry_after: retry_after(&response),
        });
    }
    let body = bounded_body(response).await?;
    if depth(&body) > MAX_DEPTH {
        let problem = format!("nested deeper than {MAX_DEPTH} levels");
        return Err(WorkerError::BadResponse(problem.into()));
    }
    serde_json::from_slice(&body).map_err(|error| WorkerError::BadResponse(error.into()))
}

/// How deep `json` nests. All that read it later, Postgres among them, do so with a stack.
fn depth(json: &[u8]) -> usize {
    let (mut depth, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in json {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// With the headers that tell which request it is, and what is left of the deadline.
fn described(request: RequestBuilder, call: WorkCall<'_>) -> RequestBuilder {
    let request = request.header("idempotency-key", call.id.to_string());
    match call.remaining {
        Some(remaining) => {
            request.header("x-request-timeout-ms", remaining.as_millis().to_string())
        }
        None => request,
    }
}

/// With the headers that tell which trace calls.
fn traced(request: RequestBuilder) -> RequestBuilder {
    match trace::outgoing() {
        Some(context) => context.headers().fold(request, |request, (name, value)| {
            request.header(name, value)
        }),
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
