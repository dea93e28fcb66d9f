//! Looking at the system from outside, several times a second, while it is under load.

use std::convert::Infallible;
use std::time::Duration;

use holdfast_wire::Status;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use super::plan::Side;
use super::system::{Arrivals, Part, System};
use super::trial::Sample;
use crate::stage::AdminClient;

const EVERY: Duration = Duration::from_millis(200);
/// Less than the distance of two looks: one who does not answer shall not spoil the next.
const PATIENCE: Duration = Duration::from_millis(150);

#[derive(Debug)]
pub(super) struct Watcher {
    /// None: a contender is asked nothing but what the load asks.
    api: Option<AdminClient>,
    arrivals: Arrivals,
}

impl Watcher {
    pub(super) fn of(system: &System, side: Side) -> Self {
        // On nodes through the balancer, which knows one that lives.
        let api = system.client(Part::Api(0)).ok().cloned();
        Self {
            api: api.filter(|_| side != Side::Contender),
            arrivals: system.arrivals(),
        }
    }

    /// Takes samples for ever, that is until it is dropped, and hands each over as it is taken. Times count from `epoch`.
    pub(super) async fn run(
        &mut self,
        epoch: Instant,
        mut taken: impl FnMut(Sample),
    ) -> Infallible {
        let mut ticks = interval(EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            ticks.tick().await;
            taken(self.look(epoch).await);
        }
    }

    /// Requests that have arrived at the worker so far; none: it did not tell.
    pub(super) async fn arrivals(&mut self) -> Option<u64> {
        self.arrivals.count().await
    }

    async fn look(&mut self, epoch: Instant) -> Sample {
        let at = epoch.elapsed();
        let status = async {
            let status = timeout(PATIENCE, self.api.as_ref()?.status()).await;
            status.ok()?.ok()
        };
        let arrived = timeout(PATIENCE, self.arrivals.count());
        let (arrived, status) = tokio::join!(arrived, status);
        Sample {
            at,
            worker_arrivals: arrived.ok().flatten(),
            open_work: status.as_ref().and_then(|status| status.open_work),
            ejected: status.as_ref().map(ejected),
            journal_entries: status
                .and_then(|status| status.journal)
                .map(|journal| journal.entries),
        }
    }
}

fn ejected(status: &Status) -> u64 {
    let endpoints = status.dependencies.worker.endpoints.iter();
    endpoints.filter(|endpoint| endpoint.ejected).count() as u64
}
