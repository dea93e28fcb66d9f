//! Faults: each is injected, proved to be in force, ended, and proved over. The proof is a probe of its own, not the API's word.

mod failover;
mod link;
mod postgres;
mod timeline;

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::Client;

use crate::error::SystemError;
use crate::plan::{Fault, Kind, Target};
use crate::probe::Probe;
use crate::stage::NodeAction;
use crate::system::{Replicas, System};
use crate::trial::{FaultWindow, Observation};
use crate::wait::Patience;

pub use timeline::play;

/// What answers at all answers within this, on a machine that is not overloaded.
const PATIENCE: Duration = Duration::from_millis(400);
const HEALED_WITHIN: Duration = Duration::from_secs(10);
/// An engine, a Swarm that takes the node back, and containers.
const NODE_HEALED_WITHIN: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(50);

#[derive(Debug)]
struct ActiveFault {
    fault: Fault,
    from: Duration,
    /// Of those that end by themselves.
    to: Option<Duration>,
    live: Observation,
    /// What holds it in force; it ends with these.
    sessions: Vec<Client>,
    /// Of a Postgres with standbys, those that were broken.
    nodes: Vec<usize>,
}

/// Between the API and which of its dependencies the faults want a breakable link.
pub fn linked(faults: &[Fault]) -> BTreeSet<Target> {
    let on_a_link = faults.iter().filter(|it| link::fault(it.kind).is_some());
    on_a_link.map(|fault| fault.target).collect()
}

pub fn replaced(faults: &[Fault]) -> bool {
    faults.iter().any(|fault| fault.kind == Kind::Replace)
}

impl ActiveFault {
    /// Puts the fault in force and looks whether it is.
    async fn inject(fault: &Fault, system: &System, epoch: Instant) -> Result<Self, SystemError> {
        let begun = epoch.elapsed();
        let (mut sessions, mut nodes) = (Vec::new(), Vec::new());
        let over = match of_replicas(fault.target, system) {
            Some(replicas) => {
                let over;
                (nodes, over) = failover::inject(fault, replicas).await?;
                over
            }
            None => inject(fault, system, &mut sessions).await?,
        };
        // The link bites as soon as it is told to, and only then proves it. What else there is takes time to put in force.
        let from = if over.is_some() || link::fault(fault.kind).is_some() {
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
                None => probe(fault, system).await,
            },
            sessions,
            nodes,
        })
    }

    /// Looks again, unless it was not in force to begin with or is over.
    async fn probe_again(&mut self, system: &System) {
        if !self.live.holds || self.to.is_some() {
            return;
        }
        let now = probe(&self.fault, system).await;
        if !now.holds {
            let (first, now) = (&self.live.seen, now.seen);
            self.live = observation(false, format_args!("{first}, but before its end: {now}"));
        }
    }

    /// Ends it, and looks until all is well. What cannot be ended has been seen, and is judged.
    async fn recover(self, system: &System, epoch: Instant) -> FaultWindow {
        // It may be over at any time from here on.
        let to = self.to.unwrap_or_else(|| epoch.elapsed());
        let target = self.fault.target;
        let ended = match of_replicas(target, system) {
            Some(replicas) => failover::recover(&self.fault, &self.nodes, replicas)
                .await
                .map(Some),
            None => end(&self.fault, system).await.map(|()| None),
        };
        drop(self.sessions);
        let healed = match ended {
            Ok(Some(seen)) => seen,
            Ok(None) => match until_well(target, system).await {
                // Another node is broken next, as if this one had never been.
                well if well.holds && matches!(target, Target::Replica(_)) => {
                    match system.until_whole().await {
                        Ok(()) => well,
                        Err(error) => observation(false, error),
                    }
                }
                seen => seen,
            },
            Err(error) => {
                let context = error.context().join(" ");
                observation(false, format_args!("{error} {context}"))
            }
        };
        FaultWindow {
            name: self.fault.to_string(),
            target: self.fault.target,
            from: self.from,
            to,
            recovered: epoch.elapsed(),
            live: self.live,
            healed,
        }
    }
}

/// Of what was still broken when this was to begin.
fn not_played(fault: &Fault, at: Duration) -> FaultWindow {
    FaultWindow {
        name: fault.to_string(),
        target: fault.target,
        from: at,
        to: at,
        recovered: at,
        live: observation(
            false,
            "not played: it had not come back from the fault before",
        ),
        healed: observation(false, "it had not come back from the fault before"),
    }
}

/// The nodes of Postgres, where they are what is broken.
fn of_replicas(target: Target, system: &System) -> Option<&Replicas> {
    let of_postgres = matches!(target, Target::Database | Target::Standby);
    system.replicas().filter(|_| of_postgres)
}

