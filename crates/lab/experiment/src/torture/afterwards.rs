//! Questions asked when all is healed: of the tables, and of the APIs under keys that have been used.

use std::cmp::Reverse;

use holdfast_system::error::SystemError;
use tokio::time::Instant;

use super::evidence::{Again, Tables};
use crate::accepted::Accepted;
use crate::database::Database;
use crate::durability::{self, DurabilityReport};
use crate::load::{CallHistory, Client, Plan, body};

/// Requests that are sent again: those with the most attempts, and as many at random.
const SAMPLE: usize = 20;
const KEYS: &str = "SELECT key, request_id FROM idempotency_keys;";

pub(super) async fn tables(
    histories: &[CallHistory],
    database: &Database,
) -> Result<Tables, SystemError> {
    let rows = durability::rows("WHERE origin = 'resilient'", database).await?;
    let owner = |fields: &Vec<String>| match fields.as_slice() {
        [key, id] => Some((key.clone(), id.parse().ok()?)),
        _ => None,
    };
    let keys: Option<Vec<_>> = database.query(KEYS).await?.iter().map(owner).collect();
    let accepted = histories.iter().filter_map(CallHistory::accepted);
    let accepted: Vec<Accepted> = accepted.collect();
    Ok(Tables {
        report: DurabilityReport::of(&accepted, rows.clone()),
        rows,
        keys: keys.ok_or_else(Database::none_of_ours)?,
    })
}

/// Sends a sample again, each twice: with its body, and with another.
pub(super) async fn again(histories: &[CallHistory], plan: &Plan) -> Vec<Again> {
    let client = Client::new(plan.clone(), Instant::now());
    let mut asked = Vec::new();
    for (index, history) in sample(histories, plan.load.seed).into_iter().enumerate() {
        let Some(accepted) = history.accepted() else {
            continue;
        };
        let (api, key) = (index % plan.urls.len().max(1), history.key.clone());
        let same = client.make(api, &key, &body(history.number, &key)).await;
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

fn sample(histories: &[CallHistory], seed: u64) -> Vec<&CallHistory> {
    let mut accepted: Vec<&CallHistory> = histories.iter().collect();
    accepted.retain(|history| history.accepted().is_some());
    fastrand::Rng::with_seed(seed).shuffle(&mut accepted);
    accepted.sort_by_key(|history| Reverse(history.attempts.len()));
    let mut sample: Vec<&CallHistory> = accepted.drain(..accepted.len().min(SAMPLE / 2)).collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut accepted);
    sample.extend(accepted.into_iter().take(SAMPLE / 2));
    sample
}
