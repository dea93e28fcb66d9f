//! The server around the tables: it dies, hangs, is slow, loses answers after the commit, and fails over to a standby.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::sleep;
use uuid::Uuid;

use super::Conditions;
use super::rows::Tables;
use crate::world::failure::{SqlState, StatementFailure};
use crate::world::gate::{Door, Gate};
use crate::world::peer::Peer;
use crate::world::time::{Clock, Micros};

type Operation = Box<dyn FnOnce(&mut Tables, &Conditions, Micros) + Send>;

/// A Postgres. Clones are the same.
#[derive(Clone)]
pub struct Server {
    /// Refusing while it is dead, shut while it hangs.
    pub(crate) door: Gate,
    /// By which it dates what it writes.
    pub(crate) clock: Clock,
    state: Arc<Mutex<State>>,
}

/// Whose a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A live call's.
    Live,
    /// Recovery's.
    CatchingUp,
    /// One that changes nothing.
    Reading,
}

/// What is the matter with it.
#[derive(Debug, Clone, Default)]
pub struct StorageFaults {
    /// What a statement takes on top of the usual, in milliseconds.
    pub(crate) slow: u64,
    /// What one of recovery takes on top of that.
    pub(crate) catching_up_slow: u64,
    /// How many of a hundred answers are lost after the commit.
    pub(crate) loses: u8,
    pub(crate) read_only: bool,
    /// What is wrong inside.
    pub inside: Conditions,
}

struct State {
    tables: Tables,
    standby: Option<Tables>,
    lost: BTreeMap<Uuid, u64>,
    faults: StorageFaults,
    rng: Rng,
    /// Statements whose callers gave up while it hung: it has read them and will do them.
    left_behind: Vec<Operation>,
}

