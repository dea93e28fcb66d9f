//! Plays a cell in virtual time.

use std::cell::Cell as Shared;
use std::rc::Rc;

use holdfast_api::embedded::{NewRequest, parse_policies};
use holdfast_policy::Priority;
use jiff::Timestamp;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep_until, timeout};

use super::fate::Told;
use super::{CAPACITY, Cell, PATIENCE, Seen, Side, WARM, WORK};
use crate::api::Api;
use crate::postgres::server::Server;
use crate::replica::Surroundings;
use crate::run::CannotRun;
use crate::world::gate::Door;
use crate::world::id;
use crate::world::time::{Clock, in_virtual_time};
use crate::world::worker::{Worker, is_unlucky};

/// Clients of one cell, with a number for each request.
#[derive(Clone)]
struct Clients {
    api: Api,
    clock: Clock,
    asked: Rc<Shared<u64>>,
}

/// What is seen of `side` in `cell`.
///
/// # Errors
/// When it cannot be begun.
pub(crate) fn play(side: Side, cell: Cell) -> Result<Seen, CannotRun> {
    in_virtual_time(scene(side, cell))?
}

async fn scene(side: Side, cell: Cell) -> Result<Seen, CannotRun> {
    let start = Instant::now();
    let takes = u64::try_from(WORK.as_millis()).unwrap_or(u64::MAX);
    let worker = Worker::new(0, (takes, takes), CAPACITY as usize);
    let clients = Clients {
        api: api(side, worker.clone(), start)?,
        clock: Clock::new(start),
        asked: Rc::default(),
    };
    spawn_local(async move {
        sleep_until(start + WARM).await;
        worker.door.set(Door::Shut);
        sleep_until(start + cell.resumes()).await;
        worker.door.set(Door::Open);
    });
    let mut calls = vec![];
    for at in cell.arrivals() {
        sleep_until(start + at).await;
        calls.push(spawn_local(clients.clone().call(side.tries)));
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

fn api(side: Side, worker: Worker, start: Instant) -> Result<Api, CannotRun> {
    let policies = parse_policies(side.policies.unwrap_or_default())?.policies;
    let server = Server::new(0, Clock::new(start));
    let world = Surroundings::new(policies, server, worker, 0);
    let api = match side.policies {
        None => Api::naive(world),
        Some(_) => Api::resilient(world),
    };
    api.start().then_some(api).ok_or(CannotRun::Replica)
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
            let answer = timeout(PATIENCE, self.api.answer(request)).await;
            match answer.ok().and_then(|end| Some(end.answer()?.status)) {
                Some(200) => return Told::Done,
                Some(202) => return Told::Accepted,
                _ => {}
            }
        }
        Told::Nothing
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
