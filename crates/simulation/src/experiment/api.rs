//! The API under an experiment: one side of it, that dies, hangs and comes back.

use std::cell::RefCell;
use std::rc::Rc;

use holdfast_api::embedded::{NewRequest, Outcome, Policies};
use holdfast_checker::plan::Side;
use holdfast_checker::trial::{Answer, Completion};
use holdfast_policy::BreakerState;
use holdfast_wire::{Degraded, RecordedIn};
use tokio::time::Instant;
use uuid::Uuid;

use super::NotPlayed;
use crate::mutant::Mutant;
use crate::naive::Naive;
use crate::postgres::server::Server;
use crate::replica::{Replica, Surroundings};
use crate::run::CannotRun;
use crate::world::gate::{Door, Gate};
use crate::world::peer::Peer;
use crate::world::time::Clock;
use crate::world::trace::Trace;
use crate::world::worker::Worker;

/// One. Clones are the same.
#[derive(Clone)]
pub(super) enum Api {
    Naive(Rc<NaiveApi>),
    Resilient(Replica),
}

/// The naive side over its lives.
pub(super) struct NaiveApi {
    server: Server,
    worker: Worker,
    trace: Trace,
    clock: Clock,
    sessions: u32,
    /// None while it is dead.
    life: RefCell<Option<Naive>>,
}

impl Api {
    /// One that has just started.
    pub(super) fn new(
        side: Side,
        policies: Policies,
        server: &Server,
        worker: &Worker,
        seed: u64,
    ) -> Result<Self, NotPlayed> {
        let (start, trace) = (Instant::now(), Trace::begin());
        let api = match side {
            Side::Naive => Self::Naive(Rc::new(NaiveApi {
                server: server.clone(),
                worker: worker.clone(),
                trace,
                clock: Clock::new(start),
                sessions: policies.database.pool.max_size,
                life: RefCell::default(),
            })),
            Side::Resilient => {
                let surroundings = Surroundings {
                    policies: Rc::new(policies),
                    server: server.clone(),
                    worker: worker.clone(),
                    trace,
                    start,
                    seed,
                    mutant: Mutant::None,
                };
                Self::Resilient(Replica::new(0, surroundings))
            }
            Side::Contender => return Err(NotPlayed::Unknown("somebody else's API".to_owned())),
        };
        match api.start() {
            true => Ok(api),
            false => Err(CannotRun::Replica.into()),
        }
    }

    /// False: it cannot be, with its policies.
    pub(super) fn start(&self) -> bool {
        match self {
            Self::Naive(api) => {
                *api.life.borrow_mut() = Some(api.begin());
                true
            }
            Self::Resilient(replica) => replica.start(),
        }
    }

    /// As by SIGKILL: the disk keeps what it was given.
    pub(super) fn kill(&self) {
        match self {
            Self::Naive(api) => {
                if let Some(life) = api.life.take() {
                    life.peer.life.set(Door::Gone);
                }
            }
            Self::Resilient(replica) => replica.kill(true),
        }
    }

    /// What stands between it and everything else while it lives.
    pub(super) fn life(&self) -> Option<Gate> {
        match self {
            Self::Naive(api) => api.life.borrow().as_ref().map(|it| it.peer.life.clone()),
            Self::Resilient(replica) => replica.life().map(|it| it.peer.life),
        }
    }

    /// How a call ends whose client waits for as long as it takes.
    pub(super) async fn answer(&self, request: NewRequest) -> Completion {
        match self {
            Self::Naive(api) => {
                let life = api.life.borrow().clone();
                let Some(life) = life else {
                    return Completion::Refused;
                };
                tokio::select! {
                    biased;
                    () = life.peer.life.becomes(Door::Gone) => Completion::Reset,
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
    pub(super) fn entries(&self) -> u64 {
        match self {
            Self::Naive(_) => 0,
            Self::Resilient(replica) => replica.life().map_or(0, |life| life.held().entries),
        }
    }

    /// Of the breakers of the worker and of the database.
    pub(super) fn breakers(&self) -> Option<[BreakerState; 2]> {
        match self {
            Self::Naive(_) => None,
            Self::Resilient(replica) => {
                let held = replica.life()?.held();
                Some([held.worker.breaker, held.database.breaker])
            }
        }
    }
}

impl NaiveApi {
    fn begin(&self) -> Naive {
        let peer = Peer {
            replica: 0,
            life: Gate::default(),
            to_database: Gate::default(),
            to_worker: Gate::default(),
            clock: self.clock.clone(),
            trace: self.trace.clone(),
        };
        Naive::new(peer, self.server.clone(), &self.worker, self.sessions)
    }
}

fn naive(done: bool) -> Completion {
    Completion::Answered(Answer {
        status: if done { 200 } else { 500 },
        has_result: done,
        ..Answer::default()
    })
}

/// The status as the service's routes give it.
fn resilient(outcome: Outcome) -> Completion {
    match outcome {
        Outcome::Done {
            id,
            recorded_in,
            degraded,
            ..
        } => answered(200, Some(id), &degraded, Some(recorded_in)),
        Outcome::Deferred {
            id,
            recorded_in,
            degraded,
            ..
        } => answered(202, Some(id), &degraded, Some(recorded_in)),
        Outcome::Refused(refusal) => answered(503, None, &refusal.degraded, None),
        Outcome::Failed { id, .. } => answered(409, Some(id), &[], None),
        Outcome::KeyReused { id } => answered(422, Some(id), &[], None),
    }
}

fn answered(
    status: u16,
    request_id: Option<Uuid>,
    degraded: &[Degraded],
    recorded_in: Option<RecordedIn>,
) -> Completion {
    let named = |it: &Degraded| format!("{}:{}", it.code.as_str(), it.reason.as_str());
    Completion::Answered(Answer {
        status,
        request_id,
        has_result: status == 200,
        degraded: degraded.iter().map(named).collect(),
        recorded_in: recorded_in.map(|it| match it {
            RecordedIn::Database => "database".to_owned(),
            RecordedIn::Journal => "journal".to_owned(),
        }),
        ..Answer::default()
    })
}
