//! The quiescent phase after it all: while nothing is broken, each request makes one call of the worker.
//!
//! Work that is done twice at once, because a lease does not hold, say, shows here and nowhere else: the record is single
//! all the same.

use std::future::pending;
use std::time::Duration;

use tokio::time::Instant;

use super::{BEYOND, BOUND};
use crate::error::ExperimentError;
use crate::load::{self, Arrivals, Arriving, Client, body};
use crate::play::until_whole;
use crate::watch::Watcher;

const LASTS: Duration = Duration::from_secs(4);
const RATE: f64 = 20.0;
/// Whole answers in a row by which an API is known to be well again: its breakers have closed and their ramps are over.
const WHOLE: u32 = 5;
const WELL_WITHIN: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_millis(200);

/// What was sent while nothing was broken, and what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuiescentPhase {
    pub(super) sent: u64,
    /// Answers 200 for which nothing was missing.
    pub(super) whole: u64,
    /// Calls of the worker; none: they could not be counted.
    pub(super) calls: Option<u64>,
}

/// Waits until every API answers whole, then sends requests for a while.
pub(super) async fn measure(
    urls: Vec<String>,
    watcher: &mut Watcher,
    seed: u64,
) -> Result<QuiescentPhase, ExperimentError> {
    let arriving = Arriving {
        rate: RATE,
        lasts: LASTS,
        arrivals: Arrivals::Constant,
        seed,
    };
    let plan = load::Plan::balanced(urls, arriving, BOUND + BEYOND);
    for api in 0..plan.urls.len() {
        become_well(&plan, api).await;
    }
    let before = watcher.arrivals().await;
    let sent = load::run(&plan, Instant::now(), pending(), |_| Ok(())).await?;
    let after = watcher.arrivals().await;
    let answers = sent.histories.iter().filter_map(|it| it.answer());
    Ok(QuiescentPhase {
        sent: sent.histories.len() as u64,
        whole: answers.filter(|answer| answer.is_whole()).count() as u64,
        calls: after.zip(before).map(|(after, before)| after - before),
    })
}

/// Calls until it is, or time is up: then the measurement will say so.
async fn become_well(plan: &load::Plan, api: usize) {
    let epoch = Instant::now();
    let client = Client::new(plan.clone(), epoch);
    let ask = async |number| {
        let key = format!("quiescent-{api}-{number}");
        let made = client.make(api, &key, &body(number, &key)).await;
        Some(made.end)
    };
    let _ = until_whole(WHOLE, PAUSE, epoch + WELL_WITHIN, ask).await;
}
