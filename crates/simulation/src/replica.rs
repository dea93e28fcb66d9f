//! A replica that is started, frozen, killed and started again, on the disk it had.

use std::cell::RefCell;
use std::future::pending;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use holdfast_api::embedded::{
    Calls, Dependencies, Embedded, Journal, JournalLimits, NewRequest, Outcome, Policies, Setup,
};
use holdfast_policy::Snapshot;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::Instant;

use crate::mutant::Mutant;
use crate::postgres::server::Server;
use crate::postgres::table::DatabaseLink;
use crate::world::disk::Disk;
use crate::world::gate::{Door, Gate};
use crate::world::number;
use crate::world::peer::Peer;
use crate::world::time::Clock;
use crate::world::trace::Trace;
use crate::world::worker::{Worker, WorkerLink};

const LIMITS: JournalLimits = JournalLimits {
    max_bytes: 64 << 20,
    max_batch: 256,
    lock_wait: Duration::ZERO,
};

/// What all replicas share.
#[derive(Clone)]
pub struct Surroundings {
    /// What governs them.
    pub policies: Rc<Policies>,
    /// The database.
    pub server: Server,
    /// The worker.
    pub worker: Worker,
    /// The account of it all.
    pub trace: Trace,
    /// When the world began.
    pub start: Instant,
    /// Where what is drawn at random comes from.
    pub seed: u64,
    /// What is wrong with all of them.
    pub mutant: Mutant,
}

/// One replica with its disk, over all its lives. Clones are the same.
#[derive(Clone)]
pub struct Replica(Rc<RefCell<Inner>>);

struct Inner {
    number: u8,
    surroundings: Surroundings,
    disk: Disk,
    clock: Clock,
    to_database: Gate,
    to_worker: Gate,
    lives: u32,
    /// `None` while it is dead.
    life: Option<Life>,
}

/// One life of it.
#[derive(Clone)]
pub struct Life {
    /// Which.
    pub number: u32,
    /// What answers calls.
    pub calls: Rc<Calls<DatabaseLink, WorkerLink>>,
    /// As those it talks to see it.
    pub peer: Peer,
    dependencies: Dependencies,
    journal: Journal,
    mutant: Mutant,
    tasks: Rc<[AbortHandle; 2]>,
}

/// What a replica holds of its own accord when all is quiet: nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Held {
    /// The worker's policy.
    pub worker: Snapshot,
    /// The database's.
    pub database: Snapshot,
    /// Journal entries.
    pub entries: u64,
    /// Of them, those that Postgres refuses, set apart.
    pub quarantined: u64,
    /// Whether the journal's file is open.
    pub journal_is_open: bool,
}

impl Replica {
    /// Replica `number`, dead, on a new disk.
    #[must_use]
    pub fn new(number: u8, surroundings: Surroundings) -> Self {
        let disk = Disk::new(surroundings.mutant == Mutant::FsyncSkipped);
        let clock = Clock::new(surroundings.start);
        Self(Rc::new(RefCell::new(Inner {
            number,
            surroundings,
            disk,
            clock,
            to_database: Gate::default(),
            to_worker: Gate::default(),
            lives: 0,
            life: None,
        })))
    }

    /// Starts it, unless it lives. False: it cannot be started with these policies.
    #[must_use]
    pub fn start(&self) -> bool {
        let mut inner = self.0.borrow_mut();
        if inner.life.is_none() {
            inner.lives += 1;
            inner.life = inner.begin();
        }
        inner.life.is_some()
    }

    /// Kills it at once; what its disk had not synced is there afterwards if it is `lucky`.
    pub fn kill(&self, lucky: bool) {
        let life = {
            let mut inner = self.0.borrow_mut();
            inner.disk = inner.disk.after_a_crash(lucky);
            inner.life.take()
        };
        if let Some(life) = life {
            life.peer.life.set(Door::Gone);
            life.tasks.iter().for_each(AbortHandle::abort);
        }
    }

