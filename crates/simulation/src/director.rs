//! Puts faults in force and ends them.

use std::time::Duration;

use fastrand::Rng;
use tokio::time::sleep_until;

use crate::fault::Kind;
use crate::plan::Fault;
use crate::replica::{Replica, Surroundings};
use crate::world::gate::{Door, Gate};
use crate::world::trace::WORLD;
use crate::world::worker::FaultKind;

/// Who has the world in hand. Clones have the same.
#[derive(Clone)]
pub(crate) struct Director {
    pub(crate) replicas: Vec<Replica>,
    /// And all else.
    pub(crate) world: Surroundings,
}

impl Director {
    /// Plays `fault` from its beginning to its end.
    pub(crate) async fn play(self, fault: Fault) {
        let Surroundings {
            server,
            trace,
            start,
            seed,
            ..
        } = &self.world;
        let begin = *start + Duration::from_millis(fault.at);
        let mut rng = Rng::with_seed(seed ^ fault.at << 16 ^ fault.lasts);
        if let Kind::FailsOver(lag) = fault.kind {
            sleep_until(begin - Duration::from_millis(lag.min(fault.at))).await;
            server.replicate();
        }
        sleep_until(begin).await;
        trace.note(WORLD, fault.kind.name(), 0, 1);
        self.set(fault.kind, true, &mut rng);
        sleep_until(begin + Duration::from_millis(fault.lasts)).await;
        trace.note(WORLD, fault.kind.name(), 0, 0);
        self.set(fault.kind, false, &mut rng);
    }

    /// Ends whatever another fault of its kind may have left.
    pub(crate) fn heal(&self) {
        let Surroundings { server, worker, .. } = &self.world;
        server.ail(|faults, _| *faults = Default::default());
        server.clock.skew(0);
        server.resume();
        worker.ail(None);
        worker.door.set(Door::Open);
        for replica in &self.replicas {
            replica.start();
            let disk = replica.disk();
            for gate in [&replica.to_database, &replica.to_worker, &disk.door] {
                gate.set(Door::Open);
            }
            disk.fill(false);
            replica.clock.skew(0);
            life(replica).iter().for_each(|it| it.set(Door::Open));
        }
    }

    /// Takes away what refuses a body: results that it kept in the journals can be brought over.
    pub(crate) fn drop_trigger(&self) {
        self.world
            .server
            .ail(|it, _| it.inside.trigger_is_gone = true);
    }

    /// Puts it in force, or ends it.
    fn set(&self, kind: Kind, begins: bool, rng: &mut Rng) {
        let Surroundings { server, worker, .. } = &self.world;
        let door = |door| if begins { door } else { Door::Open };
        let cut = |silent| door(if silent { Door::Shut } else { Door::Refusing });
        let skew = |by: i64| if begins { by * 1_000_000 } else { 0 };
        let slow = |by: u64| if begins { by } else { 0 };
        let ails = |what| Some(what).filter(|_| begins);
        match kind {
            Kind::DatabaseDies | Kind::FailsOver(_) if begins => server.die(),
            Kind::DatabaseHangs if begins => server.door.set(Door::Shut),
            Kind::DatabaseDies | Kind::DatabaseHangs => server.resume(),
            Kind::FailsOver(_) => {
                server.promote(self.world.trace.now());
                server.resume();
            }
            Kind::DatabaseSlow(by) => server.ail(|it, _| it.slow = slow(by)),
            Kind::CatchingUpSlow(by) => server.ail(|it, _| it.catching_up_slow = slow(by)),
            Kind::AnswersLost(share) => {
                server.ail(|it, _| it.loses = if begins { share } else { 0 });
            }
            Kind::ReadOnly => server.ail(|it, _| it.read_only = begins),
            Kind::SchemaOutdated => server.ail(|it, _| it.inside.keys_are_missing = begins),
            Kind::Locks if begins => self.lock(rng),
            Kind::Locks => server.ail(|it, _| {
                it.inside.locked_rows.clear();
                it.inside.locked_keys.clear();
            }),
            Kind::DatabaseClock(by) => server.clock.skew(skew(by)),
            Kind::WorkerDies => worker.door.set(door(Door::Refusing)),
            Kind::WorkerHangs => worker.door.set(door(Door::Shut)),
            Kind::WorkerAnswers(status) => worker.ail(ails(FaultKind::Answers(status))),
            Kind::WorkerSlow(takes) => worker.ail(ails(FaultKind::Takes(takes))),
            Kind::Crash(replica) if begins => self.on(replica, |it| it.kill(rng.bool())),
            Kind::Crash(replica) => self.on(replica, |it| {
                it.start();
            }),
            Kind::Freeze(replica) => self.on(replica, |it| {
                life(it).iter().for_each(|life| life.set(door(Door::Shut)));
            }),
            Kind::Clock(replica, by) => self.on(replica, |it| it.clock.skew(skew(by))),
            Kind::CutFromDatabase(replica, silent) => {
                self.on(replica, |it| it.to_database.set(cut(silent)));
            }
            Kind::CutFromWorker(replica, silent) => {
                self.on(replica, |it| it.to_worker.set(cut(silent)));
            }
            Kind::DiskHangs(replica) => self.on(replica, |it| it.disk().door.set(door(Door::Shut))),
            Kind::DiskFull(replica) => self.on(replica, |it| it.disk().fill(begins)),
            Kind::SyncFails(replica) if begins => self.on(replica, |it| it.disk().fail_once()),
            Kind::SyncFails(_) => {}
        }
    }

    fn on(&self, replica: u8, act: impl FnOnce(&Replica)) {
        if let Some(replica) = self.replicas.get(usize::from(replica)) {
            act(replica);
        }
    }

    /// Half of the open rows, and some keys.
    fn lock(&self, rng: &mut Rng) {
        self.world.server.ail(|it, tables| {
            let open = tables.free_from(i64::MIN).map(|(_, id)| id);
            it.inside.locked_rows = open.filter(|_| rng.bool()).collect();
            let keys = (0..40).map(|key| format!("key-{key}"));
            it.inside.locked_keys = keys.filter(|_| rng.u8(0..5) == 0).collect();
        });
    }
}

fn life(replica: &Replica) -> Option<Gate> {
    replica.life().map(|life| life.peer.life)
}
