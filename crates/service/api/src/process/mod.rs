//! The use case behind `/process`: record the request, have the work done, record the result, and say what was missing.
//!
//! Knows no HTTP, no SQL and no policy: what it needs of its dependencies stands in `ports`. Where a promise is made
//! durable stands in `recorder`, what a repeated key gets in `duplicate`, what is answered in `decision`.

mod decision;
mod duplicate;
mod existing;
mod in_flight_keys;
mod known_keys;
mod lease;
mod location;
mod outcome;
mod ports;
mod recent_keys;
mod recorder;

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::{Deadline, Priority};
use holdfast_wire::{Degraded, DegradedCode, Reason};
use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use self::decision::{Accepted, AnswerRules, WorkOutcome, decide};
pub(crate) use self::existing::{Completion, InsertOutcome};
pub use self::existing::{ExistingRequest, RequestState};
use self::in_flight_keys::{InFlightKeys, KeyClaim};
use self::lease::LiveLease;
use self::location::Received;
pub use self::outcome::{Outcome, Overload, Refusal};
pub use self::ports::WorkResult;
pub(crate) use self::ports::{Admission, Owner, Requests, Worker};
use self::recent_keys::RecentKeys;
use self::recorder::Recorder;
use crate::config::Policies;
use crate::current::Current;
use crate::journal::Journal;
use crate::open_work::OpenWork;

/// Timers fire a little late. Without this a stage that used up all its time would leave the next one a moment too little
/// to begin.
const TIMER_SLACK: Duration = Duration::from_millis(20);

/// What a client asked for.
#[derive(Debug, Clone)]
pub struct NewRequest {
    /// UUIDv7, chosen by the API.
    pub id: Uuid,
    /// The client's `Idempotency-Key`.
    pub key: Option<String>,
    /// The body as received.
    pub payload: Option<Box<RawValue>>,
    /// When.
    pub received_at: Timestamp,
    /// How urgent it is: decides who goes first where there is too much.
    pub priority: Priority,
}

impl NewRequest {
    /// The body's text.
    #[must_use]
    pub fn body(&self) -> Option<&str> {
        self.payload.as_deref().map(RawValue::get)
    }
}

/// The use case with its rules and its dependencies.
pub(crate) struct Process<R, W> {
    policies: Arc<Current<Policies>>,
    recorder: Recorder<R>,
    keys: InFlightKeys,
    worker: W,
    open_work: OpenWork,
}

/// What the policy file says about `/process` as a whole.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// The bound on the whole call.
    worst_case: Duration,
    /// What must be left of it when the worker has answered.
    reserve: Duration,
    /// What is answered without the worker or the database.
    answers: AnswerRules,
}

impl From<&Policies> for Rules {
    fn from(policies: &Policies) -> Self {
        Self {
            worst_case: policies.worst_case(),
            reserve: policies.reserve(),
            answers: AnswerRules {
                on_worker_unavailable: policies.worker.on_unavailable,
                on_database_unavailable: policies.database.on_unavailable,
            },
        }
    }
}

impl<R: Requests, W: Worker> Process<R, W> {
    /// The use case over these dependencies; `journal` may be left from policies that had one.
    pub(crate) fn new(
        policies: Arc<Current<Policies>>,
        requests: R,
        journal: Option<Journal>,
        worker: W,
        open_work: OpenWork,
    ) -> Self {
        let recorder = Recorder {
            requests,
            journal,
            policies: policies.clone(),
            recent: RecentKeys::default(),
        };
        Self {
            policies,
            recorder,
            keys: InFlightKeys::default(),
            worker,
            open_work,
        }
    }

    /// As they are now; a call goes by those that it began with.
    fn rules(&self) -> Rules {
        Rules::from(&*self.policies.get())
    }

    /// Handles one request within the worst case, give or take the machine's own delays. `admission` tells whether it is taken on
    /// if it is new; if not, only what is known under its key is answered. It is not asked while another call has the key.
    pub(crate) async fn run(&self, request: &NewRequest, admission: impl Admission) -> Outcome {
        let rules = self.rules();
        let deadline = Deadline::after(rules.worst_case + TIMER_SLACK);
        let last_look = deadline.less(rules.reserve);
        let key = match self.keys.claim(request, last_look).await {
            KeyClaim::Ours(key) => key,
            KeyClaim::Answered(outcome) => return outcome.into_replay(),
            KeyClaim::OtherBody(id) => return Outcome::KeyReused { id },
            KeyClaim::StillRunning(id) => return self.still_running(id, deadline).await,
        };
        let outcome = self.handle(request, admission, rules, deadline).await;
        if let Some(key) = key {
            self.recorder.recent.remember(request, &outcome);
            key.answered(&outcome);
        }
        outcome
    }

