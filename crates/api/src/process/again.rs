//! A request that is sent again under its key: what became of it, waiting for it while somebody is at work on it.

use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, DegradedCode, Reason, RecordedIn};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::known::{Known, Standing};
use super::{Outcome, Process, Requests, Worker};

/// Between two looks at a request that is under way: soon at first, then seldom.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl<R: Requests, W: Worker> Process<R, W> {
    /// Answers for the request that is `known` already; no second call of the worker.
    pub(super) async fn again(
        &self,
        known: Known,
        recorded_in: RecordedIn,
        deadline: Deadline,
    ) -> Outcome {
        let id = known.id;
        if !known.same_body {
            return Outcome::KeyReused { id };
        }
        tracing::info!(known_as = %id, "sent again under its key");
        match self.wait_for(known, recorded_in, deadline).await {
            Ok((known, recorded_in)) => self.answer_for(known, recorded_in),
            // It is recorded there, and that is all that can be told now.
            Err(missing) => Outcome::Deferred {
                id,
                recorded_in,
                degraded: vec![missing],
            },
        }
    }

    /// Answers for the request `id`, which a call of this process still had in hand when the time was over.
    pub(super) async fn still_running(&self, id: Uuid, deadline: Deadline) -> Outcome {
        let nowhere = DegradedCode::DbUnavailable;
        match self.recorder.look(id, deadline).await {
            Ok(Some((known, recorded_in))) => self.answer_for(known, recorded_in),
            Ok(None) => Outcome::refused(nowhere, vec![self.recorder.requests.absence()]),
            Err(missing) => Outcome::refused(nowhere, vec![missing]),
        }
    }

    async fn wait_for(
        &self,
        mut known: Known,
        mut recorded_in: RecordedIn,
        deadline: Deadline,
    ) -> Result<(Known, RecordedIn), Degraded> {
        let last_look = deadline.less(self.rules.reserve);
        let mut pause = FIRST_PAUSE;
        while known.standing == Standing::Running && last_look.remaining(Instant::now()) > pause {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            if let Some(now) = self.recorder.look(known.id, deadline).await? {
                (known, recorded_in) = now;
            }
        }
        Ok((known, recorded_in))
    }

    fn answer_for(&self, known: Known, recorded_in: RecordedIn) -> Outcome {
        let id = known.id;
        let mut degraded = match recorded_in {
            RecordedIn::Database => vec![],
            RecordedIn::Journal => vec![self.recorder.requests.absence()],
        };
        let unfinished = match known.standing {
            Standing::Done(response) => {
                return Outcome::Done {
                    id,
                    response,
                    recorded_in,
                    degraded,
                };
            }
            Standing::Failed(error) => return Outcome::Failed { id, error },
            Standing::Waiting => Degraded {
                detail: "the request waits for the worker".to_owned(),
                ..self.worker.absence()
            },
            Standing::Running => Degraded {
                reason: Reason::DeadlineExceeded,
                detail: "the worker is still at work on the request".to_owned(),
                ..self.worker.absence()
            },
        };
        degraded.insert(0, unfinished);
        Outcome::Deferred {
            id,
            recorded_in,
            degraded,
        }
    }
}
