//! Faults of a Postgres with standbys. Most of them have Patroni act, and what counts as the fault is the time until it has:
//! until another node leads, or a commit waits for no standby that is gone. What was broken stays so until the fault's end.

use std::time::Duration;

use holdfast_system::error::SystemError;
use tokio::time::{Instant, sleep};

use super::PATIENCE;
use crate::error::ChaosError;
use crate::plan::{Fault, Kind, Target};
use crate::probe::Probe;
use crate::system::Replicas;
use crate::trial::Observation;
use crate::wait::Patience;

/// The leader's lease of 20 s, and a machine that others keep busy.
const FAILS_OVER: Patience = Patience::new(Duration::from_secs(60), Duration::from_millis(250));
/// A server that crashed, found its place in another's history, and follows.
const HEALED: Patience = Patience::new(Duration::from_secs(60), Duration::from_millis(500));
/// What a primary writes its standbys are sent within milliseconds.
const SENT_WITHIN: Duration = Duration::from_millis(300);

/// Puts it in force; which nodes were broken, and what was seen of it, if it is over already.
pub(super) async fn inject(
    fault: &Fault,
    replicas: &Replicas,
) -> Result<(Vec<usize>, Option<Observation>), ChaosError> {
    let leader = replicas.to_break().await?;
    let standbys = replicas.but(leader);
    let begun = Instant::now();
    let (nodes, broken) = match (fault.target, fault.kind) {
        (Target::Standby, Kind::Kill) => {
            replicas.kill(&standbys).await?;
            let broken = are_dead(replicas, &standbys).await;
            let over = waits_for_none(replicas, leader, begun).await;
            return Ok((standbys, Some(both(broken, over))));
        }
        (Target::Standby, _) => {
            replicas.mute(leader).await?;
            return Ok((vec![leader], None));
        }
        (_, Kind::Switchover) => {
            replicas.switch_over().await?;
            (Vec::new(), observation(true, format!("node {leader} led")))
        }
        (_, Kind::Partition) => {
            replicas.cut_off(leader).await;
            let hears = replicas.has_a_word(leader).await;
            let seen = format!("Patroni of node {leader} is cut off");
            (vec![leader], observation(!hears, seen))
        }
        _ => {
            replicas.kill(&[leader]).await?;
            (vec![leader], are_dead(replicas, &[leader]).await)
        }
    };
    let mut over = another_leads(replicas, leader, begun).await;
    if fault.kind == Kind::Partition {
        let believes = replicas.probe(leader, PATIENCE).await;
        let seen = format!("node {leader} takes writes as well: {believes}");
        over = both(over, observation(believes.is_well(), seen));
    }
    Ok((nodes, Some(both(broken, over))))
}

/// Whether standbys that were cut off still hear nothing: of a primary that is dead there is nothing to hear.
pub(super) async fn probe(replicas: &Replicas) -> Observation {
    let Some(leader) = replicas.leader().await else {
        return observation(true, "there is no primary to follow".to_owned());
    };
    match is_heard(replicas, leader).await {
        Ok(sent) => {
            let heard = if sent { "heard" } else { "do not hear" };
            let seen = format!("the standbys {heard} what node {leader} writes");
            observation(!sent, seen)
        }
        Err(error) => observation(true, format!("node {leader} does not answer: {error}")),
    }
}

/// Ends it, and looks until one node leads and all others follow it.
pub(super) async fn recover(
    fault: &Fault,
    nodes: &[usize],
    replicas: &Replicas,
) -> Result<Observation, ChaosError> {
    match (fault.target, fault.kind) {
        (_, Kind::Kill) => replicas.start_again(nodes).await?,
        (Target::Standby, _) => {
            for node in nodes {
                replicas.unmute(*node).await;
            }
        }
        (_, Kind::Partition) => {
            for node in nodes {
                replicas.join(*node).await?;
            }
        }
        _ => {}
    }
    Ok(until_well(replicas).await)
}

async fn until_well(replicas: &Replicas) -> Observation {
    let mut wait = HEALED.begin();
    loop {
        let leader = replicas.leader().await;
        if let Some(leader) = leader
            && replicas.all_follow(leader).await
            && is_heard(replicas, leader).await.is_ok_and(|heard| heard)
        {
            return observation(true, format!("node {leader} leads, both others follow"));
        }
        if wait.is_over().await {
            let seen = leader.map_or("no node leads".to_owned(), |it| {
                format!("node {it} leads, and not both others follow as they should")
            });
            return observation(false, seen);
        }
    }
}

/// Whether standbys hear what the node writes.
async fn is_heard(replicas: &Replicas, leader: usize) -> Result<bool, SystemError> {
    let mark = replicas.mark(leader).await?;
    sleep(SENT_WITHIN).await;
    replicas.has_sent(leader, &mark).await
}

async fn are_dead(replicas: &Replicas, nodes: &[usize]) -> Observation {
    let mut dead = true;
    for node in nodes {
        let refuses = replicas.probe(*node, PATIENCE).await == Probe::Refused;
        dead &= refuses && !replicas.has_a_word(*node).await;
    }
    let seen = if dead { "refuse" } else { "do not all refuse" };
    observation(dead, format!("the ports of nodes {nodes:?} {seen}"))
}

async fn another_leads(replicas: &Replicas, than: usize, begun: Instant) -> Observation {
    let mut wait = FAILS_OVER.begin();
    loop {
        match replicas.leader_but(Some(than)).await {
            Some(leader) => {
                let after = begun.elapsed().as_secs_f64();
                return observation(true, format!("node {leader} leads after {after:.1} s"));
            }
            None if wait.is_over().await => {
                return observation(false, "no other node leads".to_owned());
            }
            None => {}
        }
    }
}

async fn waits_for_none(replicas: &Replicas, leader: usize, begun: Instant) -> Observation {
    let mut wait = FAILS_OVER.begin();
    loop {
        let waits_for = replicas.waits_for(leader).await;
        if waits_for.as_ref().is_ok_and(String::is_empty) {
            let after = begun.elapsed().as_secs_f64();
            let seen = format!("node {leader} waits for no standby after {after:.1} s");
            return observation(true, seen);
        }
        if wait.is_over().await {
            return observation(false, format!("node {leader} waits for {waits_for:?}"));
        }
    }
}

fn both(one: Observation, other: Observation) -> Observation {
    Observation {
        holds: one.holds && other.holds,
        seen: format!("{}; {}", one.seen, other.seen),
    }
}

fn observation(holds: bool, seen: String) -> Observation {
    Observation { holds, seen }
}
