//! The use case behind `/process`: record the request, have the work done, record the result, and say what was missing.
//!
//! Knows no HTTP, no SQL and no policy: what it needs of its dependencies stands in `ports`.

mod outcome;
mod ports;

use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::{DegradedCode, RecordedIn};
use serde_json::value::RawValue;
use uuid::Uuid;

pub(crate) use self::outcome::{Outcome, Refusal};
pub(crate) use self::ports::{Requests, Worked, Worker};
use crate::config::{OnDatabaseUnavailable, OnWorkerUnavailable, Policies};

/// Timers fire a little late. Without this a stage that used up all its time would leave the next one a moment too little
/// to begin.
const TIMER_SLACK: Duration = Duration::from_millis(20);

/// What a client asked for.
#[derive(Debug, Clone)]
pub(crate) struct NewRequest {
    /// UUIDv7, chosen by the API.
    pub id: Uuid,
    /// The body as received.
    pub payload: Option<Box<RawValue>>,
}

/// The use case with its rules and its dependencies.
pub(crate) struct Process<R, W> {
    rules: Rules,
    requests: R,
    worker: W,
}

/// What the policy file says about `/process` as a whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// The bound on the whole call.
    pub worst_case: Duration,
    /// What must be left of it when the worker has answered.
    pub reserve: Duration,
    /// What to do without the worker.
    pub on_worker_unavailable: OnWorkerUnavailable,
    /// What to do without the database.
    pub on_database_unavailable: Option<OnDatabaseUnavailable>,
}

impl From<&Policies> for Rules {
    fn from(policies: &Policies) -> Self {
        Self {
            worst_case: policies.worst_case(),
            reserve: policies.reserve(),
            on_worker_unavailable: policies.worker.on_unavailable,
            on_database_unavailable: policies.database.on_unavailable,
        }
    }
}

impl<R: Requests, W: Worker> Process<R, W> {
    /// The use case over these dependencies.
    pub(crate) fn new(rules: Rules, requests: R, worker: W) -> Self {
        Self {
            rules,
            requests,
            worker,
        }
    }

    /// Handles one request within the worst case, give or take the machine's own delays.
    pub(crate) async fn run(&self, request: &NewRequest) -> Outcome {
        let deadline = Deadline::after(self.rules.worst_case + TIMER_SLACK);
        let received = self.requests.receive(request, deadline).await;
        if let Err(database) = &received
            && self.rejects_without_database()
        {
            return Outcome::refused(DegradedCode::DbUnavailable, vec![database.clone()]);
        }
        let worked = self.worker.work(deadline.less(self.rules.reserve)).await;
        match (received, worked) {
            (Ok(()), Ok(worked)) => self.record(request, worked, deadline).await,
            (Err(database), Ok(worked)) => Outcome::Done {
                response: worked.response,
                recorded_in: None,
                degraded: vec![database],
            },
            (Ok(()), Err(worker)) => match self.rules.on_worker_unavailable {
                OnWorkerUnavailable::Defer => Outcome::Deferred {
                    recorded_in: RecordedIn::Database,
                    degraded: vec![worker],
                },
                OnWorkerUnavailable::Reject => {
                    Outcome::refused(DegradedCode::WorkerUnavailable, vec![worker])
                }
            },
            // Neither done nor durable: nothing can be promised.
            (Err(database), Err(worker)) => {
                Outcome::refused(DegradedCode::DbUnavailable, vec![worker, database])
            }
        }
    }

    async fn record(&self, request: &NewRequest, worked: Worked, deadline: Deadline) -> Outcome {
        let recorded = self.requests.complete(request.id, &worked, deadline).await;
        match recorded {
            Ok(()) => Outcome::Done {
                response: worked.response,
                recorded_in: Some(RecordedIn::Database),
                degraded: vec![],
            },
            Err(database) if self.rejects_without_database() => {
                Outcome::refused(DegradedCode::DbUnavailable, vec![database])
            }
            Err(database) => Outcome::Done {
                response: worked.response,
                recorded_in: None,
                degraded: vec![database],
            },
        }
    }

    fn rejects_without_database(&self) -> bool {
        self.rules.on_database_unavailable == Some(OnDatabaseUnavailable::Reject)
    }
}
