//! Plays a cell in virtual time.

use std::cell::Cell as Shared;
use std::rc::Rc;

use holdfast_api::embedded::{NewRequest, Outcome, parse_policies};
use holdfast_policy::Priority;
use jiff::Timestamp;
use tokio::runtime::Builder;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{Instant, sleep_until, timeout};

use super::fate::Told;
use super::{CAPACITY, Cell, PATIENCE, Seen, Side, WARM, WORK};
use crate::mutant::Mutant;
use crate::naive::Naive;
use crate::postgres::server::Server;
use crate::replica::{Life, Replica, Surroundings};
use crate::run::CannotRun;
use crate::world::gate::{Door, Gate};
use crate::world::id;
use crate::world::peer::Peer;
use crate::world::time::Clock;
use crate::world::trace::Trace;
use crate::world::worker::{Worker, is_unlucky};

/// Of the naive side's pool, as of the real one by default.
const SESSIONS: u32 = 16;

/// What clients of a side call.
#[derive(Clone)]
enum Service {
    Naive(Naive),
    Resilient(Life),
}

/// Clients of one cell, with a number for each request.
#[derive(Clone)]
struct Clients {
    service: Service,
    clock: Clock,
    asked: Rc<Shared<u64>>,
}

/// What is seen of `side` in `cell`.
///
/// # Errors
/// When it cannot be begun.
pub fn play(side: Side, cell: Cell) -> Result<Seen, CannotRun> {
    let mut runtime = Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build()?;
    LocalSet::new().block_on(&runtime, scene(side, cell))
}

async fn scene(side: Side, cell: Cell) -> Result<Seen, CannotRun> {
    let start = Instant::now();
    let takes = u64::try_from(WORK.as_millis()).unwrap_or(u64::MAX);
    let worker = Worker::new(0, (takes, takes), CAPACITY as usize);
    let clients = Clients {
        service: service(side, &worker, start)?,
        clock: Clock::new(start),
        asked: Rc::default(),
    };
    let door = worker.door().clone();
    spawn_local(async move {
        sleep_until(start + WARM).await;
        door.set(Door::Shut);
        sleep_until(start + cell.resumes()).await;
        door.set(Door::Open);
    });
    let mut calls = vec![];
    for at in cell.arrivals() {
        sleep_until(start + at).await;
        calls.push(spawn_local(clients.clone().call(side.tries())));
    }
    let mut told = vec![];
    for call in calls {
        told.push(call.await.unwrap_or(Told::Nothing));
    }
    Ok(Seen {
        cell,
        told,
        calls: clients.asked.get(),
    })
}

fn service(side: Side, worker: &Worker, start: Instant) -> Result<Service, CannotRun> {
    let server = Server::new(0, Clock::new(start));
    let trace = Trace::begin();
    let Some(policies) = side.policies() else {
        let peer = Peer {
            replica: 0,
            life: Gate::default(),
            to_database: Gate::default(),
            to_worker: Gate::default(),
            clock: Clock::new(start),
            trace,
        };
        return Ok(Service::Naive(Naive::new(peer, server, worker, SESSIONS)));
    };
    let surroundings = Surroundings {
        policies: Rc::new(parse_policies(policies)?.policies),
        server,
        worker: worker.clone(),
        trace,
        start,
        seed: 0,
        mutant: Mutant::None,
    };
    let replica = Replica::new(0, surroundings);
    let _ = replica.start();
    let life = replica.life().ok_or(CannotRun::Replica)?;
    Ok(Service::Resilient(life))
}

impl Clients {
    /// Asks until it is told something, under one key.
    async fn call(self, tries: u32) -> Told {
        let mut key = None;
        for _ in 0..tries {
            let number = self.number();
            let request = NewRequest {
                priority: Priority::USUAL,
                id: id(self.clock.now() / 1000, number),
                key: Some(key.get_or_insert_with(|| format!("call-{number}")).clone()),
                payload: None,
                received_at: Timestamp::from_microsecond(self.clock.now()).unwrap_or_default(),
            };
            if let Ok(told @ (Told::Done | Told::Accepted)) =
                timeout(PATIENCE, self.ask(request)).await
            {
                return told;
            }
        }
        Told::Nothing
    }

    async fn ask(&self, request: NewRequest) -> Told {
        match &self.service {
            Service::Naive(naive) => match naive.process(&request).await {
                true => Told::Done,
                false => Told::Nothing,
            },
            Service::Resilient(life) => match life.process(request).await {
                Some(Outcome::Done { .. }) => Told::Done,
                Some(Outcome::Deferred { .. }) => Told::Accepted,
                _ => Told::Nothing,
            },
        }
    }

    /// The next one whose request the worker does not refuse.
    fn number(&self) -> u64 {
        let mut number = self.asked.get() + 1;
        while is_unlucky(number) {
            number += 1;
        }
        self.asked.set(number);
        number
    }
}
