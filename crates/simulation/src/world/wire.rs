//! The wire between the replicas and the worker: it holds answers back, breaks, or answers in the worker's place.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use holdfast_api::embedded::WorkerError;
use tokio::sync::Notify;
use tokio::time::sleep;

use super::failure::WorkFailure;

/// What it does to an exchange.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It holds the answer back, for so many milliseconds, from and to, or until it heals.
    Late(u64, u64),
    /// It ends the connection in the middle of the answer.
    Breaks,
    /// It answers with bytes of no protocol.
    Garbles,
    /// It answers with this status.
    Answers(u16),
}

/// A wire. Clones are the same.
#[derive(Clone)]
pub(crate) struct Wire {
    state: Arc<Mutex<State>>,
    healed: Arc<Notify>,
}

struct State {
    /// What it does, and to which share of the exchanges.
    wrong: Option<(Wrong, f64)>,
    rng: Rng,
}

impl Wire {
    /// One that is well; which exchanges it hurts follows from `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        let rng = Rng::with_seed(seed);
        Self {
            state: Arc::new(Mutex::new(State { wrong: None, rng })),
            healed: Arc::default(),
        }
    }

    /// From now on it does this to so many, from 0 to 1.
    pub(crate) fn hurt(&self, wrong: Wrong, share: f64) {
        self.lock().wrong = Some((wrong, share));
    }

    /// From now on it does nothing, and what it holds back goes on at once, as on the lab's wire.
    pub(crate) fn heal(&self) {
        self.lock().wrong = None;
        self.healed.notify_waiters();
    }

    /// What comes of `exchange` over it.
    ///
    /// # Errors
    /// The exchange's own, and what the wire makes of it.
    pub(crate) async fn carry<T>(
        &self,
        exchange: impl Future<Output = Result<T, WorkFailure>>,
    ) -> Result<T, WorkFailure> {
        let drawn = self.lock().draw();
        match drawn {
            None => exchange.await,
            Some((Wrong::Late(..), by)) => {
                let healed = self.healed.notified();
                let answer = exchange.await;
                tokio::select! {
                    () = sleep(by) => {}
                    () = healed => {}
                }
                answer
            }
            Some((Wrong::Breaks, _)) => {
                exchange.await?;
                Err(WorkFailure::Lost)
            }
            Some((Wrong::Garbles, _)) => {
                let garbage = WorkerError::BadResponse("bytes of no protocol".into());
                Err(WorkFailure::Answered(garbage))
            }
            Some((Wrong::Answers(status), _)) => Err(WorkFailure::status(status)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether the next exchange is hurt, how, and how late it is then.
    fn draw(&mut self) -> Option<(Wrong, Duration)> {
        let (wrong, share) = self.wrong?;
        if self.rng.f64() >= share {
            return None;
        }
        let late = match wrong {
            Wrong::Late(from, to) => self.rng.u64(from..=to),
            _ => 0,
        };
        Some((wrong, Duration::from_millis(late)))
    }
}
