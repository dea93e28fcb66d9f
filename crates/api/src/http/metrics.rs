//! `/metrics`: the Prometheus exposition.

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::state::State;

pub(super) async fn metrics(state: Data<State>) -> HttpResponse {
    state.metrics.observe(&state.worker);
    state.metrics.observe(&state.database);
    if let Some(journal) = &state.journal {
        state.metrics.observe_journal(&journal.depth());
    }
    let open_work = state.open_work.counted();
    state.metrics.observe_recovery(open_work, &state.recovery);
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(state.metrics.render())
}
