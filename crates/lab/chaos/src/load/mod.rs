//! Load as clients make it: requests that arrive when they arrive, whatever became of those before (open loop), each over a
//! connection of its own, with a body (unless the API takes none) and an `Idempotency-Key` of its own. `X-Client`
//! names its client: the usual load's are four, a surge is one more.
//!
//! What arrives when, and whose client leaves, is decided by the seed alone. Times count from the epoch, latency from the
//! moment the request was meant to be sent: a system that stops answering cannot hide it by keeping its callers busy. The
//! generator has a thread to itself, so that whatever else this process does, carrying the bytes of a link for instance,
//! neither delays a request nor is counted as its cost.

mod client;
mod generator;
mod leaver;
mod plan;
mod post;
mod summary;

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

pub use client::{Client, body};
pub use holdfast_checker::arrivals::Arrivals;
pub use holdfast_checker::history::{Attempt, CallHistory};
use holdfast_checker::trial::Generator;
pub use holdfast_checker::trial::{Answer, Completion};
pub use plan::{Arriving, Plan};
pub use post::{Poster, read};
pub use summary::Summary;

use crate::error::SystemError;
use crate::figures::percentile;
use generator::{Cost, Running};

/// How long after a stop answers are still taken in: those that were on their way.
const IN_FLIGHT: Duration = Duration::from_millis(100);

/// What became of all requests, in the order of their intended starts, and what sending them cost.
#[derive(Debug)]
pub struct Sent {
    pub histories: Vec<CallHistory>,
    pub generator: Generator,
}

/// Sends what the plan says, the first request at `epoch`, and hands each history over as it comes. `stop` cuts it short:
/// what is under way then is given up, and has no attempts to show. Dropped, it drops all calls.
pub async fn run(
    plan: &Plan,
    epoch: Instant,
    stop: impl Future<Output = ()>,
    heard: impl FnMut(&CallHistory) -> Result<(), SystemError>,
) -> Result<Sent, SystemError> {
    let client = Client::new(plan.clone(), epoch);
    let running = Running::start(plan.arrivals(), client, epoch)?;
    follow(plan, running, stop, heard).await
}

async fn follow(
    plan: &Plan,
    mut running: Running,
    stop: impl Future<Output = ()>,
    mut heard: impl FnMut(&CallHistory) -> Result<(), SystemError>,
) -> Result<Sent, SystemError> {
    let mut histories = Vec::new();
    tokio::pin!(stop);
    loop {
        tokio::select! {
            history = running.next() => {
                let Some(history) = history else { break };
                heard(&history)?;
                histories.push(history);
            }
            () = &mut stop => {
                running.stop();
                let end = Instant::now() + IN_FLIGHT;
                while let Ok(Some(history)) = timeout_at(end, running.next()).await {
                    heard(&history)?;
                    histories.push(history);
                }
                break;
            }
        }
    }
    let cost = running.cost().await?;
    let generator = figures(&histories, &cost);
    let heard: BTreeSet<u64> = histories.iter().map(|one| one.number).collect();
    let begun = plan.arrivals().take(cost.sent);
    let cut_off = begun.filter(|one| !heard.contains(&one.number));
    histories.extend(cut_off.map(|one| plan.yet_to_be_tried(one)));
    histories.sort_by_key(|one| one.number);
    Ok(Sent {
        histories,
        generator,
    })
}

/// What sending these cost, and how punctual it was.
#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn figures(histories: &[CallHistory], cost: &Cost) -> Generator {
    let late = |one: &CallHistory| {
        let sent = one.attempts.first().map_or(one.intended, |made| made.from);
        sent.saturating_sub(one.intended).as_secs_f64() * 1_000.0
    };
    let mut late: Vec<f64> = histories.iter().map(late).collect();
    late.sort_by(f64::total_cmp);
    // As many digits as are meant, and as any reader of numbers keeps.
    let rounded = |value: f64, digits: f64| (value * digits).round() / digits;
    let at = |share| match late.is_empty() {
        true => 0.0,
        false => rounded(percentile(&late, share), 1_000.0),
    };
    let per_request = cost.processor.as_secs_f64() * 1e6 / histories.len().max(1) as f64;
    Generator {
        cpu_us_per_request: rounded(per_request, 10.0),
        late_p99_ms: at(0.99),
        late_max_ms: at(1.0),
        most_under_way: cost.most_under_way as u64,
    }
}

#[cfg(test)]
mod tests;
