//! What can be hurt how, and when.

use std::time::Duration;

use super::{STEADY, at, holds};
use crate::plan::{Experiment, Fault, Kind, Target};
use crate::schema::error::Broken;
use crate::schema::location::Location;
use crate::stage::StageKind;
use crate::verdict::judged_until;

/// A shorter one could be over before its probe has looked.
const SHORTEST: Duration = Duration::from_millis(200);
/// How long calls must have arrived that have their answer before the first fault.
const JUDGED: Duration = Duration::from_secs(1);

pub(super) fn check(plan: &Experiment) -> Result<(), Broken> {
    for (number, fault) in plan.faults.iter().enumerate() {
        let location = at("fault").index(number);
        can_suffer(fault, plan, &location)?;
        figures(fault.kind, &location)?;
        in_time(fault, plan, &location)?;
        let earlier = &plan.faults[..number];
        let together = |other: &&Fault| {
            other.target == fault.target && other.at < fault.end() && fault.at < other.end()
        };
        if let Some(other) = earlier.iter().find(together) {
            let rule = format!("must not overlap with `{other}`, which hurts the same target");
            return Err(Broken::rule(location.key("at"), rule));
        }
    }
    Ok(())
}

fn can_suffer(fault: &Fault, plan: &Experiment, location: &Location) -> Result<(), Broken> {
    let replicated = plan.system.replication.is_some();
    let of_replicas = match fault.target {
        Target::Standby => true,
        Target::Database => replicated || matches!(fault.kind, Kind::Partition | Kind::Switchover),
        _ => false,
    };
    let can = match fault.kind {
        Kind::Kill => true,
        Kind::Partition => of_replicas || fault.target == Target::Node,
        Kind::Switchover => fault.target == Target::Database,
        // What else Postgres can suffer one server alone can.
        _ if of_replicas => false,
        Kind::Pause | Kind::Restart => fault.target != Target::Node,
        Kind::Drain => fault.target == Target::Node,
        Kind::Replace | Kind::Status { .. } => fault.target == Target::Worker,
        Kind::Refuse
        | Kind::Blackhole
        | Kind::Latency { .. }
        | Kind::Reset { .. }
        | Kind::Garbage { .. } => matches!(fault.target, Target::Worker | Target::Database),
        Kind::Surge { .. } => fault.target == Target::Api,
        Kind::Lock | Kind::Connections | Kind::ReadOnly | Kind::LossyFailover => {
            fault.target == Target::Database
        }
    };
    let rule = format!("is nothing that the {} can suffer", fault.target);
    holds(can, location.key("kind"), rule)?;
    let rule = "Postgres has no standbys: it needs system.replication";
    holds(replicated || !of_replicas, location.key("target"), rule)?;
    let only_on_swarm = plan.stages == [StageKind::Swarm];
    let rule = "there are nodes in a Swarm only: it needs stages = [\"swarm\"]";
    let on_a_node = fault.target == Target::Node;
    holds(!on_a_node || only_on_swarm, location.key("target"), rule)?;
    let replaced_locally = fault.kind == Kind::Replace && plan.stages.contains(&StageKind::Local);
    let rule =
        "processes have no address of their own: a replaced worker needs stages = [\"compose\"]";
    holds(!replaced_locally, location.key("kind"), rule)
}

fn figures(kind: Kind, location: &Location) -> Result<(), Broken> {
    if let Kind::Surge { rate, priority } = kind {
        let rule = "must be from 0.1 to 2000";
        holds((0.1..=2000.0).contains(&rate), location.key("rate"), rule)?;
        let urgency = priority.is_none_or(|it| it <= 7);
        return holds(urgency, location.key("priority"), "must be from 0 to 7");
    }
    let (Kind::Latency { share, .. }
    | Kind::Reset { share, .. }
    | Kind::Garbage { share }
    | Kind::Status { share, .. }) = kind
    else {
        return Ok(());
    };
    let rule = "must be above 0 and at most 1";
    holds(share > 0.0 && share <= 1.0, location.key("share"), rule)?;
    match kind {
        Kind::Latency { delay, jitter, .. } => {
            holds(!delay.is_zero(), location.key("delay"), "must be above 0")?;
            let rule = "must be below `delay`: no delay at all proves nothing";
            holds(jitter < delay, location.key("jitter"), rule)
        }
        Kind::Status { code, .. } => {
            let rule = "must be from 400 to 599";
            holds((400..=599).contains(&code), location.key("code"), rule)
        }
        _ => Ok(()),
    }
}

fn in_time(fault: &Fault, plan: &Experiment, location: &Location) -> Result<(), Broken> {
    let rule = "must be at least 2s: steady state comes first";
    holds(fault.at >= STEADY, location.key("at"), rule)?;
    let judged = judged_until(fault.at, plan.system.work_delay);
    let rule =
        "leaves no second of calls that end before it: 3 x system.work_delay and 1s must pass";
    holds(judged >= JUDGED, location.key("at"), rule)?;
    let long = fault.lasts >= SHORTEST;
    holds(long, location.key("for"), "must be at least 200ms")?;
    let rule = "must leave 2s of steady state before the end of load.for";
    let steady = fault.end().saturating_add(STEADY) <= plan.load.lasts;
    holds(steady, location.key("for"), rule)
}
