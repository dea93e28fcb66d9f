//! The account of somebody else's API: what it promised, as far as it said under which id, against the table.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_checker::account::{self, Row};
use holdfast_system::error::SystemError;
use tokio::time::{Instant, sleep};

use super::{POLL, SETTLE, query};
use crate::database::Database;
use crate::trial::{Call, Ledger};

/// Longer than any pause a recovery of its own may make between two looks, so that one is not cut off.
const QUIET: Duration = Duration::from_secs(8);
/// A row that carries no key has its id for one, which is nobody's.
const ROWS: &str =
    "SELECT id, status, coalesce(payload->>'key', id::text) FROM requests ORDER BY id;";

/// The ids of all rows there are, such as those of the warm-up.
pub async fn ids(database: &Database) -> Result<BTreeSet<String>, SystemError> {
    Ok(ids_of(&query(ROWS, database).await?))
}

/// Waits until all that was promised is done, or nothing changes any more, and draws up the account of the rows that are not
/// among `before`; with it, whether rows carry the keys of their requests.
pub async fn draw_up(
    calls: &[Call],
    before: &BTreeSet<String>,
    database: &Database,
) -> Result<(Ledger, bool), SystemError> {
    let rows = at_rest(calls, before, database).await?;
    let keyed = rows.iter().any(|row| row.key != row.id);
    Ok((account::of_stranger(calls, &rows), keyed))
}

async fn at_rest(
    calls: &[Call],
    before: &BTreeSet<String>,
    database: &Database,
) -> Result<Vec<Row>, SystemError> {
    let promised = calls.iter().filter(|call| call.is_promised()).count();
    let (start, mut changed) = (Instant::now(), Instant::now());
    let mut seen = Vec::new();
    loop {
        let mut now = query(ROWS, database).await?;
        now.retain(|row| !before.contains(&row.id));
        let all_done = now.len() >= promised && now.iter().all(|row| row.status == "done");
        if now != seen {
            changed = Instant::now();
        }
        if all_done || changed.elapsed() > QUIET || start.elapsed() > SETTLE {
            return Ok(now);
        }
        seen = now;
        sleep(POLL).await;
    }
}

fn ids_of(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().map(|row| row.id.clone()).collect()
}
