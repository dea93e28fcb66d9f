//! The account of somebody else's API: what it promised, as far as it said under which id, against the table.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{POLL, Row, SETTLE, account, promise, query};
use crate::check::Database;
use crate::error::LabError;
use crate::experiment::trial::{Call, Ledger};

/// Longer than any pause a recovery of its own may make between two looks, so that one is not cut off.
const QUIET: Duration = Duration::from_secs(8);
/// A row that carries no key has its id for one, which is nobody's.
const ROWS: &str =
    "SELECT id, status, coalesce(payload->>'key', id::text) FROM requests ORDER BY id;";

/// The ids of all rows there are, such as those of the warm-up.
pub(in crate::experiment) async fn ids(database: &Database) -> Result<BTreeSet<String>, LabError> {
    Ok(ids_of(&query(ROWS, database).await?))
}

/// Waits until all that was promised is done, or nothing changes any more, and draws up the account of the rows that are not
/// among `before`; with it, whether rows carry the keys of their requests.
pub(in crate::experiment) async fn draw_up(
    calls: &[Call],
    before: &BTreeSet<String>,
    database: &Database,
) -> Result<(Ledger, bool), LabError> {
    let rows = at_rest(calls, before, database).await?;
    let keyed = rows.iter().any(|row| row.key != row.id);
    Ok((of(calls, &rows), keyed))
}

async fn at_rest(
    calls: &[Call],
    before: &BTreeSet<String>,
    database: &Database,
) -> Result<Vec<Row>, LabError> {
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

/// Promises that told no id are counted against the rows that no other promise claims.
fn of(calls: &[Call], rows: &[Row]) -> Ledger {
    let mut ledger = account(calls, rows);
    let named: BTreeSet<String> = calls.iter().filter_map(promise).collect();
    let nameless = ledger.promised - calls.iter().filter_map(promise).count() as u64;
    let done = rows.iter().filter(|row| row.status == "done");
    let unclaimed = done.filter(|row| !named.contains(&row.id)).count() as u64;
    ledger.lost += nameless.saturating_sub(unclaimed);
    ledger
}

fn ids_of(rows: &[Row]) -> BTreeSet<String> {
    rows.iter().map(|row| row.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{call, row};
    use super::*;
    use crate::experiment::trial::End;

    fn nameless(status: u16) -> Call {
        let mut call = call(0, status);
        if let End::Answered { request_id, .. } = &mut call.end {
            *request_id = None;
        }
        call
    }

    #[test]
    fn promises_without_an_id_are_covered_by_rows_that_are_done_and_claimed_by_no_other() {
        let rows = [row(1, "done", "a"), row(2, "done", "b")];
        let lost = |calls: &[Call]| of(calls, &rows).lost;
        assert_eq!(lost(&[call(1, 200), nameless(200)]), 0);
        assert_eq!(lost(&[call(1, 200), nameless(200), nameless(202)]), 1);
        assert_eq!(lost(&[nameless(200), nameless(500)]), 0);
    }

    #[test]
    fn a_promise_under_an_id_is_lost_without_its_own_row_however_many_others_there_are() {
        let rows = [row(1, "done", "a"), row(2, "done", "b")];
        assert_eq!(of(&[call(3, 202)], &rows).lost, 1);
    }

    #[test]
    fn a_row_that_is_not_done_is_lost_also_where_nothing_was_promised() {
        assert_eq!(of(&[nameless(500)], &[row(1, "received", "a")]).lost, 1);
    }
}
