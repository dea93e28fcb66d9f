//! The use case behind `/process`: record the request, have the work done, record the result, and say what was missing.
//!
//! Knows no HTTP, no SQL and no policy: what it needs of its dependencies stands in `ports`. Where a promise is made
//! durable stands in `recorder`, what a repeated key gets in `again`.

mod again;
mod known;
mod live_keys;
mod outcome;
mod ports;
mod recorder;

use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, DegradedCode};
use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

pub(crate) use self::known::{Known, Receipt, Standing};
use self::live_keys::{LiveKeys, Turn};
pub(crate) use self::outcome::{Outcome, Refusal};
pub(crate) use self::ports::{Requests, Worked, Worker};
use self::recorder::{Place, Received, Recorder};
use crate::config::{OnDatabaseUnavailable, OnWorkerUnavailable, Policies};
use crate::journal::Journal;
use crate::open_work::OpenWork;

/// Timers fire a little late. Without this a stage that used up all its time would leave the next one a moment too little
/// to begin.
const TIMER_SLACK: Duration = Duration::from_millis(20);

/// What a client asked for.
#[derive(Debug, Clone)]
pub(crate) struct NewRequest {
    /// UUIDv7, chosen by the API.
    pub id: Uuid,
    /// The client's `Idempotency-Key`.
    pub key: Option<String>,
    /// The body as received.
    pub payload: Option<Box<RawValue>>,
    /// When.
    pub received_at: Timestamp,
}

impl NewRequest {
    /// The body's text.
    pub(crate) fn body(&self) -> Option<&str> {
        self.payload.as_deref().map(RawValue::get)
    }
}

/// The use case with its rules and its dependencies.
pub(crate) struct Process<R, W> {
    rules: Rules,
    recorder: Recorder<R>,
    live_keys: LiveKeys,
    worker: W,
    open_work: OpenWork,
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
    pub on_database_unavailable: OnDatabaseUnavailable,
    /// Time for one record in the journal.
    pub journal_deadline: Duration,
}

impl From<&Policies> for Rules {
    fn from(policies: &Policies) -> Self {
        Self {
            worst_case: policies.worst_case(),
            reserve: policies.reserve(),
            on_worker_unavailable: policies.worker.on_unavailable,
            on_database_unavailable: policies.database.on_unavailable,
            journal_deadline: policies.journal.deadline,
        }
    }
}

impl<R: Requests, W: Worker> Process<R, W> {
    /// The use case over these dependencies; without a journal, only Postgres records.
    pub(crate) fn new(
        rules: Rules,
        requests: R,
        journal: Option<Journal>,
        worker: W,
        open_work: OpenWork,
    ) -> Self {
        let recorder = Recorder {
            requests,
            journal,
            journal_deadline: rules.journal_deadline,
        };
        Self {
            rules,
            recorder,
            live_keys: LiveKeys::default(),
            worker,
            open_work,
        }
    }

    /// Handles one request within the worst case, give or take the machine's own delays.
    pub(crate) async fn run(&self, request: &NewRequest) -> Outcome {
        let deadline = Deadline::after(self.rules.worst_case + TIMER_SLACK);
        let last_look = deadline.less(self.rules.reserve);
        let _key = match self.live_keys.take(request, last_look).await {
            Turn::Ours(key) => key,
            Turn::OtherBody(id) => return Outcome::KeyReused { id },
            Turn::StillRunning(id) => return self.still_running(id, deadline).await,
        };
        let place = match self.recorder.receive(request, deadline).await {
            Ok(Received::Ours(place)) => place,
            Ok(Received::Known(known, recorded_in)) => {
                return self.again(known, recorded_in, deadline).await;
            }
            Err(database) => {
                return Outcome::refused(DegradedCode::DbUnavailable, vec![database]);
            }
        };
        let in_time = deadline.less(self.rules.reserve);
        let worked = self.worker.work(Some(in_time)).await;
        match worked {
            Ok(worked) => self.finish(request, worked, place, deadline).await,
            Err(worker) => self.put_off(request, worker, place, deadline).await,
        }
    }

    async fn finish(
        &self,
        request: &NewRequest,
        worked: Worked,
        place: Place,
        deadline: Deadline,
    ) -> Outcome {
        let recorded = self
            .recorder
            .complete(request, &worked, &place, deadline)
            .await;
        match recorded {
            Ok((recorded_in, missing)) => Outcome::Done {
                id: request.id,
                response: worked.response,
                recorded_in,
                degraded: missing.into_iter().collect(),
            },
            Err(database)
                if self.rules.on_database_unavailable == OnDatabaseUnavailable::Reject =>
            {
                Outcome::refused(DegradedCode::DbUnavailable, vec![database])
            }
            // The result is lost, the request is not: the work will be done again.
            Err(database) => {
                self.accepted_for_later(&place);
                Outcome::Deferred {
                    id: request.id,
                    recorded_in: place.recorded_in(),
                    degraded: vec![database],
                }
            }
        }
    }

    async fn put_off(
        &self,
        request: &NewRequest,
        worker: Degraded,
        place: Place,
        deadline: Deadline,
    ) -> Outcome {
        let recorded_in = place.recorded_in();
        let mut degraded = vec![worker];
        if let Place::Journal { missing, .. } = &place {
            degraded.push(missing.clone());
        }
        self.accepted_for_later(&place);
        self.recorder.release(request, place, deadline).await;
        match self.rules.on_worker_unavailable {
            OnWorkerUnavailable::Defer => Outcome::Deferred {
                id: request.id,
                recorded_in,
                degraded,
            },
            OnWorkerUnavailable::Reject => {
                Outcome::refused(DegradedCode::WorkerUnavailable, degraded)
            }
        }
    }

    /// Counted here until Postgres is asked again; the journal counts its own.
    fn accepted_for_later(&self, place: &Place) {
        if matches!(place, Place::Database) {
            self.open_work.put_off();
        }
    }
}
