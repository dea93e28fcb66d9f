//! `/policies`: every key in force, as written, the bound that follows, and what became of the file when it was read
//! again.

use actix_web::Responder;
use actix_web::web::{Data, Json};
use holdfast_wire::{Policies, ProcessPolicy};
use serde_json::{Map, Value};
use toml::Table;

use crate::reload::Reload;

/// The table whose keys stand beside the bound.
pub(super) const PROCESS: &str = "process";
/// The tables that are shown each by its name.
pub(super) const TABLES: [&str; 5] = ["worker", "database", "journal", "recovery", "idempotency"];

/// The table `name` as JSON.
pub(super) fn table(policies: &Table, name: &str) -> Value {
    let table = policies.get(name).map(serde_json::to_value);
    table.and_then(Result::ok).unwrap_or(Value::Null)
}

pub(super) async fn policies(reload: Data<Reload>) -> impl Responder {
    let (in_force, read, reloads) = reload.in_force();
    let mut others = match table(&read, PROCESS) {
        Value::Object(keys) => keys,
        _ => Map::new(),
    };
    others.remove("max_in_flight");
    Json(Policies {
        process: ProcessPolicy {
            worst_case_seconds: in_force.worst_case().as_secs_f64(),
            max_in_flight: in_force.process.max_in_flight,
            others,
        },
        policies: TABLES
            .iter()
            .map(|name| ((*name).to_owned(), table(&read, name)))
            .collect::<Map<_, _>>(),
        reloads,
    })
}
