//! Faults of a Postgres with standbys. Most of them have Patroni act, and what counts as the fault is the time until it has:
//! until another node leads, or a commit waits for no standby that is gone. What was broken stays so until the fault's end.

use std::time::Duration;

use crate::error::SystemError;
use tokio::time::{Instant, sleep};

use super::{PATIENCE, observation};
use crate::plan::{Fault, Kind, Target};
use crate::probe::Probe;
use crate::system::Replicas;
use crate::trial::Observation;
use crate::wait::Patience;

/// The leader's lease of 20 s, and a machine that others keep busy.
const FAILS_OVER: Patience = Patience::new(Duration::from_secs(60), Duration::from_millis(250));
/// A server that crashed, found its place in another's history, and follows.
const HEALED: Patience = Patience::new(Duration::from_secs(60), Duration::from_millis(500));
/// Writes a mark into the primary's log, waits for no standby, and says where it is.
const MARK: &str = "SELECT pg_logical_emit_message(true, 'holdfast-probe', set_config('synchronous_commit', 'local', true))::text";
/// What a primary writes its standbys are sent within milliseconds.
const SENT_WITHIN: Duration = Duration::from_millis(300);

/// Puts it in force; which nodes were broken, and what was seen of it, if it is over already.
pub(super) async fn inject(
    fault: &Fault,
    replicas: &Replicas,
) -> Result<(Vec<usize>, Option<Observation>), SystemError> {
    let leader = replicas.to_break().await?;
    let standbys = replicas.but(leader);
    let begun = Instant::now();
    let (nodes, broken) = match (fault.target, fault.kind) {
        (Target::Standby, Kind::Kill) => {
            replicas.patroni().await.kill(&standbys).await?;
            let broken = are_dead(replicas, &standbys).await;
            let over = waits_for_none(replicas, leader, begun).await;
            return Ok((standbys, Some(both(broken, over))));
        }
        (Target::Standby, _) => {
            replicas.patroni().await.mute(leader).await?;
            return Ok((vec![leader], None));
        }
        (_, Kind::Switchover) => {
            replicas.patroni().await.switch_over().await?;
            (Vec::new(), observation(true, format!("node {leader} led")))
        }
        (_, Kind::Partition) => {
            // Its Postgres goes on believing what it believes, whoever asks.
            replicas.patroni().await.pause_patroni(leader);
            let hears = replicas.has_a_word(leader).await;
            let seen = format!("Patroni of node {leader} is cut off");
            (vec![leader], observation(!hears, seen))
        }
        _ => {
            replicas.patroni().await.kill(&[leader]).await?;
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
) -> Result<Observation, SystemError> {
    for node in nodes {
        let mut patroni = replicas.patroni().await;
        match (fault.target, fault.kind) {
            (_, Kind::Kill) => patroni.start_again(*node)?,
            (Target::Standby, _) => patroni.unmute(*node),
            (_, Kind::Partition) => patroni.replace_patroni(*node).await?,
            _ => {}
        }
    }
    Ok(until_well(replicas).await)
}

async fn until_well(replicas: &Replicas) -> Observation {
    let mut wait = HEALED.begin();
    loop {
        let leader = replicas.leader().await;
        if let Some(leader) = leader
            && is_followed(replicas, leader).await
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

async fn is_followed(replicas: &Replicas, leader: usize) -> bool {
    let all_follow = replicas.patroni().await.all_follow(leader).await;
    all_follow && is_heard(replicas, leader).await.unwrap_or(false)
}

/// Whether standbys hear what the node writes: it has sent them all of it until a mark.
async fn is_heard(replicas: &Replicas, leader: usize) -> Result<bool, SystemError> {
    let mark = replicas.patroni().await.text(leader, MARK).await?;
    sleep(SENT_WITHIN).await;
    let sent = format!(
        "SELECT coalesce(bool_or(sent_lsn >= '{mark}'), false)::text FROM pg_stat_replication"
    );
    Ok(replicas.patroni().await.text(leader, &sent).await? == "true")
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
        let standbys = "SHOW synchronous_standby_names";
        let waits_for = replicas.patroni().await.text(leader, standbys).await;
        let waits_for = waits_for.map_err(SystemError::from);
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
