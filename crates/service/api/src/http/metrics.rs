//! `/metrics`: the Prometheus exposition.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::metrics::Metrics;
use crate::overview::Overview;

pub(super) async fn metrics(overview: Data<Overview>, metrics: Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(metrics.scrape(&overview))
}
