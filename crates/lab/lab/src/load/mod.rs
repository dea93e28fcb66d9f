//! Load as clients make it: requests that arrive when they arrive, whatever became of those before (open loop), each with
//! a body and an `Idempotency-Key` of its own, tried again until it is answered.
//!
//! Latency counts from the moment the request was meant to be sent: a system that stops answering cannot hide it by
//! keeping its callers busy.

mod call;
mod counts;
mod files;
mod outcome;
mod post;

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout_at};
use uuid::Uuid;

pub use call::{Caller, body};
pub use counts::Counts;
pub(crate) use files::raise_limit;
pub use holdfast_checker::arrivals::Arrivals;
pub use outcome::{Answer, Broken, Outcome, Reply, Try};
pub(crate) use post::Poster;

use crate::error::LabError;

/// How long after a stop answers are still taken in: those that were on their way.
const IN_FLIGHT: Duration = Duration::from_millis(100);

/// What is to be sent.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The APIs, taken in turn.
    pub urls: Vec<String>,
    /// Requests per second, on average.
    pub rate: f64,
    /// For how long requests arrive.
    pub duration: Duration,
    /// How they arrive.
    pub arrivals: Arrivals,
    /// Of the arrivals.
    pub seed: u64,
    /// How long one try waits for an answer: longer than the API's bound.
    pub try_for: Duration,
}

/// Sends what the plan says and hands each outcome over as it comes, then all of them. `stop` cuts it short: what is
/// under way then is given up, and has no tries to show. Times count from `epoch`.
///
/// # Errors
/// The first error of `heard`.
pub async fn run(
    plan: &Plan,
    epoch: Instant,
    stop: impl Future<Output = ()>,
    mut heard: impl FnMut(&Outcome) -> Result<(), LabError>,
) -> Result<Vec<Outcome>, LabError> {
    let caller = Arc::new(Caller::new(plan.urls.clone(), plan.try_for, epoch));
    // Another run with the same seed must not meet its keys again.
    let run = Uuid::now_v7().simple();
    let mut arrivals = plan.arrivals.times(plan.rate, plan.duration, plan.seed);
    let start = Instant::now();
    let mut next = arrivals.next();
    let mut number = 0;
    let mut calls = JoinSet::new();
    let mut under_way = BTreeMap::new();
    let mut outcomes = Vec::new();
    tokio::pin!(stop);
    while next.is_some() || !calls.is_empty() {
        let at = start + next.unwrap_or_default();
        tokio::select! {
            () = sleep_until(at), if next.is_some() => {
                let key = format!("{run}-{number}");
                under_way.insert(number, cut_off(number, key.clone(), at.saturating_duration_since(epoch)));
                let caller = Arc::clone(&caller);
                calls.spawn(async move { caller.call(number, key, at).await });
                number += 1;
                next = arrivals.next();
            }
            Some(Ok(outcome)) = calls.join_next() => {
                heard(&outcome)?;
                under_way.remove(&outcome.number);
                outcomes.push(outcome);
            }
            () = &mut stop => break,
        }
    }
    let end = Instant::now() + IN_FLIGHT;
    while let Ok(Some(Ok(outcome))) = timeout_at(end, calls.join_next()).await {
        heard(&outcome)?;
        under_way.remove(&outcome.number);
        outcomes.push(outcome);
    }
    outcomes.extend(under_way.into_values());
    Ok(outcomes)
}

/// A request that nobody waits for any more.
fn cut_off(number: u64, key: String, intended: Duration) -> Outcome {
    Outcome {
        number,
        key,
        intended,
        tries: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_call_that_is_cut_off_is_counted_as_sent_and_unanswered() {
        // Accepts and never answers.
        let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let plan = Plan {
            urls: vec![format!("http://{}", silent.local_addr().unwrap())],
            rate: 100.0,
            duration: Duration::from_millis(25),
            arrivals: Arrivals::Constant,
            seed: 1,
            try_for: Duration::from_secs(5),
        };
        let stop = tokio::time::sleep(Duration::from_millis(200));
        let outcomes = run(&plan, Instant::now(), stop, |_| Ok(())).await.unwrap();
        let counts = Counts::of(&outcomes);
        assert_eq!((counts.sent, counts.unanswered), (3, 3));
        let none = run(&plan, Instant::now(), ready(()), |_| Ok(())).await;
        assert!(none.unwrap().len() <= 1);
    }
}
