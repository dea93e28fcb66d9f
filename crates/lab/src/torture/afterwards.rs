//! Questions asked when all is healed: of the tables, and of the APIs under keys that have been used.

use std::cmp::Reverse;

use tokio::time::Instant;
use uuid::Uuid;

use super::deployment::Deployment;
use super::evidence::Again;
use crate::check::Database;
use crate::error::LabError;
use crate::load::{Caller, Outcome, body};

/// Requests that are sent again: those with the most tries, and as many at random.
const SAMPLE: usize = 20;
const ROWS: &str = "SELECT id, payload->>'key' FROM requests
    WHERE origin = 'resilient' AND payload->>'key' IS NOT NULL;";
const KEYS: &str = "SELECT key, request_id FROM idempotency_keys;";

/// Each row's id with the key that its body carries.
pub(super) async fn rows(database: &Database) -> Result<Vec<(Uuid, String)>, LabError> {
    pairs(database, ROWS, |id, key| {
        Some((id.parse().ok()?, key.to_owned()))
    })
    .await
}

/// Each key with the request it stands for.
pub(super) async fn keys(database: &Database) -> Result<Vec<(String, Uuid)>, LabError> {
    pairs(database, KEYS, |key, id| {
        Some((key.to_owned(), id.parse().ok()?))
    })
    .await
}

async fn pairs<T>(
    database: &Database,
    sql: &str,
    read: impl Fn(&str, &str) -> Option<T>,
) -> Result<Vec<T>, LabError> {
    let rows = database.query(sql).await?;
    let read = |row: &Vec<String>| match row.as_slice() {
        [one, other] => read(one, other),
        _ => None,
    };
    let read: Option<Vec<T>> = rows.iter().map(read).collect();
    read.ok_or_else(|| LabError::Database("it answered with rows that are none of ours".to_owned()))
}

/// Sends a sample again, each twice: with its body, and with another.
pub(super) async fn again(
    outcomes: &[Outcome],
    deployment: &Deployment,
    try_for: std::time::Duration,
    seed: u64,
) -> Vec<Again> {
    let urls: Vec<String> = deployment
        .apis
        .iter()
        .map(|api| api.base().to_owned())
        .collect();
    let replicas = urls.len();
    let caller = Caller::new(urls, try_for, Instant::now());
    let mut asked = Vec::new();
    for (index, outcome) in sample(outcomes, seed).into_iter().enumerate() {
        let Some(accepted) = outcome.accepted() else {
            continue;
        };
        let (api, key) = (index % replicas.max(1), outcome.key.clone());
        let same = caller.make(api, &key, &body(outcome.number, &key)).await;
        // No request has the number: its body is nobody's.
        let other = caller.make(api, &key, &body(u64::MAX, &key)).await;
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
