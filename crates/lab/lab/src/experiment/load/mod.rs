//! The load of an experiment: requests that arrive when they arrive (open loop), each over a connection of its
//! own, with a body (unless the API takes none) and an `Idempotency-Key` of its own; tried once, unless its client asks again. `X-Client` names its
//! client: the usual load's are four, a surge is one more.
//!
//! What arrives when, and whose client leaves, is decided by the seed alone: both sides get the same. Times count from
//! the epoch, latency from the intended start. The generator has a thread to itself, so that whatever else
//! this process does, carrying the bytes of a wire for instance, neither delays a request nor is counted as its cost.

mod generator;
mod leaver;
mod schedule;
mod single;
mod tally;

use std::future::Future;

use tokio::time::Instant;
use uuid::Uuid;

pub use tally::Tally;

use generator::Running;
use single::Client;

use super::plan::{Fault, Load, Side};
use super::trial::{Call, Generator};
use crate::error::LabError;

/// What is to be sent to one side.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    /// The API, such as `http://127.0.0.1:8080`.
    pub url: String,
    /// Which of its endpoints.
    pub side: Side,
    /// Whether it takes no bodies: then it is sent `GET`, in place of `POST`.
    pub bodiless: bool,
    /// What arrives.
    pub load: Load,
    /// Of these, surges arrive too.
    pub faults: Vec<Fault>,
    /// What all keys of this run begin with; no other run's do.
    pub run: String,
}

impl LoadPlan {
    /// A run that no other shares its keys with: the same seed again must not meet its requests again.
    #[must_use]
    pub fn new(url: impl Into<String>, side: Side, load: Load) -> Self {
        Self {
            url: url.into(),
            side,
            bodiless: false,
            load,
            faults: Vec::new(),
            run: Uuid::now_v7().simple().to_string(),
        }
    }

    /// The `Idempotency-Key` of request `number`, `RUN-NUMBER`. The body carries both: `{"number": 7, "key": "RUN-7"}`.
    #[must_use]
    pub fn key(&self, number: u64) -> String {
        format!("{}-{number}", self.run)
    }
}

/// Sends what the plan says, the first request at `epoch`, and hands each call over as it ends, with the figures of all
/// so far; then all calls in the order of their intended starts, and what sending them cost. After `stop` nothing more is
/// sent; what is under way is waited for, which ends with the clients' patience. Dropped, it drops all calls.
///
/// # Errors
/// When the generator has no thread to run on.
pub async fn play(
    plan: &LoadPlan,
    epoch: Instant,
    stop: impl Future<Output = ()>,
    heard: impl FnMut(&Call, &Tally),
) -> Result<(Vec<Call>, Generator), LabError> {
    let client = Client::new(plan.clone(), epoch);
    let running = Running::start(
        schedule::with_surges(&plan.load, &plan.faults),
        client,
        epoch,
    )?;
    follow(running, stop, heard).await
}

async fn follow(
    mut running: Running,
    stop: impl Future<Output = ()>,
    mut heard: impl FnMut(&Call, &Tally),
) -> Result<(Vec<Call>, Generator), LabError> {
    let mut tally = Tally::new()?;
    let mut calls = Vec::new();
    tokio::pin!(stop);
    let mut stopped = false;
    loop {
        tokio::select! {
            call = running.next() => {
                let Some(call) = call else { break };
                tally.add(&call);
                heard(&call, &tally);
                calls.push(call);
            }
            () = &mut stop, if !stopped => {
                running.stop();
                stopped = true;
            }
        }
    }
    let cost = running.cost().await?;
    calls.sort_by_key(|call| call.number);
    let generator = tally.generator(cost);
    Ok((calls, generator))
}

#[cfg(test)]
mod tests;
