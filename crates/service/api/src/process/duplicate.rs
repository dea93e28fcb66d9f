//! A request that is sent again under its key: what became of it, waiting for it while somebody is at work on it.

use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, DegradedCode, Reason};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::decision::cancelled;
use super::existing::RequestState;
use super::location::RecordedRequest;
use super::{Outcome, Process, Requests, Worker};

/// Between two looks at a request that is under way: soon at first, then seldom.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const MAX_PAUSE: Duration = Duration::from_millis(500);

impl<R: Requests, W: Worker> Process<R, W> {
    /// Answers for a request that is `known` already, and which is looked at until `last_look`; no second call of the worker.
    pub(super) async fn duplicate(
        &self,
        known: RecordedRequest,
        last_look: Deadline,
        deadline: Deadline,
    ) -> Outcome {
        let id = known.existing.id;
        if !known.existing.same_body {
            return Outcome::KeyReused { id };
        }
        tracing::info!(known_as = %id, "sent again under its key");
        let recorded_in = known.recorded_in;
        match self.wait_for(known, last_look, deadline).await {
            Ok(known) => self.answer_for(known),
            // It is recorded there, and that is all that can be told now.
            Err(missing) => Outcome::Deferred {
                id,
                recorded_in,
                degraded: vec![missing],
                replayed: true,
            },
        }
    }

    /// Answers for the request `id`, which a call of this process still had in hand when the time was over.
    pub(super) async fn still_running(&self, id: Uuid, deadline: Deadline) -> Outcome {
        let nowhere = DegradedCode::DbUnavailable;
        match self.recorder.state_of(id, deadline).await {
            Ok(Some(known)) => self.answer_for(known),
            Ok(None) => Outcome::refused(nowhere, vec![self.recorder.requests.unavailability()]),
            Err(missing) => Outcome::refused(nowhere, vec![missing]),
        }
    }

    async fn wait_for(
        &self,
        mut known: RecordedRequest,
        last_look: Deadline,
        deadline: Deadline,
    ) -> Result<RecordedRequest, Degraded> {
        let mut pause = FIRST_PAUSE;
        while known.existing.state == RequestState::Running
            && last_look.remaining(Instant::now()) > pause
        {
            sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
            if let Some(now) = self.recorder.state_of(known.existing.id, deadline).await? {
                known = now;
            }
        }
        Ok(known)
    }

    fn answer_for(&self, known: RecordedRequest) -> Outcome {
        let (id, recorded_in) = (known.existing.id, known.recorded_in);
        let mut degraded: Vec<_> = known.missing.into_iter().collect();
        let unfinished = match known.existing.state {
            RequestState::Done(result) => {
                return Outcome::Done {
                    id,
                    result,
                    recorded_in,
                    degraded,
                    replayed: true,
                };
            }
            RequestState::Failed(error) => return Outcome::Failed { id, error },
            RequestState::Cancelled => return cancelled(id),
            RequestState::Waiting => Degraded {
                detail: "the request waits for the worker".to_owned(),
                ..self.worker.unavailability()
            },
            RequestState::Running => Degraded {
                reason: Reason::DeadlineExceeded,
                detail: "the worker is still at work on the request".to_owned(),
                ..self.worker.unavailability()
            },
        };
        degraded.insert(0, unfinished);
        Outcome::Deferred {
            id,
            recorded_in,
            degraded,
            replayed: true,
        }
    }
}
