//! `/naive/process`: the course's endpoint, errors as bare as the course's.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use holdfast_wire::NaiveProcessed;
use tokio::time::Instant;
use tracing_actix_web::RequestId;

use super::body;
use super::problem::Failure;
use crate::naive::Naive;

pub(super) async fn process(
    naive: Data<Naive>,
    id: RequestId,
    http: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Failure> {
    let Some(_permit) = naive.enter() else {
        // The one guard: its hung calls pile up, and they share memory and file descriptors with the other endpoint.
        return Ok(HttpResponse::InternalServerError().force_close().finish());
    };
    let payload = body::json(&http, payload).await?;
    let started = Instant::now();
    match naive.run(*id, payload.as_deref()).await {
        Ok(worker_response) => {
            let latency_seconds = (started.elapsed().as_secs_f64() * 100.0).round() / 100.0;
            Ok(HttpResponse::Ok().json(NaiveProcessed {
                worker_response,
                latency_seconds,
            }))
        }
        Err(error) => {
            tracing::warn!(%error, "the naive endpoint fell over");
            Ok(HttpResponse::InternalServerError().finish())
        }
    }
}
