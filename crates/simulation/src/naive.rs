//! The course's endpoint in the modelled world: store, call, store, and no policy.

use std::rc::Rc;

use holdfast_api::embedded::{EndRow, NewRequest, NewRow, Table, WorkCall, WorkClient};
use tokio::sync::Semaphore;

use crate::mutant::Mutant;
use crate::postgres::server::Server;
use crate::postgres::table::DatabaseLink;
use crate::world::peer::Peer;
use crate::world::worker::{Worker, WorkerLink};

/// One API's naive side. Clones are the same.
#[derive(Clone)]
pub struct Naive {
    /// As those it talks to see it.
    pub peer: Peer,
    database: DatabaseLink,
    worker: WorkerLink,
    /// For a session of its pool a call waits as long as it takes.
    sessions: Rc<Semaphore>,
}

impl Naive {
    /// That of `peer`, with so many sessions.
    #[must_use]
    pub fn new(peer: Peer, server: Server, worker: &Worker, sessions: u32) -> Self {
        Self {
            database: DatabaseLink::new(server, peer.clone(), Mutant::None),
            worker: worker.link(peer.clone()),
            peer,
            sessions: Rc::new(Semaphore::new(sessions as usize)),
        }
    }

    /// Has the work of `request` done: whether it was, and is recorded.
    pub async fn process(&self, request: &NewRequest) -> bool {
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
