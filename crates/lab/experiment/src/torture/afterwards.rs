//! Questions asked when all is healed: of the tables, and of the APIs under keys that have been used.

use std::cmp::Reverse;
use std::time::Duration;

use holdfast_system::error::SystemError;
use serde_json::Value;
use tokio::time::Instant;

use super::evidence::{Again, Recorded, Tables};
use crate::accepted::Accepted;
use crate::database::Database;
use crate::durability;
use crate::load::{Client, Outcome, Plan, body};
use crate::output::Console;

/// Requests that are sent again: those with the most tries, and as many at random.
const SAMPLE: usize = 20;
const ROWS: &str = "SELECT id, coalesce(payload->>'key', ''), status, coalesce(error, ''),
    coalesce(worker_response::text, '') FROM requests WHERE origin = 'resilient';";
const KEYS: &str = "SELECT key, request_id FROM idempotency_keys;";

/// All there is in Postgres.
pub(super) async fn tables(
    accepted: &[Accepted],
    database: &Database,
    console: Console,
) -> Result<Tables, SystemError> {
    let recorded = |fields: &[String]| match fields {
        [id, key, status, error, result] => Some(Recorded {
            id: id.parse().ok()?,
            key: key.clone(),
            status: status.clone(),
            error: error.clone(),
            result: compact(result),
        }),
        _ => None,
    };
    let owner = |fields: &[String]| match fields {
        [key, id] => Some((key.clone(), id.parse().ok()?)),
        _ => None,
    };
    Ok(Tables {
        ledger: durability::check(accepted, database, Duration::ZERO, console).await?,
        rows: read(database, ROWS, recorded).await?,
        keys: read(database, KEYS, owner).await?,
    })
}

/// As a client's answer is held: how it was written is no matter.
fn compact(json: &str) -> Option<String> {
    let value: Value = serde_json::from_str(json).ok()?;
    (!value.is_null()).then(|| value.to_string())
}

async fn read<T>(
    database: &Database,
    sql: &str,
    read: impl Fn(&[String]) -> Option<T>,
) -> Result<Vec<T>, SystemError> {
    let rows = database.query(sql).await?;
    let read: Option<Vec<T>> = rows.iter().map(|row| read(row)).collect();
    read.ok_or_else(Database::none_of_ours)
}

/// Sends a sample again, each twice: with its body, and with another.
pub(super) async fn again(outcomes: &[Outcome], plan: &Plan) -> Vec<Again> {
    let client = Client::new(plan.clone(), Instant::now());
    let mut asked = Vec::new();
    for (index, outcome) in sample(outcomes, plan.load.seed).into_iter().enumerate() {
        let Some(accepted) = outcome.accepted() else {
            continue;
        };
        let (api, key) = (index % plan.urls.len().max(1), outcome.key.clone());
        let same = client.make(api, &key, &body(outcome.number, &key)).await;
        // No request has the number: its body is nobody's.
        let other = client.make(api, &key, &body(u64::MAX, &key)).await;
        asked.push(Again {
            key,
            id: accepted.id,
            same,
            other,
        });
    }
    asked
}

fn sample(outcomes: &[Outcome], seed: u64) -> Vec<&Outcome> {
    let mut accepted: Vec<&Outcome> = outcomes.iter().collect();
    accepted.retain(|outcome| outcome.accepted().is_some());
    fastrand::Rng::with_seed(seed).shuffle(&mut accepted);
    accepted.sort_by_key(|outcome| Reverse(outcome.tries.len()));
    let mut sample: Vec<&Outcome> = accepted.drain(..accepted.len().min(SAMPLE / 2)).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut accepted);
    sample.extend(accepted.into_iter().take(SAMPLE / 2));
    sample
}
