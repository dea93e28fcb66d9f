//! Whether every promise was kept: what clients were told against the rows that are there.
//!
//! It asks Postgres itself, and the table rather than an index: neither the API's word nor the primary key's is taken.

mod report;
pub mod trial;

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

pub use holdfast_checker::durability::{DurabilityReport, Row};
pub use report::tell;

use crate::accepted::Accepted;
use crate::database::Database;
use crate::error::SystemError;
use crate::output::{Console, Tone};

const POLL: Duration = Duration::from_secs(1);
/// Ids in one question: some 200 KB of it.
const PORTION: usize = 5_000;
/// What a row is made of, each field on one line, so that a row is one.
const ROWS: &str = r"SELECT id, coalesce(payload->>'key', id::text), status,
    regexp_replace(coalesce(error, ''), '\s+', ' ', 'g'),
    translate(coalesce(worker_response::text, ''), E'\n\r\t', '   ') FROM requests";

/// Holds the promises against the table, again and again until nothing is open or missing or `wait` is over.
pub async fn check(
    accepted: &[Accepted],
    database: &Database,
    wait: Duration,
    console: Console,
) -> Result<DurabilityReport, SystemError> {
    let deadline = Instant::now() + wait;
    let mut shown = String::new();
    loop {
        let result = look(accepted, database).await;
        let finished = matches!(&result, Ok(report) if report.is_finished());
        if finished || Instant::now() >= deadline {
            return result;
        }
        let progress = match &result {
            Ok(report) => report.progress(),
            Err(error) => error.to_string(),
        };
        if progress != shown {
            console.say(console.paint(Tone::Faint, format_args!("  waiting: {progress}")));
            shown = progress;
        }
        sleep(POLL).await;
    }
}

async fn look(accepted: &[Accepted], database: &Database) -> Result<DurabilityReport, SystemError> {
    let mut found = Vec::new();
    for portion in accepted.chunks(PORTION) {
        let ids: Vec<String> = portion.iter().map(|one| one.id.to_string()).collect();
        let own = format!("WHERE id = ANY ('{{{}}}'::uuid[])", ids.join(","));
        found.extend(rows(&own, database).await?);
    }
    Ok(DurabilityReport::of(accepted, found))
}

/// The rows of `requests` that are `wanted`, a part of a statement.
pub async fn rows(wanted: &str, database: &Database) -> Result<Vec<Row>, SystemError> {
    let found = database.query(&format!("{ROWS} {wanted};")).await?;
    let rows: Option<Vec<Row>> = found.into_iter().map(row).collect();
    rows.ok_or_else(Database::none_of_ours)
}

fn row(fields: Vec<String>) -> Option<Row> {
    let [id, key, status, error, result] = <[String; 5]>::try_from(fields).ok()?;
    let compact = |json: String| match serde_json::from_str::<Value>(&json) {
        Ok(value) => value.to_string(),
        Err(_) => json,
    };
    Some(Row {
        id: id.parse().ok()?,
        key,
        status,
        error,
        result: Some(result).filter(|it| !it.is_empty()).map(compact),
    })
}
