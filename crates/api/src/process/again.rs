//! A request that is sent again under its key: what became of it, waiting for it while somebody is at work on it.

use std::time::Duration;

use holdfast_policy::Deadline;
use holdfast_wire::{Degraded, RecordedIn};
use tokio::time::{Instant, sleep};

use super::known::{Known, Standing};
use super::{Outcome, Process, Requests, Worker};

/// Between two looks at a request that is under way: soon at first, then seldom.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

impl<R: Requests, W: Worker> Process<R, W> {
    /// Answers for the request that is `known` already; no second call of the worker.
    pub(super) async fn again(
        &self,
        mut known: Known,
        recorded_in: RecordedIn,
        deadline: Deadline,
    ) -> Outcome {
        let id = known.id;
        if !known.same_body {
            return Outcome::KeyReused { id };
        }
        let last_look = deadline.less(self.rules.reserve);
        let mut pause = FIRST_PAUSE;
        while known.standing == Standing::Running && last_look.remaining(Instant::now()) > pause {
            sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            match self.recorder.look(&known, deadline).await {
                Some(now) => known = now,
                None => break,
            }
        }
        tracing::info!(known_as = %id, "sent again under its key");
        match known.standing {
            Standing::Done(response) => Outcome::Done {
                id,
                response,
                recorded_in,
                degraded: self.absent_database(recorded_in),
            },
            Standing::Failed(error) => Outcome::Failed { id, error },
            Standing::Running | Standing::Waiting => {
                let mut degraded = vec![self.worker.absence()];
                degraded.extend(self.absent_database(recorded_in));
                Outcome::Deferred {
                    id,
                    recorded_in,
                    degraded,
                }
            }
        }
    }

    fn absent_database(&self, recorded_in: RecordedIn) -> Vec<Degraded> {
        match recorded_in {
            RecordedIn::Database => vec![],
            RecordedIn::Journal => vec![self.recorder.requests.absence()],
        }
    }
}
