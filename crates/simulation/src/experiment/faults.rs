//! What the lab breaks, broken in the modelled world, with a stranger's look at it while it is in force and when it is over.

use std::time::Duration;

use holdfast_checker::plan::{Fault, Kind, Target};
use holdfast_checker::trial::{FaultWindow, Observation};
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep_until, timeout_at};

use super::NotPlayed;
use crate::api::Api;
use crate::replica::Surroundings;
use crate::world::failure::Failure;
use crate::world::gate::Door;
use crate::world::wire::Wrong;

/// How long a service is away that is killed and started again at once.
const RESTARTS: Duration = Duration::from_millis(100);
/// How long a stranger waits for an answer.
const PATIENCE: Duration = Duration::from_millis(400);
/// Who is well answers sooner.
const WELL: Duration = Duration::from_millis(40);
/// How often a stranger asks where only a share of the exchanges is hurt.
const LOOKS: u32 = 200;

/// A fault and what it strikes.
pub(super) struct Stricken {
    fault: Fault,
    harm: Harm,
    api: Api,
    world: Surroundings,
    /// How long a worker is cold that was started.
    warmup: Option<Duration>,
}

/// What it does to the model.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Harm {
    /// Nobody listens.
    Refuses,
    /// What comes waits.
    Hangs,
    Wire(Wrong, f64),
    /// Statements take so many milliseconds more.
    Slow(u64),
    ReadOnly,
    /// The load sends it.
    Nothing,
}

/// Plays all of them, those of one target one after the other: what ends at a moment ends before anything begins.
pub(super) async fn play(mut faults: Vec<Stricken>, epoch: Instant) -> Vec<FaultWindow> {
    faults.sort_by_key(|it| (it.fault.target, it.fault.at));
    let mut of_targets = vec![];
    while let Some(first) = faults.first() {
        let target = first.fault.target;
        let others = faults.iter().position(|it| it.fault.target != target);
        let own: Vec<_> = faults.drain(..others.unwrap_or(faults.len())).collect();
        of_targets.push(spawn_local(async move {
            let mut played = vec![];
            for fault in own {
                played.push(fault.play(epoch).await);
            }
            played
        }));
    }
    super::all(of_targets).await.concat()
}

impl Stricken {
    pub(super) fn new(
        fault: &Fault,
        api: &Api,
        world: &Surroundings,
        warmup: Option<Duration>,
    ) -> Result<Self, NotPlayed> {
        let harm = harm(fault).ok_or_else(|| NotPlayed::Unknown(fault.to_string()))?;
        Ok(Self {
            fault: fault.clone(),
            harm,
            api: api.clone(),
            world: world.clone(),
            warmup,
        })
    }

    /// From its beginning to its end.
    async fn play(&self, epoch: Instant) -> FaultWindow {
        let Fault { at, kind, .. } = self.fault;
        let end = match kind {
            Kind::Restart => at + RESTARTS,
            _ => self.fault.end(),
        };
        sleep_until(epoch + at).await;
        let from = epoch.elapsed();
        self.strike(true);
        let live = self.live(epoch + end).await;
        sleep_until(epoch + end).await;
        let to = epoch.elapsed();
        self.strike(false);
        FaultWindow {
            name: self.fault.to_string(),
            target: self.fault.target,
            from,
            to,
            recovered: to,
            live,
            healed: match self.look(WELL, Instant::now() + PATIENCE).await {
                None => observation(true, "it answers"),
                Some(amiss) => observation(false, amiss),
            },
        }
    }

    fn strike(&self, begins: bool) {
        let Surroundings { server, worker, .. } = &self.world;
        let door = match self.harm {
            Harm::Hangs if begins => Door::Shut,
            Harm::Refuses if begins => Door::Refusing,
            _ => Door::Open,
        };
        let warmup = self.warmup.filter(|_| self.fault.kind.ends_process());
        match (self.fault.target, self.harm) {
            (_, Harm::Nothing) => {}
            (_, Harm::Wire(wrong, share)) if begins => worker.wire.hurt(wrong, share),
            (_, Harm::Wire(..)) => worker.wire.heal(),
            (_, Harm::Slow(by)) => server.ail(|it, _| it.slow = if begins { by } else { 0 }),
            (_, Harm::ReadOnly) => server.ail(|it, _| it.read_only = begins),
            (Target::Worker, _) if begins => worker.door.set(door),
            (Target::Worker, _) => worker.start(warmup),
            (Target::Database, Harm::Refuses) if begins => server.die(),
            (Target::Database, _) if begins => server.door.set(door),
            (Target::Database, _) => server.resume(),
            (Target::Api, Harm::Refuses) if begins => self.api.kill(),
            (Target::Api, Harm::Refuses) => {
                self.api.start();
            }
            (Target::Node | Target::Replica(_) | Target::Standby, _) => {}
            (Target::Api, _) => self.api.life().iter().for_each(|it| it.set(door)),
        }
    }

