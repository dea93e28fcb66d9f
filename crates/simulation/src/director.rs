//! Puts faults in force and ends them.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep_until};

use crate::fault::Kind;
use crate::plan::Fault;
use crate::postgres::server::Server;
use crate::replica::Replica;
use crate::world::gate::{Door, Gate};
use crate::world::trace::{Trace, WORLD};
use crate::world::worker::{FaultKind, Worker};

/// Who has the world in hand. Clones have the same.
#[derive(Clone)]
pub struct Director {
    /// All replicas.
    pub replicas: Vec<Replica>,
    /// The database.
    pub server: Server,
    /// The worker.
    pub worker: Worker,
    /// When the world began.
    pub start: Instant,
    /// Where all is noted.
    pub trace: Trace,
}

impl Director {
    /// Plays `fault` from its beginning to its end.
    pub async fn play(self, fault: Fault, seed: u64) {
        let begin = self.start + Duration::from_millis(fault.at);
        let mut rng = Rng::with_seed(seed ^ fault.at << 16 ^ fault.lasts);
        if let Kind::FailsOver(lag) = fault.kind {
            sleep_until(begin - Duration::from_millis(lag.min(fault.at))).await;
            self.server.replicate();
        }
        sleep_until(begin).await;
        self.trace.note(WORLD, fault.kind.name(), 0, 1);
        self.begin(fault.kind, &mut rng);
        sleep_until(begin + Duration::from_millis(fault.lasts)).await;
        self.trace.note(WORLD, fault.kind.name(), 0, 0);
        self.end(fault.kind);
    }

    /// Ends whatever another fault of its kind may have left.
    pub fn heal(&self) {
        self.server.ail(|faults, _| *faults = Default::default());
        self.server.clock().skew(0);
        self.server.resume();
        self.worker.ail(None);
        self.worker.door().set(Door::Open);
        for replica in &self.replicas {
            let _ = replica.start();
            for gate in [
                replica.to_database(),
                replica.to_worker(),
                replica.disk().door,
            ] {
                gate.set(Door::Open);
            }
            replica.disk().fill(false);
            replica.clock().skew(0);
            self.life(replica).iter().for_each(|it| it.set(Door::Open));
        }
    }

    /// Takes away what refuses a body: results that it kept in the journals can be brought over.
    pub fn drop_trigger(&self) {
        self.server.ail(|it, _| it.inside.trigger_is_gone = true);
    }

    fn begin(&self, kind: Kind, rng: &mut Rng) {
        match kind {
            Kind::DatabaseDies | Kind::FailsOver(_) => self.server.die(),
            Kind::DatabaseHangs => self.server.door().set(Door::Shut),
            Kind::DatabaseSlow(by) => self.server.ail(|it, _| it.slow = by),
            Kind::CatchingUpSlow(by) => self.server.ail(|it, _| it.catching_up_slow = by),
            Kind::AnswersLost(share) => self.server.ail(|it, _| it.loses = share),
            Kind::ReadOnly => self.server.ail(|it, _| it.read_only = true),
            Kind::SchemaOutdated => self.server.ail(|it, _| it.inside.keys_are_missing = true),
            Kind::Locks => self.lock(rng),
            Kind::DatabaseClock(by) => self.server.clock().skew(by * 1_000_000),
            Kind::WorkerDies => self.worker.door().set(Door::Refusing),
            Kind::WorkerHangs => self.worker.door().set(Door::Shut),
            Kind::WorkerAnswers(status) => self.worker.ail(Some(FaultKind::Answers(status))),
            Kind::WorkerSlow(takes) => self.worker.ail(Some(FaultKind::Takes(takes))),
            Kind::Crash(replica) => self.on(replica, |it| it.kill(rng.bool())),
            Kind::Freeze(replica) => self.freeze(replica, Door::Shut),
            Kind::Clock(replica, by) => self.on(replica, |it| it.clock().skew(by * 1_000_000)),
            Kind::CutFromDatabase(replica, silent) => {
                self.on(replica, |it| it.to_database().set(cut(silent)));
            }
            Kind::CutFromWorker(replica, silent) => {
                self.on(replica, |it| it.to_worker().set(cut(silent)));
            }
            Kind::DiskHangs(replica) => self.on(replica, |it| it.disk().door.set(Door::Shut)),
            Kind::DiskFull(replica) => self.on(replica, |it| it.disk().fill(true)),
            Kind::SyncFails(replica) => self.on(replica, |it| it.disk().fail_once()),
        }
    }

    fn end(&self, kind: Kind) {
        match kind {
            Kind::DatabaseDies | Kind::DatabaseHangs => self.server.resume(),
            Kind::FailsOver(_) => {
                self.server.promote(self.trace.now());
                self.server.resume();
            }
            Kind::DatabaseSlow(_) => self.server.ail(|it, _| it.slow = 0),
            Kind::CatchingUpSlow(_) => self.server.ail(|it, _| it.catching_up_slow = 0),
            Kind::AnswersLost(_) => self.server.ail(|it, _| it.loses = 0),
            Kind::ReadOnly => self.server.ail(|it, _| it.read_only = false),
            Kind::SchemaOutdated => self.server.ail(|it, _| it.inside.keys_are_missing = false),
            Kind::Locks => self.server.ail(|it, _| {
                it.inside.locked_rows.clear();
                it.inside.locked_keys.clear();
            }),
            Kind::DatabaseClock(_) => self.server.clock().skew(0),
            Kind::WorkerDies | Kind::WorkerHangs => self.worker.door().set(Door::Open),
            Kind::WorkerAnswers(_) | Kind::WorkerSlow(_) => self.worker.ail(None),
            Kind::Crash(replica) => self.on(replica, |it| {
                let _ = it.start();
            }),
            Kind::Freeze(replica) => self.freeze(replica, Door::Open),
            Kind::Clock(replica, _) => self.on(replica, |it| it.clock().skew(0)),
            Kind::CutFromDatabase(replica, _) => {
                self.on(replica, |it| it.to_database().set(Door::Open));
            }
            Kind::CutFromWorker(replica, _) => {
                self.on(replica, |it| it.to_worker().set(Door::Open));
            }
            Kind::DiskHangs(replica) => self.on(replica, |it| it.disk().door.set(Door::Open)),
            Kind::DiskFull(replica) => self.on(replica, |it| it.disk().fill(false)),
            Kind::SyncFails(_) => {}
        }
    }

    fn on(&self, replica: u8, act: impl FnOnce(&Replica)) {
        if let Some(replica) = self.replicas.get(usize::from(replica)) {
            act(replica);
        }
    }

    fn freeze(&self, replica: u8, door: Door) {
        self.on(replica, |it| {
            self.life(it).iter().for_each(|life| life.set(door));
        });
    }

    fn life(&self, replica: &Replica) -> Option<Gate> {
        replica.life().map(|life| life.peer.life)
    }

    /// Half of the open rows, and some keys.
    fn lock(&self, rng: &mut Rng) {
        self.server.ail(|it, tables| {
            let open = tables.free_from(i64::MIN).map(|(_, id)| id);
            it.inside.locked_rows = open.filter(|_| rng.bool()).collect();
            let keys = (0..40).map(|key| format!("key-{key}"));
            it.inside.locked_keys = keys.filter(|_| rng.u8(0..5) == 0).collect();
        });
    }
}

fn cut(silent: bool) -> Door {
    if silent { Door::Shut } else { Door::Refusing }
}