impl Server {
    /// An empty one.
    #[must_use]
    pub fn new(seed: u64, clock: Clock) -> Self {
        let state = State {
            tables: Tables::default(),
            standby: None,
            lost: BTreeMap::new(),
            faults: StorageFaults::default(),
            rng: Rng::with_seed(seed),
            left_behind: vec![],
        };
        Self {
            door: Gate::default(),
            clock,
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Lets what hung go on: what was read before is done, whoever still wants it.
    pub(crate) fn resume(&self) {
        let mut state = self.lock();
        let now = self.clock.now();
        for operation in std::mem::take(&mut state.left_behind) {
            let State { tables, faults, .. } = &mut *state;
            operation(tables, &faults.inside, now);
        }
        drop(state);
        self.door.set(Door::Open);
    }

    /// It dies, and what was read and not done with it.
    pub(crate) fn die(&self) {
        self.lock().left_behind.clear();
        self.door.set(Door::Refusing);
    }

    /// A standby has all that is there now.
    pub fn replicate(&self) {
        let mut state = self.lock();
        state.standby = Some(state.tables.clone());
    }

    /// The standby takes over, with what it has; `now` is in virtual microseconds.
    pub fn promote(&self, now: u64) {
        let mut state = self.lock();
        let Some(standby) = state.standby.take() else {
            return;
        };
        let gone = state
            .tables
            .rows()
            .filter(|(id, row)| standby.row(*id) != Some(row));
        let gone: Vec<Uuid> = gone.map(|(id, _)| id).collect();
        state.lost.extend(gone.into_iter().map(|id| (id, now)));
        state.tables = standby;
    }

    /// What failovers took, and when.
    pub(crate) fn lost(&self) -> BTreeMap<Uuid, u64> {
        self.lock().lost.clone()
    }

    /// Looks at it as a stranger does: one write that changes nothing.
    ///
    /// # Errors
    /// What came in the place of an answer.
    pub(crate) async fn probe(&self) -> Result<(), StatementFailure> {
        if !self.door.pass().await {
            return Err(StatementFailure::Refused);
        }
        let pause = self.lock().pause(Use::Live);
        sleep(pause).await;
        let nothing = Some(|_: &mut Tables, _: &Conditions, _: Micros| Ok(()));
        self.lock().answer(nothing, Use::Live, self.clock.now())
    }

    /// Changes what is the matter with it.
    pub fn ail(&self, change: impl FnOnce(&mut StorageFaults, &Tables)) {
        let mut state = self.lock();
        let State { tables, faults, .. } = &mut *state;
        change(faults, tables);
    }

    /// Looks at its tables, as nobody in the world can.
    pub fn look<T>(&self, look: impl FnOnce(&Tables) -> T) -> T {
        look(&self.lock().tables)
    }

    /// Has `operation` done for `peer`, as one transaction.
    ///
    /// # Errors
    /// When it did not answer: then it was done, or not, or will be.
    pub(crate) async fn run<A: Send>(
        &self,
        peer: &Peer,
        use_: Use,
        operation: impl FnOnce(&mut Tables, &Conditions, Micros) -> Result<A, SqlState> + Send + 'static,
    ) -> Result<A, StatementFailure> {
        peer.life.pass().await;
        if !peer.to_database.pass().await {
            return Err(StatementFailure::Refused);
        }
        let mut sent = Sent {
            server: self,
            operation: Some(operation),
        };
        if !self.door.pass().await {
            return Err(StatementFailure::Refused);
        }
        let pause = self.lock().pause(use_);
        sleep(pause).await;
        if !self.door.pass().await {
            sent.operation = None;
            return Err(StatementFailure::Lost);
        }
        let operation = sent.operation.take();
        let answer = self.lock().answer(operation, use_, self.clock.now());
        peer.life.pass().await;
        match peer.to_database.door() {
            Door::Open => answer,
            _ => {
                peer.to_database.pass().await;
                Err(StatementFailure::Lost)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn pause(&mut self, use_: Use) -> Duration {
        let usual = self.rng.u64(200..3000);
        let mut slow = self.faults.slow;
        if use_ == Use::CatchingUp {
            slow += self.faults.catching_up_slow;
        }
        Duration::from_micros(usual + slow * 1000)
    }

    fn answer<A>(
        &mut self,
        operation: Option<impl FnOnce(&mut Tables, &Conditions, Micros) -> Result<A, SqlState>>,
        use_: Use,
        now: Micros,
    ) -> Result<A, StatementFailure> {
        if use_ != Use::Reading && self.faults.read_only {
            return Err(StatementFailure::Answered(SqlState("25006")));
        }
        let operation = operation.ok_or(StatementFailure::Lost)?;
        let answer = operation(&mut self.tables, &self.faults.inside, now);
        if self.faults.loses > 0 && self.rng.u8(0..100) < self.faults.loses {
            return Err(StatementFailure::Lost);
        }
        answer.map_err(StatementFailure::Answered)
    }
}

/// A statement on its way. Its caller may give up at any time, and then nobody knows whether it will be done.
struct Sent<'a, A, O>
where
    O: FnOnce(&mut Tables, &Conditions, Micros) -> Result<A, SqlState> + Send + 'static,
{
    server: &'a Server,
    operation: Option<O>,
}

impl<A, O> Drop for Sent<'_, A, O>
where
    O: FnOnce(&mut Tables, &Conditions, Micros) -> Result<A, SqlState> + Send + 'static,
{
    fn drop(&mut self) {
        let Some(operation) = self.operation.take() else {
            return;
        };
        let door = self.server.door.door();
        let mut state = self.server.lock();
        if state.faults.read_only || state.rng.bool() {
            return;
        }
        let now = self.server.clock.now();
        let State {
            tables,
            faults,
            left_behind,
            ..
        } = &mut *state;
        match door {
            // The request to cancel came too late.
            Door::Open => drop(operation(tables, &faults.inside, now)),
            Door::Shut => left_behind.push(Box::new(|tables, conditions, now| {
                drop(operation(tables, conditions, now));
            })),
            Door::Refusing | Door::Gone => {}
        }
    }
}
