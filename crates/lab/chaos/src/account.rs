//! What Postgres says when all is over: every promise against its row.

pub mod contender;

use std::time::Duration;

use holdfast_checker::account::{self, Row};
use holdfast_system::error::SystemError;
use tokio::time::{Instant, sleep};

use crate::database::Database;
use crate::output::Console;
use crate::plan::Side;
use crate::settle::settle;
use crate::system::System;
use crate::trial::{Call, Ledger};

/// Leases run out, the journal is replayed, and what is open is worked off.
const SETTLE: Duration = Duration::from_secs(45);
/// A naive call that nobody waits for any more may still come to its end.
const NAIVE_SETTLE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(200);

/// The side's rows: id, status, and the key that its client's request carried.
const ROWS: &str =
    "SELECT id, status, coalesce(payload->>'key', id::text) FROM requests WHERE origin = ";

/// Waits until the side has nothing more to do, or will not do it, and draws up the account.
///
/// # Errors
/// When Postgres does not answer.
pub async fn draw_up(
    side: Side,
    calls: &[Call],
    system: &System,
    database: &Database,
    console: Console,
) -> Result<Ledger, SystemError> {
    match side {
        Side::Naive => at_rest(database).await?,
        Side::Resilient | Side::Contender => {
            // What is left shows in the account.
            settle(&system.apis(), SETTLE, console.quietly()).await;
        }
    }
    let rows = rows(side, database).await?;
    Ok(account::of(calls, &rows))
}

/// Until nothing changes any more.
async fn at_rest(database: &Database) -> Result<(), SystemError> {
    let deadline = Instant::now() + NAIVE_SETTLE;
    let mut before = rows(Side::Naive, database).await?;
    while Instant::now() < deadline {
        sleep(POLL).await;
        let now = rows(Side::Naive, database).await?;
        if now == before {
            return Ok(());
        }
        before = now;
    }
    Ok(())
}

async fn rows(side: Side, database: &Database) -> Result<Vec<Row>, SystemError> {
    query(&format!("{ROWS}'{side}' ORDER BY id;"), database).await
}

async fn query(sql: &str, database: &Database) -> Result<Vec<Row>, SystemError> {
    let found = database.query(sql).await?;
    let row = |fields: Vec<String>| {
        let [id, status, key] = <[String; 3]>::try_from(fields).ok()?;
        Some(Row { id, status, key })
    };
    let rows: Option<Vec<Row>> = found.into_iter().map(row).collect();
    rows.ok_or_else(Database::none_of_ours)
}