    /// Its present life; `None` while it is dead.
    #[must_use]
    pub fn life(&self) -> Option<Life> {
        self.0.borrow().life.clone()
    }

    /// Its way to Postgres.
    #[must_use]
    pub fn to_database(&self) -> Gate {
        self.0.borrow().to_database.clone()
    }

    /// Its way to the worker.
    #[must_use]
    pub fn to_worker(&self) -> Gate {
        self.0.borrow().to_worker.clone()
    }

    /// Its disk.
    #[must_use]
    pub fn disk(&self) -> Disk {
        self.0.borrow().disk.clone()
    }

    /// Its wall clock.
    #[must_use]
    pub fn clock(&self) -> Clock {
        self.0.borrow().clock.clone()
    }
}

impl Inner {
    fn begin(&self) -> Option<Life> {
        let Surroundings {
            policies,
            server,
            worker,
            trace,
            seed,
            mutant,
            ..
        } = &self.surroundings;
        let peer = Peer {
            replica: self.number,
            life: Gate::default(),
            to_database: self.to_database.clone(),
            to_worker: self.to_worker.clone(),
            clock: self.clock.clone(),
            trace: trace.clone(),
        };
        let seed = seed ^ u64::from(self.lives) << 32 ^ u64::from(self.number) << 56;
        let mut dependencies = Dependencies::new(policies, seed).ok()?;
        if *mutant == Mutant::BreakerShared {
            dependencies.catching_up = Arc::clone(&dependencies.database);
        }
        let (journal, disk_work) = Journal::driven_by_caller(self.disk.clone(), LIMITS);
        let embedded = |dependencies| {
            Embedded::new(Setup {
                policies,
                dependencies,
                table: DatabaseLink::new(server.clone(), peer.clone(), *mutant),
                client: worker.link(peer.clone()),
                journal: journal.clone(),
                clock: self.clock.as_wall_clock(),
            })
        };
        let (calls, mut background) = embedded(dependencies.clone()).start();
        if *mutant == Mutant::BudgetNotShared {
            // The background of a second replica in the same place, whose calls nobody makes.
            let mut own = dependencies.clone();
            own.worker = Dependencies::new(policies, seed).ok()?.worker;
            background = embedded(own).start().1;
        }
        let (life, door) = (peer.life.clone(), self.disk.door.clone());
        let disk_work = async move { door.holding(disk_work).await };
        let background = async move { life.holding(background).await };
        let tasks = [
            spawn_local(disk_work).abort_handle(),
            spawn_local(background).abort_handle(),
        ];
        Some(Life {
            number: self.lives,
            calls: Rc::new(calls),
            peer,
            dependencies,
            journal,
            mutant: *mutant,
            tasks: Rc::new(tasks),
        })
    }
}

impl Life {
    /// Has it answer `request`; `None`: it died.
    pub async fn process(&self, mut request: NewRequest) -> Option<Outcome> {
        let life = &self.peer.life;
        let (mutant, id) = (self.mutant, request.id);
        request.key = request.key.map(|key| mutant.told_key(key, id));
        let process = async {
            if mutant.forgets(number(id)) {
                pending::<()>().await;
            }
            self.calls.process(request).await
        };
        tokio::select! {
            biased;
            () = life.becomes(Door::Gone) => None,
            outcome = life.holding(process) => Some(outcome),
        }
    }

    /// Gives a `call` up.
    pub fn leave(&self, call: impl Future<Output = Option<Outcome>>) {
        if self.mutant == Mutant::TicketKept {
            std::mem::forget(call);
        }
    }

    /// What it holds now.
    #[must_use]
    pub fn held(&self) -> Held {
        let stats = self.journal.stats();
        Held {
            worker: self.dependencies.worker.snapshot(),
            database: self.dependencies.database.snapshot(),
            entries: stats.entries,
            quarantined: stats.quarantined,
            journal_is_open: stats.available,
        }
    }
}
