//! `/metrics`: the Prometheus exposition.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::state::State;

pub(super) async fn metrics(state: Data<State>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(state.metrics.scrape(&state))
}
