//! The course's endpoint in the modelled world: store, call, store, and no policy.

use holdfast_api::embedded::{EndRow, NewRequest, NewRow, Table, WorkCall, WorkClient};

use crate::postgres::table::DatabaseLink;
use crate::world::worker::WorkerLink;

/// Whether the work of `request` was done.
pub(super) async fn process(
    database: &DatabaseLink,
    worker: &WorkerLink,
    request: &NewRequest,
) -> bool {
    let row = NewRow {
        id: request.id,
        key: String::new(),
        payload: None,
        lease: None,
    };
    if database.insert(&[row]).await.is_err() {
        return false;
    }
    let Ok(response) = worker.work(WorkCall::first(request.id, None)).await else {
        return false;
    };
    let end = EndRow {
        id: request.id,
        response: Some(response.get().to_owned()),
        attempts: 1,
        lease: None,
    };
    database.finish(&[end]).await.is_ok()
}
