//! `/livez` and `/readyz`. Neither consults a dependency: answering degraded is the job.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, Responder};
use holdfast_ops::Readiness;
use holdfast_wire::Health;

/// Whether this is the path of one of them: they are answered even where all else is refused.
pub(super) fn is_one(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz")
}

pub(super) async fn livez() -> impl Responder {
    Json(Health::new("alive"))
}

/// Who probes goes by the status alone, so that the 503 is no problem document.
pub(super) async fn readyz(readiness: Data<Readiness>) -> impl Responder {
    if readiness.is_ready() {
        HttpResponse::Ok().json(Health::new("ready"))
    } else {
        HttpResponse::ServiceUnavailable().json(Health::new("draining"))
    }
}
