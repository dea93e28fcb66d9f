//! Playing the faults of an experiment, each at its time: what takes its time at one target holds up none at another.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::future::try_join_all;
use tokio::time::{Instant, sleep_until};

use super::{ActiveFault, not_played};
use crate::error::SystemError;
use crate::plan::{Fault, Target};
use crate::system::System;
use crate::trial::FaultWindow;

/// How long before its end a fault is looked at again. An end waits for its look, and its window ends as late.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// What happens to a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Recover,
    Inject,
    ProbeAgain,
}

/// When what happens to which fault, by its place in the experiment.
type Timed = (Duration, Step, usize);

/// Plays all of them; `told` hears of each change.
pub async fn play(
    faults: &[Fault],
    system: &System,
    epoch: Instant,
    told: impl FnMut(String),
) -> Result<Vec<FaultWindow>, SystemError> {
    let steps = timeline(faults);
    let told = &RefCell::new(told);
    // Of three nodes two must be well, or they are none: they are broken one after the other.
    let of = |fault: &Fault| Some(fault.target).filter(|target| !system.is_node(*target));
    let players: BTreeSet<Option<Target>> = faults.iter().map(of).collect();
    let players = players.into_iter().map(|target| {
        let own = steps.iter().filter(|it| of(&faults[it.2]) == target);
        let own: Vec<Timed> = own.copied().collect();
        async move {
            let told = |text| told.borrow_mut()(text);
            play_steps(&own, faults, system, epoch, told).await
        }
    });
    let played = try_join_all(players).await?;
    let observed: BTreeMap<usize, FaultWindow> = played.into_iter().flatten().collect();
    Ok(observed.into_values().collect())
}

/// Those of one target, one after the other; what has not come back is not broken again.
async fn play_steps(
    steps: &[Timed],
    faults: &[Fault],
    system: &System,
    epoch: Instant,
    told: impl Fn(String),
) -> Result<BTreeMap<usize, FaultWindow>, SystemError> {
    let mut in_force = BTreeMap::new();
    let mut observed = BTreeMap::new();
    let mut is_well = true;
    for (at, step, index) in steps.iter().copied() {
        sleep_until(epoch + at).await;
        match step {
            Step::Inject if !is_well => {
                observed.insert(index, not_played(&faults[index], epoch.elapsed()));
            }
            Step::Inject => {
                let fault = ActiveFault::inject(&faults[index], system, epoch).await?;
                told(format!("{}: {}", faults[index], fault.live.seen));
                in_force.insert(index, fault);
            }
            Step::ProbeAgain => {
                if let Some(fault) = in_force.get_mut(&index) {
                    fault.probe_again(system).await;
                }
            }
            Step::Recover => {
                if let Some(fault) = in_force.remove(&index) {
                    let over = fault.recover(system, epoch).await;
                    is_well = over.healed.holds;
                    told(format!("{} is over: {}", over.name, over.healed.seen));
                    observed.insert(index, over);
                }
            }
        }
    }
    Ok(observed)
}

/// In the order of time; what ends at a moment ends before anything begins.
fn timeline(faults: &[Fault]) -> Vec<Timed> {
    let mut steps = Vec::new();
    for (index, fault) in faults.iter().enumerate() {
        steps.push((fault.at, Step::Inject, index));
        // One so short has been looked at just now, and a share of requests may take long to show.
        if fault.lasts >= 2 * LAST_LOOK && fault.kind.affects_all() {
            steps.push((fault.end() - LAST_LOOK, Step::ProbeAgain, index));
        }
        steps.push((fault.end(), Step::Recover, index));
    }
    steps.sort_by_key(|(at, step, _)| (*at, *step != Step::Recover));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Kind;

    fn fault(target: Target, at: u64, lasts: u64) -> Fault {
        Fault {
            target,
            kind: Kind::Kill,
            at: Duration::from_secs(at),
            lasts: Duration::from_secs(lasts),
        }
    }

    #[test]
    fn faults_begin_and_end_in_the_order_of_time_and_an_end_comes_before_a_beginning() {
        let faults = [
            fault(Target::Worker, 3, 1),
            fault(Target::Worker, 4, 2),
            fault(Target::Database, 4, 9),
        ];
        let steps = timeline(&faults).into_iter();
        let steps: Vec<_> = steps.map(|(_, step, index)| (step, index)).collect();
        let expected = [
            (Step::Inject, 0),
            (Step::Recover, 0),
            (Step::Inject, 1),
            (Step::Inject, 2),
            (Step::ProbeAgain, 1),
            (Step::Recover, 1),
            (Step::ProbeAgain, 2),
            (Step::Recover, 2),
        ];
        assert_eq!(steps, expected);
    }

    #[test]
    fn what_hurts_a_share_of_requests_is_not_looked_at_again() {
        let again = |share| {
            let mut fault = fault(Target::Worker, 3, 5);
            fault.kind = Kind::Garbage { share };
            let steps = timeline(&[fault]);
            steps.iter().any(|(_, step, _)| *step == Step::ProbeAgain)
        };
        assert!(again(1.0) && !again(0.5));
    }
}
