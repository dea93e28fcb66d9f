//! Faults: each is put in force, proved, ended, and proved over. The proof is a look of its own, not the API's word.

mod connections;
mod kill;
mod lock;
mod node;
mod pause;
mod read_only;
mod replace;
mod restart;
mod session;
mod timeline;
mod wire;

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::error::ChaosError;
use crate::look::Look;
use crate::plan::{Fault, Kind, Target};
use crate::scene::Scene;
use crate::system::Wired;
use crate::trial::{Observed, Sight};

use session::Session;
pub use timeline::play;

/// What answers at all answers within this, on a machine that is not overloaded.
const PATIENCE: Duration = Duration::from_millis(400);
const HEALED_WITHIN: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(50);

/// A fault in force.
#[derive(Debug)]
pub struct InForce {
    fault: Fault,
    from: Duration,
    /// Of those that end by themselves.
    to: Option<Duration>,
    live: Sight,
    /// What holds it in force; it ends with these.
    sessions: Vec<Session>,
}

/// Between the API and which of its dependencies the faults want a breakable wire.
pub fn wired(faults: &[Fault]) -> Wired {
    let on = |target| {
        let mut faults = faults.iter();
        faults.any(|fault| fault.target == target && wire::fault(fault.kind).is_some())
    };
    Wired {
        worker: on(Target::Worker),
        database: on(Target::Database),
    }
}

/// Whether one of them moves the worker to another address.
pub fn replaced(faults: &[Fault]) -> bool {
    faults.iter().any(|fault| fault.kind == Kind::Replace)
}

impl InForce {
    /// Puts the fault in force and looks whether it is.
    ///
    /// # Errors
    /// When it cannot be.
    pub async fn put(fault: &Fault, scene: &Scene, epoch: Instant) -> Result<Self, ChaosError> {
        let begun = epoch.elapsed();
        let mut sessions = Vec::new();
        let over = put(fault, scene, &mut sessions).await?;
        // The wire bites as soon as it is told to, and only then proves it. What else there is takes time to put in force.
        let from = if over.is_some() || wire::fault(fault.kind).is_some() {
            begun
        } else {
            epoch.elapsed()
        };
        Ok(Self {
            fault: fault.clone(),
            from,
            to: over.is_some().then(|| epoch.elapsed()),
            live: match over {
                Some(seen) => seen,
                None => look(fault, scene).await,
            },
            sessions,
        })
    }

    /// Looks again, unless it was not in force to begin with or is over.
    pub async fn look_again(&mut self, scene: &Scene) {
        if !self.live.holds || self.to.is_some() {
            return;
        }
        let now = look(&self.fault, scene).await;
        if !now.holds {
            let (first, now) = (&self.live.seen, now.seen);
            self.live = Sight {
                holds: false,
                seen: format!("{first}, but before its end: {now}"),
            };
        }
    }

    /// Ends it, and looks until all is well.
    ///
    /// # Errors
    /// When it cannot be ended.
    pub async fn end(self, scene: &Scene, epoch: Instant) -> Result<Observed, ChaosError> {
        let target = self.fault.target;
        // It may be over at any time from here on.
        let to = self.to.unwrap_or_else(|| epoch.elapsed());
        match self.fault.kind {
            kind if target == Target::Node => node::end(kind, scene).await?,
            Kind::Kill => kill::end(target, scene).await?,
            Kind::Pause => pause::end(target, scene).await?,
            Kind::ReadOnly => read_only::end(scene).await?,
            Kind::Restart
            | Kind::Replace
            | Kind::Lock
            | Kind::Connections
            | Kind::Surge { .. }
            | Kind::Partition
            | Kind::Drain => {}
            Kind::Refuse
            | Kind::Blackhole
            | Kind::Latency { .. }
            | Kind::Reset { .. }
            | Kind::Garbage { .. }
            | Kind::Status { .. } => wire::end(target, scene).await?,
        }
        drop(self.sessions);
        let healed = until_well(target, scene).await;
        Ok(Observed {
            name: self.fault.to_string(),
            target,
            from: self.from,
            to,
            live: self.live,
            healed,
        })
    }
}

/// Puts it in force; what was seen of it, if it is over already.
async fn put(
    fault: &Fault,
    scene: &Scene,
    sessions: &mut Vec<Session>,
) -> Result<Option<Sight>, ChaosError> {
    match fault.kind {
        kind if fault.target == Target::Node => node::put(kind, scene).await?,
        Kind::Kill => kill::put(fault.target, scene).await?,
        Kind::Pause => pause::put(fault.target, scene).await?,
        Kind::Restart => return restart::put(fault.target, scene).await.map(Some),
        Kind::Replace => return replace::put(scene).await.map(Some),
        Kind::Lock => lock::put(scene, sessions).await?,
        Kind::Connections => connections::put(scene, sessions).await?,
        Kind::ReadOnly => read_only::put(scene).await?,
        // The load sends it; only a node has the others.
        Kind::Surge { .. } | Kind::Partition | Kind::Drain => {}
        Kind::Refuse
        | Kind::Blackhole
        | Kind::Latency { .. }
        | Kind::Reset { .. }
        | Kind::Garbage { .. }
        | Kind::Status { .. } => wire::put(fault, scene).await?,
    }
    Ok(None)
}

/// Whether it is in force.
async fn look(fault: &Fault, scene: &Scene) -> Sight {
    match fault.kind {
        Kind::Kill | Kind::Restart | Kind::Replace | Kind::Partition | Kind::Drain => {
            kill::look(fault.target, scene).await
        }
        Kind::Pause => pause::look(fault.target, scene).await,
        Kind::Lock => lock::look(scene).await,
        Kind::Connections => connections::look(scene).await,
        Kind::ReadOnly => read_only::look(scene).await,
        Kind::Surge { rate, .. } => Sight {
            holds: true,
            seen: format!("{rate} calls a second more are sent"),
        },
        Kind::Refuse
        | Kind::Blackhole
        | Kind::Latency { .. }
        | Kind::Reset { .. }
        | Kind::Garbage { .. }
        | Kind::Status { .. } => wire::look(fault, scene).await,
    }
}

async fn until_well(target: Target, scene: &Scene) -> Sight {
    let within = if target == Target::Node {
        node::HEALED_WITHIN
    } else {
        HEALED_WITHIN
    };
    let deadline = Instant::now() + within;
    loop {
        let look = scene.look(target, PATIENCE).await;
        if look.is_well() || Instant::now() > deadline {
            return sight(look.is_well(), &look);
        }
        sleep(POLL).await;
    }
}

fn sight(holds: bool, look: &Look) -> Sight {
    Sight {
        holds,
        seen: look.to_string(),
    }
}