/// Puts it in force; what was seen of it, if it is over already.
async fn inject(
    fault: &Fault,
    system: &System,
    sessions: &mut Vec<Client>,
) -> Result<Option<Observation>, SystemError> {
    let target = fault.target;
    match fault.kind {
        kind if system.is_node(target) => system.act_on_node(target, on_node(kind).0).await?,
        Kind::Kill => system.kill(target).await?,
        Kind::Pause => system.pause(target).await?,
        Kind::Restart => return restart(fault, system).await.map(Some),
        Kind::Replace => {
            let (from, to) = system.replace_worker().await?;
            let moved = from != to && !to.is_empty();
            let seen = format_args!("its name led to {from} and leads to {to}");
            return Ok(Some(observation(moved, seen)));
        }
        Kind::Lock => sessions.push(postgres::lock(system).await?),
        Kind::Connections => sessions.extend(postgres::take_connections(system).await?),
        Kind::ReadOnly => postgres::set_read_only(system, true).await?,
        Kind::LossyFailover => return postgres::fail_over(system).await.map(Some),
        // The load sends it; only a node or a Postgres with standbys has the others.
        Kind::Surge { .. } | Kind::Partition | Kind::Switchover | Kind::Drain => {}
        kind => link::set(target, link::fault(kind), system).await?,
    }
    Ok(None)
}

/// Ends it, but for what its sessions hold.
async fn end(fault: &Fault, system: &System) -> Result<(), SystemError> {
    let target = fault.target;
    match fault.kind {
        kind if system.is_node(target) => system.act_on_node(target, on_node(kind).1).await?,
        Kind::Kill => system.start(target).await?,
        Kind::Pause => system.resume(target).await?,
        Kind::ReadOnly => postgres::set_read_only(system, false).await?,
        kind if link::fault(kind).is_some() => link::set(target, None, system).await?,
        _ => {}
    }
    Ok(())
}

/// Killed and started again at once, as a supervisor does. Over when it is ready.
async fn restart(fault: &Fault, system: &System) -> Result<Observation, SystemError> {
    system.kill(fault.target).await?;
    let dead = probe(fault, system).await;
    let start = Instant::now();
    system.start(fault.target).await?;
    let milliseconds = start.elapsed().as_millis();
    let seen = format_args!("{}, and it is back after {milliseconds} ms", dead.seen);
    Ok(observation(dead.holds, seen))
}

/// What begins the fault of a node, and what ends it.
fn on_node(kind: Kind) -> (NodeAction, NodeAction) {
    match kind {
        Kind::Partition => (NodeAction::Cut, NodeAction::Mend),
        Kind::Drain => (NodeAction::Drain, NodeAction::Activate),
        // The schema lets no other be.
        _ => (NodeAction::Kill, NodeAction::Start),
    }
}

async fn probe(fault: &Fault, system: &System) -> Observation {
    if let Some(replicas) = of_replicas(fault.target, system) {
        return failover::probe(replicas).await;
    }
    let refused_with = match fault.kind {
        Kind::Surge { rate, .. } => {
            return observation(true, format_args!("{rate} calls a second more are sent"));
        }
        kind if link::fault(kind).is_some() => return link::probe(fault, system).await,
        Kind::Lock => postgres::NOT_AVAILABLE,
        Kind::Connections => postgres::TOO_MANY,
        Kind::ReadOnly => postgres::READ_ONLY,
        kind => {
            let seen = system.probe(fault.target, PATIENCE).await;
            let holds = match kind {
                Kind::Pause => seen == Probe::Silent,
                // Where it has a name, a resolver may take its time to say that it leads nowhere.
                _ => matches!(seen, Probe::Refused | Probe::NoConnection),
            };
            return observation(holds, seen);
        }
    };
    let seen = system.probe_past_the_link(Target::Database, PATIENCE).await;
    let holds = matches!(&seen, Probe::Error { code } if code == refused_with);
    observation(holds, seen)
}

async fn until_well(target: Target, system: &System) -> Observation {
    let within = match system.is_node(target) {
        true => NODE_HEALED_WITHIN,
        false => HEALED_WITHIN,
    };
    let mut wait = Patience::new(within, POLL).begin();
    loop {
        let seen = system.probe(target, PATIENCE).await;
        if seen.is_well() || wait.is_over().await {
            return observation(seen.is_well(), seen);
        }
    }
}

fn observation(holds: bool, seen: impl Display) -> Observation {
    Observation {
        holds,
        seen: seen.to_string(),
    }
}
