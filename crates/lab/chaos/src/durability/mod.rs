//! Whether every promise was kept: each accepted request is in Postgres exactly once, finished.
//!
//! It asks Postgres itself, and the table rather than an index: neither the API's word nor the primary key's is taken.

mod report;

use std::time::Duration;

use holdfast_system::error::SystemError;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

pub use holdfast_checker::ledger::{Ledger, Row};
pub use report::tell;

use crate::accepted::Accepted;
use crate::database::Database;
use crate::output::{Console, Tone};

const POLL: Duration = Duration::from_secs(1);
/// Ids in one question: some 200 KB of it.
const PORTION: usize = 5_000;

/// Holds the promises against the table, again and again until nothing is open or missing or `wait` is over.
///
/// # Errors
/// When Postgres did not answer, or not to the last.
pub async fn check(
    accepted: &[Accepted],
    database: &Database,
    wait: Duration,
    console: Console,
) -> Result<Ledger, SystemError> {
    let deadline = Instant::now() + wait;
    let mut shown = String::new();
    loop {
        let result = look(accepted, database).await;
        let finished = matches!(&result, Ok(ledger) if ledger.is_finished());
        if finished || Instant::now() >= deadline {
            return result;
        }
        let progress = match &result {
            Ok(ledger) => ledger.progress(),
            Err(error) => error.to_string(),
        };
        if progress != shown {
            console.say(console.paint(Tone::Faint, format_args!("  waiting: {progress}")));
            shown = progress;
        }
        sleep(POLL).await;
    }
}

async fn look(accepted: &[Accepted], database: &Database) -> Result<Ledger, SystemError> {
    let mut rows = Vec::new();
    for portion in accepted.chunks(PORTION) {
        let ids: Vec<String> = portion.iter().map(|one| one.id.to_string()).collect();
        let found = database.query(&question(&ids)).await?;
        let read: Option<Vec<Row>> = found.iter().map(|fields| row(fields)).collect();
        rows.extend(read.ok_or_else(Database::none_of_ours)?);
    }
    Ok(Ledger::of(accepted, rows))
}

/// The text of an error on one line, so that a row is one.
fn question(ids: &[String]) -> String {
    format!(
        r"SELECT id, status, worker_response IS NOT NULL, regexp_replace(coalesce(error, ''), '\s+', ' ', 'g')
          FROM requests WHERE id = ANY ('{{{}}}'::uuid[]);",
        ids.join(",")
    )
}

fn row(fields: &[String]) -> Option<Row> {
    let [id, status, has_result, error] = fields else {
        return None;
    };
    Some(Row {
        id: Uuid::try_parse(id).ok()?,
        status: status.clone(),
        has_result: has_result == "t",
        error: error.clone(),
    })
}
