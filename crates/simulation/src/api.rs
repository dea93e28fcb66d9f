//! An API as clients see it, the naive side of one or the resilient one: it answers, dies, hangs and comes back.

use std::cell::RefCell;
use std::rc::Rc;

use holdfast_api::embedded::{NewRequest, Outcome};
use holdfast_checker::trial::{Answer, Completion};
use holdfast_policy::BreakerState;
use holdfast_wire::{Degraded, RecordedIn};

use crate::naive::Naive;
use crate::replica::{Replica, Surroundings};
use crate::world::gate::{Door, Gate};

/// One. Clones are the same.
#[derive(Clone)]
pub(crate) enum Api {
    Naive {
        surroundings: Surroundings,
        /// None while it is dead.
        life: Rc<RefCell<Option<Naive>>>,
    },
    Resilient(Replica),
}

impl Api {
    /// The naive side, dead.
    pub(crate) fn naive(surroundings: Surroundings) -> Self {
        Self::Naive {
            surroundings,
            life: Rc::default(),
        }
    }

    /// The resilient side, dead, on a new disk.
    pub(crate) fn resilient(surroundings: Surroundings) -> Self {
        Self::Resilient(Replica::new(0, surroundings))
    }

    /// False: it cannot be, with its policies.
    pub(crate) fn start(&self) -> bool {
        match self {
            Self::Naive { surroundings, life } => {
                *life.borrow_mut() = Some(Naive::new(surroundings));
                true
            }
            Self::Resilient(replica) => replica.start(),
        }
    }

    /// As by SIGKILL: the disk keeps what it was given.
    pub(crate) fn kill(&self) {
        match self {
            Self::Naive { life, .. } => {
                if let Some(life) = life.take() {
                    life.peer.life.set(Door::Gone);
                }
            }
            Self::Resilient(replica) => replica.kill(true),
        }
    }

    /// What stands between it and everything else while it lives.
    pub(crate) fn life(&self) -> Option<Gate> {
        match self {
            Self::Naive { life, .. } => life.borrow().as_ref().map(|it| it.peer.life.clone()),
            Self::Resilient(replica) => replica.life().map(|it| it.peer.life),
        }
    }

    /// How a call ends whose client waits for as long as it takes.
    pub(crate) async fn answer(&self, request: NewRequest) -> Completion {
        match self {
            Self::Naive { life, .. } => {
                let life = life.borrow().clone();
                let Some(life) = life else {
                    return Completion::Refused;
                };
                tokio::select! {
                    biased;
                    _ = life.peer.life.until(|door| door == Door::Gone) => Completion::Reset,
                    done = life.process(&request) => naive(done),
                }
            }
            Self::Resilient(replica) => match replica.life() {
                None => Completion::Refused,
                Some(life) => life
                    .process(request)
                    .await
                    .map_or(Completion::Reset, resilient),
            },
        }
    }

    /// Of the journal.
    pub(crate) fn entries(&self) -> u64 {
        match self {
            Self::Naive { .. } => 0,
            Self::Resilient(replica) => replica.life().map_or(0, |life| life.held().entries),
        }
    }

    /// Of the breakers of the worker and of the database.
    pub(crate) fn breakers(&self) -> Option<[BreakerState; 2]> {
        match self {
            Self::Naive { .. } => None,
            Self::Resilient(replica) => {
                let held = replica.life()?.held();
                Some([held.worker.breaker, held.database.breaker])
            }
        }
    }
}

fn naive(done: bool) -> Completion {
    Completion::Answered(Answer {
        status: if done { 200 } else { 500 },
        has_result: done,
        ..Answer::default()
    })
}

fn resilient(outcome: Outcome) -> Completion {
    let status = status(&outcome);
    let (request_id, degraded, recorded_in) = match outcome {
        Outcome::Done {
            id,
            recorded_in,
            degraded,
            ..
        }
        | Outcome::Deferred {
            id,
            recorded_in,
            degraded,
            ..
        } => (Some(id), degraded, Some(recorded_in)),
        Outcome::Refused(refusal) => (None, refusal.degraded, None),
        Outcome::Failed { id, .. } | Outcome::KeyReused { id } => (Some(id), vec![], None),
    };
    let named = |it: &Degraded| format!("{}:{}", it.code.as_str(), it.reason.as_str());
    let place = |it| match it {
        RecordedIn::Database => "database".to_owned(),
        RecordedIn::Journal => "journal".to_owned(),
    };
    Completion::Answered(Answer {
        status,
        request_id,
        has_result: status == 200,
        degraded: degraded.iter().map(named).collect(),
        recorded_in: recorded_in.map(place),
        ..Answer::default()
    })
}

/// As the service's routes give it.
pub(crate) fn status(outcome: &Outcome) -> u16 {
    match outcome {
        Outcome::Done { .. } => 200,
        Outcome::Deferred { .. } => 202,
        Outcome::Refused(_) => 503,
        Outcome::Failed { .. } => 409,
        Outcome::KeyReused { .. } => 422,
    }
}
