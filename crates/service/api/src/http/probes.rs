//! `/livez` and `/readyz`. Neither consults a dependency: answering degraded is the job.

use actix_web::web::{Data, Json};
use actix_web::{HttpResponse, Responder};
use holdfast_ops::Readiness;
use holdfast_wire::{Health, ProblemCode};

use super::problem::Failure;

/// Whether this is the path of one of them: they are answered even where all else is refused.
pub(super) fn is_one(path: &str) -> bool {
    matches!(path, "/livez" | "/readyz")
}

pub(super) async fn livez() -> impl Responder {
    Json(Health::new("alive"))
}

pub(super) async fn readyz(readiness: Data<Readiness>) -> Result<HttpResponse, Failure> {
    if readiness.is_ready() {
        Ok(HttpResponse::Ok().json(Health::new("ready")))
    } else {
        let detail =
            "the service ends what is under way and stops: send requests to another replica";
        Err(Failure::new(ProblemCode::Draining, detail))
    }
}
