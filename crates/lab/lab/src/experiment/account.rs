//! What Postgres says when all is over: every promise against its row.

pub(super) mod contender;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::plan::Side;
use super::trial::{Call, End, Ledger};
use crate::check::Database;
use crate::error::LabError;
use crate::output::Console;
use crate::settle::settle;
use crate::stage::Probe;

/// Leases run out, the journal is replayed, and what is open is worked off.
const SETTLE: Duration = Duration::from_secs(45);
/// A naive call that nobody waits for any more may still come to its end.
const NAIVE_SETTLE: Duration = Duration::from_secs(2);
const POLL: Duration = Duration::from_millis(200);

/// The side's rows: id, status, and the key that its client's request carried.
const ROWS: &str =
    "SELECT id, status, coalesce(payload->>'key', id::text) FROM requests WHERE origin = ";

#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    id: String,
    status: String,
    key: String,
}

/// Waits until the side has nothing more to do, or will not do it, and draws up the account.
///
/// # Errors
/// When Postgres does not answer.
pub(super) async fn draw_up(
    side: Side,
    calls: &[Call],
    api: Probe,
    database: &Database,
    console: Console,
) -> Result<Ledger, LabError> {
    match side {
        Side::Naive => at_rest(database).await?,
        Side::Resilient | Side::Contender => {
            // What is left shows in the account.
            settle(&[api], SETTLE, console.quietly()).await;
        }
    }
    let rows = rows(side, database).await?;
    Ok(account(calls, &rows))
}

/// Until nothing changes any more.
async fn at_rest(database: &Database) -> Result<(), LabError> {
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

async fn rows(side: Side, database: &Database) -> Result<Vec<Row>, LabError> {
    query(&format!("{ROWS}'{side}' ORDER BY id;"), database).await
}

async fn query(sql: &str, database: &Database) -> Result<Vec<Row>, LabError> {
    let found = database.query(sql).await?;
    let row = |fields: Vec<String>| {
        let [id, status, key] = <[String; 3]>::try_from(fields).ok()?;
        Some(Row { id, status, key })
    };
    let rows: Option<Vec<Row>> = found.into_iter().map(row).collect();
    rows.ok_or_else(|| LabError::Database("it answered with rows that are none of ours".to_owned()))
}

/// What was promised or stored and is not done is lost, whatever its row says in place of that.
fn account(calls: &[Call], rows: &[Row]) -> Ledger {
    let with = |status: &str| rows.iter().filter(|row| row.status == status).count() as u64;
    let keys: BTreeSet<&str> = rows.iter().map(|row| row.key.as_str()).collect();
    let mut owed: BTreeSet<String> = calls.iter().filter_map(promise).collect();
    owed.extend(rows.iter().map(|row| row.id.clone()));
    for row in rows.iter().filter(|row| row.status == "done") {
        owed.remove(&row.id);
    }
    Ledger {
        promised: calls.iter().filter(|call| call.is_promised()).count() as u64,
        lost: owed.len() as u64,
        duplicates: (rows.len() - keys.len()) as u64,
        failed: with("failed"),
        done: with("done"),
    }
}

/// The id under which a client was promised something.
fn promise(call: &Call) -> Option<String> {
    match &call.end {
        End::Answered {
            request_id: Some(id),
            ..
        } if call.is_promised() => Some(id.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    pub(super) fn call(id: u128, status: u16) -> Call {
        Call {
            number: 0,
            intended: Duration::ZERO,
            sent: Duration::ZERO,
            ended: Duration::ZERO,
            surge: false,
            end: End::Answered {
                status,
                request_id: Some(Uuid::from_u128(id)),
                has_result: status == 200,
                degraded: Vec::new(),
                recorded_in: None,
            },
        }
    }

    pub(super) fn row(id: u128, status: &str, key: &str) -> Row {
        Row {
            id: Uuid::from_u128(id).to_string(),
            status: status.to_owned(),
            key: key.to_owned(),
        }
    }

    #[test]
    fn a_promise_without_a_row_that_is_done_is_lost_and_a_refusal_is_no_promise() {
        let calls = [call(1, 200), call(2, 202), call(3, 202), call(4, 503)];
        let rows = [row(1, "done", "a"), row(2, "received", "b")];
        let ledger = account(&calls, &rows);
        assert_eq!((ledger.promised, ledger.lost, ledger.done), (3, 2, 1));
    }

    #[test]
    fn a_row_that_is_not_done_is_lost_whatever_its_client_was_told() {
        let rows = [row(1, "done", "a"), row(2, "received", "b")];
        assert_eq!(account(&[], &rows).lost, 1);
        let failed = account(&[call(1, 202)], &[row(1, "failed", "a")]);
        assert_eq!((failed.lost, failed.failed), (1, 1));
    }

    #[test]
    fn a_second_row_for_the_same_key_is_a_duplicate() {
        let rows = [
            row(1, "done", "a"),
            row(2, "done", "a"),
            row(3, "done", "b"),
        ];
        assert_eq!(account(&[], &rows).duplicates, 1);
    }
}
