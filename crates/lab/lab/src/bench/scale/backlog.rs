//! How three replicas share what waits: who did how much, and how much of it met the worker at once.

use std::time::Duration;

use tokio::time::Instant;

use super::rows::leave_open;
use super::{Bench, DELAY_MS, replicas};
use crate::error::LabError;
use crate::stage::AdminClient;
use crate::system::Part;
use crate::wait::Patience;

const REPLICAS: u32 = 3;
const BACKLOG: u32 = 10_000;
/// Several times what it takes.
const DONE_WITHIN: Duration = Duration::from_secs(180);
const DONE_BY: Patience = Patience::new(DONE_WITHIN, Duration::from_millis(50));
const DONE: &str = "holdfast_recovery_total{what=\"done\"}";
const RETURNED: &str = "holdfast_recovery_total{what=\"returned\"}";

impl Bench<'_> {
    pub(super) async fn shares(&self) -> Result<(), LabError> {
        let system = self.start("shares", |spec| {
            spec.worker.delay = Duration::from_millis(DELAY_MS.into());
            spec.apis = replicas(REPLICAS);
        });
        let system = system.await?;
        let (apis, worker) = (system.apis(), system.client(Part::Worker)?);
        let started = Instant::now();
        leave_open(&system, BACKLOG).await?;
        let (mut peak, mut wait) = (0_u32, DONE_BY.begin());
        let done = loop {
            let now = worker.metric("holdfast_work_in_flight").await;
            peak = peak.max(now.unwrap_or(0));
            let done = count(&apis, DONE).await;
            if done.iter().sum::<u32>() >= BACKLOG {
                break done;
            }
            if wait.is_over().await {
                let problem =
                    format!("void: after {DONE_WITHIN:?} {done:?} of {BACKLOG} were done");
                return Err(LabError::Measurement(problem));
            }
        };
        let took = started.elapsed().as_secs_f64();
        let returned: u32 = count(&apis, RETURNED).await.iter().sum();
        let shares: Vec<_> = done
            .iter()
            .map(|done| format!("{:.3}", f64::from(*done) / f64::from(BACKLOG)))
            .collect();
        self.console.print(format_args!(
            "  {BACKLOG} open requests, {REPLICAS} replicas: done in {took:.1} s, shares {}; at once at the worker: {peak} at most, \
             {returned} given back",
            shares.join(" ")
        ));
        Ok(())
    }
}

/// Of each replica; one that gives no answer has none.
async fn count(apis: &[AdminClient], series: &str) -> Vec<u32> {
    let mut counts = Vec::new();
    for api in apis {
        counts.push(api.metric(series).await.unwrap_or(0));
    }
    counts
}
