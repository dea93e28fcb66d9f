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
pub(crate) struct Surroundings {
    /// What governs them.
    pub(crate) policies: Rc<Policies>,
    pub(crate) server: Server,
    pub(crate) worker: Worker,
    /// The account of it all.
    pub(crate) trace: Trace,
    /// When the world began.
    pub(crate) start: Instant,
    /// Where what is drawn at random comes from.
    pub(crate) seed: u64,
    /// What is wrong with all of them.
    pub(crate) mutant: Mutant,
}

impl Surroundings {
    /// From now on, and with nothing wrong.
    pub(crate) fn new(policies: Policies, server: Server, worker: Worker, seed: u64) -> Self {
        Self {
            policies: Rc::new(policies),
            server,
            worker,
            trace: Trace::begin(),
            start: Instant::now(),
            seed,
            mutant: Mutant::None,
        }
    }
}

/// One replica with its disk, over all its lives. Clones are the same.
#[derive(Clone)]
pub(crate) struct Replica {
    number: u8,
    surroundings: Surroundings,
    pub(crate) clock: Clock,
    pub(crate) to_database: Gate,
    pub(crate) to_worker: Gate,
    state: Rc<RefCell<State>>,
}

struct State {
    disk: Disk,
    lives: u32,
    /// `None` while it is dead.
    life: Option<Life>,
}

/// One life of it.
#[derive(Clone)]
pub(crate) struct Life {
    pub(crate) number: u32,
    calls: Rc<Calls<DatabaseLink, WorkerLink>>,
    /// As those it talks to see it.
    pub(crate) peer: Peer,
    dependencies: Dependencies,
    journal: Journal,
    mutant: Mutant,
    tasks: Rc<[AbortHandle; 2]>,
}

/// What a replica holds of its own accord when all is quiet: nothing.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Held {
    pub(crate) worker: Snapshot,
    pub(crate) database: Snapshot,
    pub(crate) entries: u64,
    /// Of them, those that Postgres refuses, set apart.
    pub(crate) quarantined: u64,
    /// Whether the journal's file is open.
    pub(crate) journal_is_open: bool,
}

impl Replica {
    /// Replica `number`, dead, on a new disk.
    pub(crate) fn new(number: u8, surroundings: Surroundings) -> Self {
        let state = State {
            disk: Disk::new(surroundings.mutant == Mutant::FsyncSkipped),
            lives: 0,
            life: None,
        };
        Self {
            number,
            clock: Clock::new(surroundings.start),
            surroundings,
            to_database: Gate::default(),
            to_worker: Gate::default(),
            state: Rc::new(RefCell::new(state)),
        }
    }

    /// Starts it, unless it lives. False: it cannot be started with these policies.
    pub(crate) fn start(&self) -> bool {
        let mut state = self.state.borrow_mut();
        if state.life.is_none() {
            state.lives += 1;
            state.life = self.begin(state.lives, &state.disk);
        }
        state.life.is_some()
    }

    /// Kills it at once; what its disk had not synced is there afterwards if it is `lucky`.
    pub(crate) fn kill(&self, lucky: bool) {
        let life = {
            let mut state = self.state.borrow_mut();
            state.disk = state.disk.after_a_crash(lucky);
            state.life.take()
        };
        if let Some(life) = life {
            life.peer.life.set(Door::Gone);
            life.tasks.iter().for_each(AbortHandle::abort);
        }
    }

    /// Its present life; `None` while it is dead.
    pub(crate) fn life(&self) -> Option<Life> {
        self.state.borrow().life.clone()
    }

    /// The disk of its present life.
    pub(crate) fn disk(&self) -> Disk {
        self.state.borrow().disk.clone()
    }

    fn begin(&self, number: u32, disk: &Disk) -> Option<Life> {
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
            to_database: self.to_database.clone(),
            to_worker: self.to_worker.clone(),
            ..Peer::new(self.clock.clone(), trace.clone())
        };
        let seed = seed ^ u64::from(number) << 32 ^ u64::from(self.number) << 56;
        let mut dependencies = Dependencies::new(policies, seed).ok()?;
        if *mutant == Mutant::BreakerShared {
            dependencies.catching_up = Arc::clone(&dependencies.database);
        }
        let (journal, disk_work) = Journal::driven_by_caller(disk.clone(), LIMITS);
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
        let (life, door) = (peer.life.clone(), disk.door.clone());
        let disk_work = async move { door.holding(disk_work).await };
        let background = async move { life.holding(background).await };
        let tasks = [
            spawn_local(disk_work).abort_handle(),
            spawn_local(background).abort_handle(),
        ];
        Some(Life {
            number,
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
    pub(crate) async fn process(&self, mut request: NewRequest) -> Option<Outcome> {
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
            _ = life.until(|door| door == Door::Gone) => None,
            outcome = life.holding(process) => Some(outcome),
        }
    }

    /// Gives a `call` up.
    pub(crate) fn leave(&self, call: impl Future<Output = Option<Outcome>>) {
        if self.mutant == Mutant::TicketKept {
            std::mem::forget(call);
        }
    }

    /// What it holds now.
    pub(crate) fn held(&self) -> Held {
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