    async fn handle(
        &self,
        request: &NewRequest,
        mut admission: impl Admission,
        rules: Rules,
        deadline: Deadline,
    ) -> Outcome {
        let last_look = deadline.less(rules.reserve);
        let room = match admission.to_work() {
            Ok(()) => self
                .room(request.priority)
                .await
                .map_err(|full| (full, None)),
            Err(why) => Err((full(why), Some(why))),
        };
        let permit = match room {
            Ok(permit) => permit,
            Err((full, overload)) => {
                let refusal = Refusal {
                    code: DegradedCode::Overloaded,
                    degraded: vec![full],
                    overload,
                };
                admission.to_ask();
                return self
                    .known_only(request, refusal, (last_look, deadline))
                    .await;
            }
        };
        // Where the worker would not be called, one write does: what is recorded is recovery's at once.
        let owner = match permit {
            Some(_) => Owner::Caller,
            None => Owner::Recovery,
        };
        let location = match self.recorder.receive(request, owner, deadline).await {
            Ok(Received::Ours(location)) => location,
            Ok(Received::Existing(known)) => {
                // Whoever waits for another replica's call keeps nothing from those who have work done.
                drop(permit);
                admission.to_ask();
                return self.duplicate(known, last_look, deadline).await;
            }
            Ok(Received::Rejected(error)) => {
                let id = request.id;
                return Outcome::Failed { id, error };
            }
            Err(database) => {
                return Outcome::refused(DegradedCode::DbUnavailable, vec![database]);
            }
        };
        let accepted = location.accepted();
        let Some(permit) = permit else {
            let worked = WorkOutcome::Unavailable(self.worker.unavailability());
            return self.answer(request, rules.answers, accepted, worked);
        };
        let lease = LiveLease::new(&self.recorder.requests, request.id, &location);
        let waiting = (last_look, permit);
        let worked = match self.worker.work(request.id, Some(waiting)).await {
            Ok(result) => {
                let completed = self.recorder.complete(request, result, &location, deadline);
                completed.await
            }
            Err(worker) => {
                self.recorder.release(request, location, deadline).await;
                WorkOutcome::Unavailable(worker)
            }
        };
        lease.ended();
        self.answer(request, rules.answers, accepted, worked)
    }

    /// Room with the worker, before anything is recorded: what is too much must cost nothing. `None` where it would not be
    /// called.
    async fn room(&self, priority: Priority) -> Result<Option<W::Permit>, Degraded> {
        match self.worker.may_call() {
            true => self.worker.admit(priority).await.map(Some),
            false => Ok(None),
        }
    }

    /// Nothing new is taken on: what is known under the key is answered all the same.
    async fn known_only(
        &self,
        request: &NewRequest,
        refusal: Refusal,
        (last_look, deadline): (Deadline, Deadline),
    ) -> Outcome {
        match self.recorder.known(request, deadline).await {
            Ok(Some(known)) => self.duplicate(known, last_look, deadline).await,
            Ok(None) => Outcome::Refused(refusal),
            Err(database) => Outcome::refused(DegradedCode::DbUnavailable, vec![database]),
        }
    }

    fn answer(
        &self,
        request: &NewRequest,
        rules: AnswerRules,
        accepted: Accepted,
        worked: WorkOutcome,
    ) -> Outcome {
        if matches!(
            worked,
            WorkOutcome::Unavailable(_) | WorkOutcome::Unrecorded(_)
        ) {
            tracing::info!(
                request_id = %request.id,
                recorded_in = ?accepted.recorded_in(),
                "accepted, to be done later"
            );
            self.open_work.deferred_traces.remember(request.id);
            self.open_work.deferred(accepted.recorded_in());
        }
        decide(rules, request.id, accepted, worked)
    }
}

/// Nothing new is taken on.
fn full(why: Overload) -> Degraded {
    Degraded {
        code: DegradedCode::Overloaded,
        reason: Reason::BulkheadFull,
        detail: why.detail().to_owned(),
        attempts: 0,
        elapsed_seconds: 0.0,
        retry_after_seconds: 1.0,
    }
}
