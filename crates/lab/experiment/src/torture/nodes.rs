//! What is broken on three nodes when, as a pure function of seed and duration: machines, one after the other.
//!
//! Two of three that are gone take Postgres with them, and Swarm: what is left then is the journals, which processes show in
//! less time.

use std::time::Duration;

use fastrand::Rng;

use super::schedule::seconds;
use crate::plan::{Fault, Kind, Target};
use crate::stage::Swarm;

/// Nothing is broken at the very start and the very end.
const CALM: Duration = Duration::from_secs(3);
/// What the end leaves less room for is left out: engines take a second to die.
const SHORTEST: Duration = Duration::from_secs(4);
/// How long a fault lasts, in seconds: less and more than the 20 s after which another node of Postgres leads.
const LENGTH: (f64, f64) = (8.0, 30.0);
/// How long the next one waits, in seconds: until containers are back, mostly, and now and then not all of them.
const REST: (f64, f64) = (20.0, 30.0);
const KINDS: [Kind; 3] = [Kind::Kill, Kind::Partition, Kind::Drain];

/// The faults, in order of their time; each ends before `duration`. Each node is broken in each way before any is again.
pub(super) fn schedule(seed: u64, duration: Duration) -> Vec<Fault> {
    let mut random = Rng::with_seed(seed);
    let (mut deck, mut faults) = (Vec::new(), Vec::new());
    let mut at = CALM;
    loop {
        let left = duration.saturating_sub(at + CALM);
        let lasts = seconds(&mut random, LENGTH).min(left);
        if lasts < SHORTEST {
            return faults;
        }
        let (target, kind) = card(&mut deck, &mut random);
        faults.push(Fault {
            target,
            kind,
            at,
            lasts,
        });
        at += lasts + seconds(&mut random, REST);
    }
}

fn card(deck: &mut Vec<(Target, Kind)>, random: &mut Rng) -> (Target, Kind) {
    if deck.is_empty() {
        let nodes = Swarm::NODES.map(|node| Target::Replica(node.into()));
        deck.extend(
            nodes
                .into_iter()
                .flat_map(|node| KINDS.map(|kind| (node, kind))),
        );
        random.shuffle(deck);
    }
    deck.pop().unwrap_or((Target::Replica(1), Kind::Kill))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const TEN_MINUTES: Duration = Duration::from_secs(600);

    #[test]
    fn the_same_seed_breaks_the_same_nodes_and_another_does_not() {
        assert_eq!(schedule(7, TEN_MINUTES), schedule(7, TEN_MINUTES));
        assert_ne!(schedule(7, TEN_MINUTES), schedule(8, TEN_MINUTES));
    }

    #[test]
    fn the_shortest_run_has_a_fault() {
        for seed in 0..200 {
            assert!(!schedule(seed, Duration::from_secs(10)).is_empty());
        }
    }

    #[test]
    fn in_ten_minutes_each_node_is_broken_in_each_way_and_never_two_at_once() {
        for seed in 0..200 {
            let faults = schedule(seed, TEN_MINUTES);
            let played: BTreeSet<String> = faults.iter().map(ToString::to_string).collect();
            assert_eq!(played.len(), 9, "seed {seed}: {played:?}");
            for pair in faults.windows(2) {
                assert!(pair[0].end() + Duration::from_secs(20) <= pair[1].at);
            }
            assert!(faults.iter().all(|fault| fault.end() < TEN_MINUTES));
        }
    }
}
