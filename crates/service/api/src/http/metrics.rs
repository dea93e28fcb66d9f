//! `/metrics`: the Prometheus exposition.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::metrics::Sources;
use crate::state::State;

pub(super) async fn metrics(state: Data<State>) -> HttpResponse {
    let policies = state.policies.get();
    let sources = Sources {
        worker: &state.dependencies.worker,
        endpoints: &state.endpoints,
        database: &state.dependencies.database,
        policies: &policies,
        journal: state.journal.as_ref(),
        open_work: &state.open_work,
        recovery: &state.recovery,
        process_limit: &state.process_limit,
        naive_limit: &state.naive_limit,
        pools: &state.pools,
    };
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(state.metrics.scrape(&sources))
}
