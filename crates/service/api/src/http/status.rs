//! `/status`: what the service knows of itself, without asking anybody.

use actix_web::Responder;
use actix_web::web::{Data, Json};
use holdfast_policy::BreakerState;
use holdfast_wire::{
    Breaker, Database, Dependencies, Dependency as Entry, Endpoint, Journal as JournalStatus,
    Status, Worker,
};
use tokio::time::Instant;

use crate::dependency::Dependency;
use crate::journal::Journal;
use crate::overview::Overview;
use crate::seconds::milliseconds;
use crate::worker_client::EndpointState;

pub(super) async fn status(overview: Data<Overview>) -> impl Responder {
    Json(show(&overview))
}

/// The service as it is now.
pub(super) fn show(overview: &Overview) -> Status {
    Status {
        ready: overview.readiness.is_ready(),
        dependencies: Dependencies {
            worker: worker(overview),
            database: Database {
                dependency: entry(&overview.dependencies.database),
                schema: overview.schema.state(),
            },
        },
        journal: overview.journal.as_ref().map(journal),
        recovery: overview.recovery.show(Instant::now()),
        open_work: overview.open_work.counted(),
        oldest_open_seconds: overview.open_work.oldest().map(milliseconds),
    }
}

fn worker(overview: &Overview) -> Worker {
    let dependency = entry(&overview.dependencies.worker);
    let endpoint = |it: EndpointState| Endpoint {
        address: it.address,
        breaker: it.breaker.map_or(dependency.breaker, breaker),
        ejected: it.ejected,
        latency_seconds: it.latency,
    };
    let endpoints = overview.endpoints.states();
    Worker {
        endpoints: endpoints.into_iter().map(endpoint).collect(),
        dependency,
    }
}

/// A breaker's state as clients know it: one set by hand looks like what it does.
pub(super) fn breaker(state: BreakerState) -> Breaker {
    match state {
        BreakerState::Closed | BreakerState::Disabled => Breaker::Closed,
        BreakerState::Open | BreakerState::ForcedOpen => Breaker::Open,
        BreakerState::HalfOpen => Breaker::HalfOpen,
    }
}

fn entry(dependency: &Dependency) -> Entry {
    let snapshot = dependency.snapshot();
    Entry {
        breaker: breaker(snapshot.breaker),
        failure_rate: snapshot.failure_rate,
        slow_call_rate: snapshot.slow_call_rate,
        in_flight: snapshot.in_flight,
        limit: snapshot.limit.unwrap_or_default(),
        retry_budget: snapshot.retry_budget,
        retry_after_seconds: snapshot.retry_after.map(milliseconds),
        last_error: dependency.last_error(),
        opened_because: snapshot.opened_because.map(|it| it.to_string()),
    }
}

fn journal(journal: &Journal) -> JournalStatus {
    let stats = journal.stats();
    JournalStatus {
        available: stats.available,
        entries: stats.entries,
        bytes: stats.bytes,
        oldest_seconds: stats.oldest_seconds,
        quarantined: stats.quarantined,
    }
}
