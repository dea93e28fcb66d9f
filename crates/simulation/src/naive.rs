//! The course's endpoint in the modelled world: store, call, store, and no policy.

use std::rc::Rc;

use holdfast_api::embedded::{EndRow, NewRequest, NewRow, Table, WorkCall, WorkClient};
use tokio::sync::Semaphore;

use crate::mutant::Mutant;
use crate::postgres::table::DatabaseLink;
use crate::replica::Surroundings;
use crate::world::peer::Peer;
use crate::world::time::Clock;
use crate::world::worker::WorkerLink;

/// A life of one API's naive side. Clones are the same.
#[derive(Clone)]
pub(crate) struct Naive {
    /// As those it talks to see it.
    pub(crate) peer: Peer,
    database: DatabaseLink,
    worker: WorkerLink,
    /// For a session of its pool a call waits as long as it takes.
    sessions: Rc<Semaphore>,
}

impl Naive {
    pub(crate) fn new(world: &Surroundings) -> Self {
        let peer = Peer::new(Clock::new(world.start), world.trace.clone());
        let sessions = world.policies.database.pool.max_size as usize;
        Self {
            database: DatabaseLink::new(world.server.clone(), peer.clone(), Mutant::None),
            worker: world.worker.link(peer.clone()),
            peer,
            sessions: Rc::new(Semaphore::new(sessions)),
        }
    }

    /// Has the work of `request` done: whether it was, and is recorded.
    pub(crate) async fn process(&self, request: &NewRequest) -> bool {
        let row = NewRow {
            id: request.id,
            key: String::new(),
            payload: request.body().map(str::to_owned),
            lease: None,
        };
        if self.stored(self.database.insert(&[row])).await.is_none() {
            return false;
        }
        let Ok(response) = self.worker.work(WorkCall::first(request.id, None)).await else {
            return false;
        };
        let end = EndRow {
            id: request.id,
            response: Some(response.get().to_owned()),
            attempts: 1,
            lease: None,
        };
        self.stored(self.database.finish(&[end])).await.is_some()
    }

    async fn stored<T, E>(&self, statement: impl Future<Output = Result<T, E>>) -> Option<T> {
        let _session = self.sessions.acquire().await.ok()?;
        statement.await.ok()
    }
}
