//! Everything in the tables, as text; without times, of which each side has its own.

use std::fmt::Write;

use holdfast_api::embedded::Table;
use holdfast_simulation::postgres::rows::{Status, Tables};
use holdfast_simulation::postgres::server::Server;

use super::Sides;

const ALL: &str = "SELECT concat_ws('|', id, status, attempts, coalesce(payload::text, '-'), \
        coalesce(worker_response::text, '-'), coalesce(error, '-'), lease_until IS NOT NULL) FROM requests ORDER BY id; \
    SELECT concat_ws('|', key, request_id) FROM idempotency_keys ORDER BY key; \
    SELECT concat_ws('|', request_id, coalesce(kept::text, '-'), coalesce(other::text, '-'), coalesce(other_error, '-')) \
        FROM result_conflicts ORDER BY request_id, other_at";

pub(super) fn real<T: Table>(sides: &Sides<T>) -> String {
    sides.psql(ALL)
}

pub(super) fn model(server: &Server) -> String {
    server.look(tables)
}

fn tables(tables: &Tables) -> String {
    let mut text = String::new();
    let or_none = |it: &Option<String>| it.clone().unwrap_or_else(|| "-".to_owned());
    for (id, row) in tables.rows() {
        let status = match row.status {
            Status::Received => "received",
            Status::Done => "done",
            Status::Failed => "failed",
        };
        let [payload, response, error] = [&row.payload, &row.response, &row.error].map(or_none);
        let held = if row.lease_until.is_some() { "t" } else { "f" };
        let attempts = row.attempts;
        writeln!(
            text,
            "{id}|{status}|{attempts}|{payload}|{response}|{error}|{held}"
        )
        .unwrap();
    }
    for (key, id) in &tables.keys {
        writeln!(text, "{key}|{id}").unwrap();
    }
    for ((id, _), conflict) in &tables.conflicts {
        let [kept, other, error] =
            [&conflict.kept, &conflict.other, &conflict.other_error].map(or_none);
        writeln!(text, "{id}|{kept}|{other}|{error}").unwrap();
    }
    text
}
