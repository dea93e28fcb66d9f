//! `/policies`: every key in force, as written, and the bound that follows.

use actix_web::Responder;
use actix_web::web::{Data, Json};
use holdfast_wire::{Policies, ProcessPolicy};
use serde_json::{Map, Value};

use crate::state::State;

pub(super) async fn policies(state: Data<State>) -> impl Responder {
    let loaded = &state.policies;
    let tables = ["worker", "database", "journal", "recovery", "idempotency"];
    let table = |name: &str| {
        let table = loaded.table.get(name).map(serde_json::to_value);
        table.and_then(Result::ok).unwrap_or(Value::Null)
    };
    Json(Policies {
        process: ProcessPolicy {
            worst_case_seconds: loaded.policies.worst_case().as_secs_f64(),
            max_in_flight: loaded.policies.process.max_in_flight,
        },
        policies: tables
            .iter()
            .map(|name| ((*name).to_owned(), table(name)))
            .collect::<Map<_, _>>(),
    })
}