    /// Whether it is seen to be in force before `end`.
    async fn live(&self, end: Instant) -> Observation {
        if self.harm == Harm::Nothing {
            return observation(true, "its calls are sent");
        }
        let looks = if self.fault.kind.affects_all() {
            1
        } else {
            LOOKS
        };
        for _ in 0..looks {
            let until = end.min(Instant::now() + PATIENCE);
            if let Some(amiss) = self.look(self.late(), until).await {
                return observation(true, amiss);
            }
        }
        observation(false, "it answers")
    }

    /// After how long its answers are late by its doing.
    fn late(&self) -> Duration {
        match self.harm {
            Harm::Slow(least) | Harm::Wire(Wrong::Late(least, _), _) => {
                WELL.min(Duration::from_millis(least))
            }
            _ => WELL,
        }
    }

    /// What a stranger sees that is amiss, until then: an answer that takes as long as `late` is.
    async fn look(&self, late: Duration, until: Instant) -> Option<&'static str> {
        let Surroundings { server, worker, .. } = &self.world;
        match self.fault.target {
            Target::Worker => seen(late, until, worker.look()).await,
            Target::Database => seen(late, until, server.probe()).await,
            Target::Node | Target::Replica(_) | Target::Standby => None,
            Target::Api => match self.api.life().map(|life| life.door()) {
                None => Some("its port refuses"),
                Some(Door::Open) => None,
                Some(_) => Some("it accepts and does not answer"),
            },
        }
    }
}

/// What is amiss with an answer that comes until then.
async fn seen<E>(
    late: Duration,
    until: Instant,
    look: impl Future<Output = Result<(), Failure<E>>>,
) -> Option<&'static str> {
    let asked = Instant::now();
    match timeout_at(until, look).await {
        Ok(Ok(())) => (asked.elapsed() >= late).then_some("it answers late"),
        Ok(Err(Failure::Refused)) => Some("its port refuses"),
        Ok(Err(Failure::Lost)) => Some("its connection breaks in the middle"),
        Ok(Err(Failure::Answered(_))) => Some("it answers an error"),
        Err(_) => Some("it accepts and does not answer"),
    }
}

fn observation(holds: bool, seen: &str) -> Observation {
    Observation {
        holds,
        seen: seen.to_owned(),
    }
}

/// None: the model has nothing of it.
fn harm(fault: &Fault) -> Option<Harm> {
    if matches!(fault.target, Target::Node | Target::Standby) {
        return None;
    }
    let on_wire =
        |wrong, share| (fault.target == Target::Worker).then_some(Harm::Wire(wrong, share));
    match fault.kind {
        Kind::Kill | Kind::Restart | Kind::Refuse | Kind::Connections => Some(Harm::Refuses),
        Kind::Pause | Kind::Blackhole | Kind::Lock => Some(Harm::Hangs),
        Kind::ReadOnly => Some(Harm::ReadOnly),
        Kind::Surge { .. } => Some(Harm::Nothing),
        Kind::Replace | Kind::Partition | Kind::Switchover | Kind::Drain | Kind::LossyFailover => {
            None
        }
        Kind::Latency { delay, .. } if fault.target == Target::Database => {
            Some(Harm::Slow(millis(delay)))
        }
        Kind::Latency {
            delay,
            jitter,
            share,
        } => {
            let late = Wrong::Late(millis(delay.saturating_sub(jitter)), millis(delay + jitter));
            on_wire(late, share)
        }
        Kind::Reset { share, .. } => on_wire(Wrong::Breaks, share),
        Kind::Garbage { share } => on_wire(Wrong::Garbles, share),
        Kind::Status { code, share } => on_wire(Wrong::Answers(code), share),
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
