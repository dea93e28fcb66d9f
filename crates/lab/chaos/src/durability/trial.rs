//! What Postgres says when a trial is over: every promise against its row.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_checker::durability::{of_calls, of_stranger};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{Row, rows};
use crate::database::Database;
use crate::error::SystemError;
use crate::output::Console;
use crate::plan::Side;
use crate::settle::settle;
use crate::system::System;
use crate::trial::{Call, Durability};

/// Leases run out, the journal is replayed, and what is open is worked off.
const SETTLE: Duration = Duration::from_secs(45);
/// A naive call that nobody waits for any more may still come to its end.
const NAIVE_SETTLE: Duration = Duration::from_secs(2);
/// Longer than any pause a recovery of somebody else's API may make between two looks, so that one is not cut off.
const QUIET: Duration = Duration::from_secs(8);
const POLL: Duration = Duration::from_millis(200);

/// Waits until the side has nothing more to do, or will not do it, and counts what became of its promises.
pub async fn of_side(
    side: Side,
    calls: &[Call],
    system: &System,
    console: Console,
) -> Result<Durability, SystemError> {
    let database = system.database()?;
    let own = format!("WHERE origin = '{side}' ORDER BY id");
    let found = match side {
        Side::Naive => {
            let look = || rows(&own, &database);
            at_rest(look, NAIVE_SETTLE, Duration::ZERO, |_| false).await?
        }
        Side::Resilient | Side::Contender => {
            // What is left shows in the counts.
            settle(&system.apis(), SETTLE, console.quietly()).await;
            rows(&own, &database).await?
        }
    };
    Ok(of_calls(calls, found))
}

/// The ids of all rows there are, such as those of the warm-up.
pub async fn ids(database: &Database) -> Result<BTreeSet<Uuid>, SystemError> {
    let all = rows("ORDER BY id", database).await?;
    Ok(all.iter().map(|row| row.id).collect())
}

/// Of somebody else's API, as far as it said under which id it promised something: waits until all that was promised is done, or
/// nothing changes any more, and counts what became of the rows that are not among `before`; with it, whether rows carry the
/// keys of their requests.
pub async fn of_contender(
    calls: &[Call],
    before: &BTreeSet<Uuid>,
    database: &Database,
) -> Result<(Durability, bool), SystemError> {
    let promised = calls.iter().filter(|call| call.is_promised()).count();
    let look = || async {
        let mut found = rows("ORDER BY id", database).await?;
        found.retain(|row| !before.contains(&row.id));
        Ok(found)
    };
    let all_done =
        |rows: &[Row]| rows.len() >= promised && rows.iter().all(|row| row.status == "done");
    let found = at_rest(look, SETTLE, QUIET, all_done).await?;
    let keyed = found.iter().any(|row| row.key != row.id.to_string());
    Ok((of_stranger(calls, found), keyed))
}

/// The rows when they are as they should be, or have not changed for longer than `quiet`, or `within` is over.
async fn at_rest<F>(
    look: impl Fn() -> F,
    within: Duration,
    quiet: Duration,
    well: impl Fn(&[Row]) -> bool,
) -> Result<Vec<Row>, SystemError>
where
    F: Future<Output = Result<Vec<Row>, SystemError>>,
{
    let (start, mut changed) = (Instant::now(), Instant::now());
    let mut seen = look().await?;
    while !well(&seen) && start.elapsed() < within {
        sleep(POLL).await;
        let now = look().await?;
        if now != seen {
            changed = Instant::now();
        } else if changed.elapsed() > quiet {
            break;
        }
        seen = now;
    }
    Ok(seen)
}
