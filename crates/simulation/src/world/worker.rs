//! A model of the worker: answers differently each time, and hangs, fails or refuses as it is told.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use holdfast_api::embedded::{WorkCall, WorkClient};
use holdfast_wire::JsonText;
use tokio::sync::Semaphore;
use tokio::time::sleep;
use uuid::Uuid;

use super::failure::WorkFailure;
use super::gate::{Door, Gate};
use super::number;
use super::peer::Peer;
use super::trace::Trace;
use super::wire::Wire;

/// What ails it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FaultKind {
    /// It answers everybody with this status.
    Answers(u16),
    /// It takes this long, in milliseconds.
    Takes(u64),
}

/// The worker. Clones are the same.
#[derive(Clone)]
pub(crate) struct Worker {
    /// Refusing while it is dead, shut while it hangs.
    pub(crate) door: Gate,
    /// The way of all replicas to it.
    pub(crate) wire: Wire,
    capacity: Arc<Semaphore>,
    state: Arc<Mutex<State>>,
}

struct State {
    rng: Rng,
    fault: Option<FaultKind>,
    refuses_some: bool,
    usual: (u64, u64),
    /// Works that were asked for, as far as the wire.
    arrivals: u64,
    /// When each answer was given, in virtual microseconds: the first is number 1.
    answers: Vec<u64>,
}

impl Worker {
    /// One that takes between `usual.0` and `usual.1` milliseconds, for `capacity` calls at once.
    pub(crate) fn new(seed: u64, usual: (u64, u64), capacity: usize) -> Self {
        let state = State {
            rng: Rng::with_seed(seed),
            fault: None,
            refuses_some: true,
            usual,
            arrivals: 0,
            answers: vec![],
        };
        Self {
            door: Gate::default(),
            wire: Wire::new(seed),
            capacity: Arc::new(Semaphore::new(capacity)),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// How many works it was asked for so far, as the wire to it counts them.
    pub(crate) fn arrivals(&self) -> u64 {
        self.lock().arrivals
    }

    /// Looks at it as a stranger does: one question, for which nothing is worked.
    ///
    /// # Errors
    /// What came in the place of an answer.
    pub(crate) async fn look(&self) -> Result<(), WorkFailure> {
        let asked = async {
            match self.door.pass().await {
                true => Ok(()),
                false => Err(WorkFailure::Refused),
            }
        };
        self.wire.carry(asked).await
    }

    /// Makes it ail, or well.
    pub(crate) fn ail(&self, fault: Option<FaultKind>) {
        self.lock().fault = fault;
    }

    /// From now on it refuses nobody.
    pub(crate) fn take_all(&self) {
        self.lock().refuses_some = false;
    }

    /// It goes on. One that died is cold: for `warmup` it has less of its capacity, a tenth to begin with, as the real one.
    pub(crate) fn start(&self, warmup: Option<Duration>) {
        self.door.set(Door::Open);
        let Some(warmup) = warmup else {
            return;
        };
        let places = self.capacity.available_permits();
        let missing = places - places.div_ceil(10);
        self.capacity.forget_permits(missing);
        let worker = self.clone();
        tokio::spawn(async move {
            let steps = u32::try_from(missing).unwrap_or(u32::MAX).max(1);
            for _ in 0..missing {
                sleep(warmup / steps).await;
                worker.capacity.add_permits(1);
            }
        });
    }

    /// When it gave this answer, in virtual microseconds.
    pub(crate) fn answered_at(&self, answer: &str) -> Option<u64> {
        let number = answer.strip_prefix("{\"n\":")?.strip_suffix('}')?;
        let number: usize = number.parse().ok()?;
        self.lock().answers.get(number.checked_sub(1)?).copied()
    }

    /// The way of `peer` to it.
    pub(crate) fn link(&self, peer: Peer) -> WorkerLink {
        let worker = self.clone();
        WorkerLink { worker, peer }
    }

    /// One work, whoever still waits for it: what was begun is done, as the real worker does it.
    async fn work(self, id: Uuid, trace: Trace) -> Result<JsonText, WorkFailure> {
        if !self.door.pass().await {
            return Err(WorkFailure::Refused);
        }
        tokio::select! {
            biased;
            answer = self.place_and_time(id, &trace) => answer,
            _ = self.door.until(|door| door == Door::Refusing) => Err(WorkFailure::Lost),
        }
    }

    async fn place_and_time(&self, id: Uuid, trace: &Trace) -> Result<JsonText, WorkFailure> {
        let place = self.capacity.acquire().await;
        let (pause, status) = self.lock().draw();
        sleep(pause).await;
        // It hung in the middle of it; what hung goes on.
        if !self.door.pass().await {
            return Err(WorkFailure::Lost);
        }
        drop(place);
        if let Some(status) = status {
            return Err(WorkFailure::status(status));
        }
        if is_unlucky(number(id)) && self.lock().refuses_some {
            return Err(WorkFailure::status(422));
        }
        let answer = self.lock().answer(trace.now());
        JsonText::parse(answer).map_err(|_| WorkFailure::Lost)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn draw(&mut self) -> (Duration, Option<u16>) {
        let (from, to) = self.usual;
        let usual = self.rng.u64(from..=to);
        let (millis, status) = match self.fault {
            None => (usual, None),
            Some(FaultKind::Answers(status)) => (5, Some(status)),
            Some(FaultKind::Takes(millis)) => (millis, None),
        };
        (Duration::from_millis(millis), status)
    }

    fn answer(&mut self, now: u64) -> String {
        self.answers.push(now);
        format!(r#"{{"n":{}}}"#, self.answers.len())
    }
}

/// Whether the worker refuses the request of this number, however often it is asked: about one in a hundred.
pub(crate) fn is_unlucky(request: u64) -> bool {
    request % 97 == 13
}

/// A replica's way to the worker.
#[derive(Clone)]
pub(crate) struct WorkerLink {
    worker: Worker,
    peer: Peer,
}

impl WorkClient for WorkerLink {
    type Error = WorkFailure;

    async fn work(&self, call: WorkCall<'_>) -> Result<JsonText, WorkFailure> {
        let peer = &self.peer;
        peer.life.pass().await;
        if !peer.to_worker.pass().await {
            return Err(WorkFailure::Refused);
        }
        peer.trace.note(peer.replica, "work", number(call.id), 0);
        if self.worker.door.door() != Door::Refusing {
            self.worker.lock().arrivals += 1;
        }
        let work = self.worker.clone().work(call.id, peer.trace.clone());
        let work = async { tokio::spawn(work).await.unwrap_or(Err(WorkFailure::Lost)) };
        let answer = tokio::select! {
            biased;
            answer = self.worker.wire.carry(work) => answer,
            _ = peer.to_worker.until(|door| door != Door::Open) => Err(WorkFailure::Lost),
        };
        peer.life.pass().await;
        let came = match &answer {
            Ok(_) => 200,
            Err(WorkFailure::Answered(_)) => 500,
            Err(_) => 0,
        };
        peer.trace
            .note(peer.replica, "worker", number(call.id), came);
        answer
    }
}
