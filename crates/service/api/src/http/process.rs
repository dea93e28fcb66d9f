//! `/process`: the resilient endpoint.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, RETRY_AFTER};
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures_util::FutureExt;
use holdfast_wire::{
    Degraded, DegradedCode, JsonText, ProblemCode, Processed, ProcessedStatus, RecordedIn,
};
use jiff::Timestamp;
use tokio::runtime::Handle;
use tokio::time::Instant;
use tracing_actix_web::RequestId;
use uuid::Uuid;

use super::admission::{Admission, Admitted};
use super::body;
use super::client;
use super::key;
use super::priority;
use super::problem::{Failure, refused_for, retry_after};
use crate::config::Policies;
use crate::current::Current;
use crate::limit::InFlightLimit;
use crate::main_runtime::run_on;
use crate::metrics::Metrics;
use crate::process::{NewRequest, Outcome, Overload, Process, Refusal};
use crate::rate_limit::RateLimit;
use crate::seconds::milliseconds;
use crate::store::{LiveStore, Store};
use crate::trace;
use crate::worker_client::{Endpoints, ResilientWorker};

/// Says that this is the answer to an earlier call under the same key.
const REPLAYED: &str = "idempotent-replayed";
const NOT_RECORDED: &str = "nothing was recorded: try again";

/// The use case, and what stands before it.
pub(crate) struct ProcessRoute {
    pub(crate) process: Arc<Process<LiveStore<Store>, ResilientWorker<Endpoints>>>,
    /// Where calls are handled, whichever thread has their connection.
    pub(crate) runtime: Handle,
    pub(crate) policies: Arc<Current<Policies>>,
    pub(crate) admission: Arc<Admission>,
    /// For those whose body is still arriving.
    pub(crate) bodies: InFlightLimit,
    /// `None`: clients are not told apart.
    pub(crate) rate_limit: Arc<Current<Option<RateLimit>>>,
    pub(crate) metrics: Metrics,
}

pub(super) async fn process(
    route: Data<ProcessRoute>,
    id: RequestId,
    http: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Failure> {
    let limit = route.rate_limit.get();
    let Some(limit) = &*limit else {
        return admitted(&route, id, &http, payload).await;
    };
    let quota = limit.take(client::of(&http, limit.told_by()));
    if quota.is_used_up() {
        if let Some(answers) = route.metrics.answers() {
            answers.throttled();
        }
        return Err(Failure::quota_exceeded(&quota).of_client(quota));
    }
    match admitted(&route, id, &http, payload).await {
        Ok(mut response) => {
            client::add_rate_limit(&quota, response.headers_mut());
            Ok(response)
        }
        Err(failure) => Err(failure.of_client(quota)),
    }
}

async fn admitted(
    route: &ProcessRoute,
    id: RequestId,
    http: &HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Failure> {
    let key = key::read(http)?;
    // The body first: who dawdles over it must not keep a permit from those who have said all. There is a limit to those
    // as well: they hold memory.
    let payload = if body::is_announced(http) {
        let Some(_reading) = route.bodies.enter() else {
            return Err(refused_at_the_door(route, Overload::Bodies));
        };
        body::json(http, payload).await?
    } else {
        None
    };
    let request = NewRequest {
        id: *id,
        key,
        payload,
        received_at: Timestamp::now(),
        priority: priority::read(http, &route.policies.get().process.trusted_priorities),
    };
    let refused = |full| refused_at_the_door(route, full);
    let entry = route
        .admission
        .enter(request.key.is_some())
        .map_err(refused)?;
    let started = Instant::now();
    let priority = request.priority;
    let outcome = handled(route, request, entry).await?;
    let latency_seconds = milliseconds(started.elapsed());
    if let Some(answers) = route.metrics.answers() {
        answers.count(&outcome, priority);
    }
    respond(outcome, latency_seconds)
}

/// What becomes of `request`. All of its parts are at home on the main runtime: it goes there once, not for each of them. A
/// client that leaves takes its call with it.
async fn handled(
    route: &ProcessRoute,
    request: NewRequest,
    entry: Admitted,
) -> Result<Outcome, Failure> {
    let process = Arc::clone(&route.process);
    let call = async move { process.run(&request, entry).await };
    // Boxed: on its way to the main runtime it is handed on several times, and it is large.
    let call = trace::carried(call.boxed());
    let handled = run_on(&route.runtime, call).await;
    handled.map_err(|_stopped| {
        let detail = "the service is stopping: try again with the same Idempotency-Key";
        Failure::new(ProblemCode::Draining, detail)
    })
}

fn respond(outcome: Outcome, latency_seconds: f64) -> Result<HttpResponse, Failure> {
    match outcome {
        Outcome::Done {
            id,
            result,
            recorded_in,
            degraded,
            replayed,
        } => {
            let response = Some(result.response);
            let body = answer(id, response, recorded_in, degraded, latency_seconds);
            Ok(promised(StatusCode::OK, replayed).json(body))
        }
        Outcome::Deferred {
            id,
            recorded_in,
            degraded,
            replayed,
        } => {
            let body = answer(id, None, recorded_in, degraded, latency_seconds);
            Ok(promised(StatusCode::ACCEPTED, replayed)
                .insert_header((LOCATION, format!("/requests/{id}")))
                .insert_header((RETRY_AFTER, retry_after(&body.degraded)))
                .json(body))
        }
        Outcome::Refused(refusal) => Err(refused(refusal)),
        Outcome::Failed { id, error } => Err(Failure::new(
            ProblemCode::RequestFailed,
            format!(
                "the request under this key, {id}, was given up: {error}; use a new key to try again"
            ),
        )),
        Outcome::KeyReused { id } => Err(Failure::new(
            ProblemCode::KeyReused,
            format!("it stands for the request {id}: use a new key for another body"),
        )),
    }
}

/// The head of a promise; one that was made before says so.
fn promised(status: StatusCode, replayed: bool) -> HttpResponseBuilder {
    let mut response = HttpResponse::build(status);
    if replayed {
        response.insert_header((REPLAYED, "true"));
    }
    response
}

fn answer(
    request_id: Uuid,
    worker_response: Option<JsonText>,
    recorded_in: RecordedIn,
    degraded: Vec<Degraded>,
    latency_seconds: f64,
) -> Processed {
    let status = if degraded.is_empty() {
        ProcessedStatus::Ok
    } else {
        ProcessedStatus::Degraded
    };
    Processed {
        request_id,
        status,
        worker_response,
        latency_seconds,
        recorded_in,
        degraded,
    }
}

fn refused(refusal: Refusal) -> Failure {
    if refusal.code == DegradedCode::Overloaded {
        return Failure::unavailable(ProblemCode::Overloaded, NOT_RECORDED, refusal.degraded);
    }
    let detail = "no promise was made and the work may still happen: try again with the same Idempotency-Key";
    Failure::unavailable(refused_for(refusal.code), detail, refusal.degraded)
}

fn refused_at_the_door(route: &ProcessRoute, why: Overload) -> Failure {
    if let Some(answers) = route.metrics.answers() {
        answers.refused_at_the_door(why);
    }
    Failure::overloaded(why.detail(), NOT_RECORDED, 1.0)
}
