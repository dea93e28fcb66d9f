//! The calm after it all: while nothing is hurt, each request makes one call of the worker.
//!
//! Work that is done twice at once, because a lease does not hold, say, shows here and nowhere else: the record is single
//! all the same.

use std::future::pending;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::deployment::Deployment;
use crate::error::LabError;
use crate::load::{self, Arrivals, Caller, Outcome, body};

const LASTS: Duration = Duration::from_secs(4);
const RATE: f64 = 20.0;
/// Whole answers in a row by which an API is known to be well again: its breakers have closed and their ramps are over.
const WHOLE: u32 = 5;
const WELL_WITHIN: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// What was sent while nothing was hurt, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Calm {
    /// Requests.
    pub(super) sent: u64,
    /// Answers 200 for which nothing was missing.
    pub(super) whole: u64,
    /// Calls of the worker; none: they could not be counted.
    pub(super) calls: Option<u64>,
}

/// Waits until every API answers whole, then sends requests for a while.
///
/// # Errors
/// None but those of the load.
pub(super) async fn measure(
    deployment: &Deployment,
    try_for: Duration,
    seed: u64,
) -> Result<Calm, LabError> {
    let apis = deployment.apis.iter();
    let urls: Vec<String> = apis.map(|api| api.base().to_owned()).collect();
    for api in 0..urls.len() {
        become_well(&urls, api, try_for).await;
    }
    let plan = load::Plan {
        urls,
        rate: RATE,
        duration: LASTS,
        arrivals: Arrivals::Constant,
        seed,
        try_for,
    };
    let before = deployment.worker_calls().await;
    let outcomes = load::run(&plan, Instant::now(), pending(), |_| Ok(())).await?;
    let after = deployment.worker_calls().await;
    let whole = outcomes.iter().filter(|it| is_whole(it)).count();
    Ok(Calm {
        sent: outcomes.len() as u64,
        whole: whole as u64,
        calls: after.zip(before).map(|(after, before)| after - before),
    })
}

/// Calls until it is, or time is up: then the measurement will say so.
async fn become_well(urls: &[String], api: usize, try_for: Duration) {
    let epoch = Instant::now();
    let caller = Caller::new(urls.to_vec(), try_for, epoch);
    let (mut in_a_row, mut number) = (0, 0);
    while in_a_row < WHOLE && epoch.elapsed() < WELL_WITHIN {
        let key = format!("calm-{api}-{number}");
        let outcome = Outcome {
            number,
            tries: vec![caller.make(api, &key, &body(number, &key)).await],
            key,
            intended: Duration::ZERO,
        };
        in_a_row = if is_whole(&outcome) { in_a_row + 1 } else { 0 };
        number += 1;
        sleep(PAUSE).await;
    }
}

fn is_whole(outcome: &Outcome) -> bool {
    outcome
        .answer()
        .is_some_and(|answer| answer.status == 200 && answer.degraded.is_empty())
}
