//! Which path leads where. A known path with another method is a 405 that names the methods, all else a 404.

use actix_web::Resource;
use actix_web::web::{self, ServiceConfig};
use holdfast_wire::ProblemCode;

use super::problem::Failure;
use super::{dashboard, metrics, naive, policies, probes, process, requests, status};

/// Registers every route.
pub(crate) fn routes(config: &mut ServiceConfig) {
    config
        .service(
            resource("/process", "GET, POST")
                .route(web::get().to(process::process))
                .route(web::post().to(process::process)),
        )
        .service(
            resource("/naive/process", "GET, POST")
                .route(web::get().to(naive::process))
                .route(web::post().to(naive::process)),
        )
        .service(resource("/", "GET").route(web::get().to(dashboard::page)))
        .service(resource("/assets/{path:.*}", "GET").route(web::get().to(dashboard::asset)))
        .service(resource("/events", "GET").route(web::get().to(dashboard::events)))
        .service(resource("/requests", "GET").route(web::get().to(requests::list)))
        .service(resource("/requests/{id}", "GET").route(web::get().to(requests::find)))
        .service(resource("/policies", "GET").route(web::get().to(policies::policies)))
        .service(resource("/status", "GET").route(web::get().to(status::status)))
        .service(resource("/livez", "GET").route(web::get().to(probes::livez)))
        .service(resource("/readyz", "GET").route(web::get().to(probes::readyz)))
        .service(resource("/metrics", "GET").route(web::get().to(metrics::metrics)))
        .default_service(web::to(not_found));
}

fn resource(path: &str, allow: &'static str) -> Resource {
    let refuse = move || async move { Err::<String, _>(Failure::method_not_allowed(allow)) };
    web::resource(path).default_service(web::to(refuse))
}

async fn not_found() -> Result<String, Failure> {
    Err(Failure::new(
        ProblemCode::NotFound,
        "the routes are /, /events, /process, /naive/process, /requests, /requests/{id}, /policies, \
         /status, /livez, /readyz and /metrics",
    ))
}
