//! What is broken when, for how long and how: a pure function of seed, duration and number of replicas.
//!
//! It goes scene by scene. A scene breaks one target or several at nearly the same moment; mostly the next waits until all
//! is well again, so that outages of one dependency alone are seen as well. The first target of each scene comes from a
//! shuffled deck of all targets and kinds: none is forgotten by chance.

use std::time::Duration;

use fastrand::Rng;

use crate::plan::{Fault, Kind, Target};

/// Nothing is broken at the very start and the very end.
const CALM: Duration = Duration::from_secs(1);
/// A target that has been healed is left alone for this long.
const REST: Duration = Duration::from_secs(1);
/// How long faults last, in seconds, and how many of a hundred do: blips, outages, pauses beyond a lease.
const LENGTHS: [(f64, f64, u32); 4] = [
    (0.2, 2.0, 50),
    (2.0, 6.0, 30),
    (6.0, 10.0, 12),
    (10.0, 20.0, 8),
];
/// Two of three pauses of an API outlast its leases: meanwhile others take over what it holds.
const BEYOND_A_LEASE: (f64, f64) = (6.5, 12.0);
const SHORTEST: Duration = Duration::from_millis(200);
/// Of the run: no single fault is all of it.
const LONGEST_SHARE: u32 = 3;

/// The faults, in order of their time; each ends before `duration`.
pub(super) fn schedule(seed: u64, duration: Duration, replicas: usize) -> Vec<Fault> {
    let mut author = Author {
        random: Rng::with_seed(seed),
        targets: targets(replicas),
        deck: Vec::new(),
        end: duration.saturating_sub(CALM),
        longest: duration / LONGEST_SHARE,
        faults: Vec::new(),
    };
    let mut at = CALM;
    while at + SHORTEST <= author.end {
        at = author.scene(at);
    }
    author
        .faults
        .sort_by_key(|fault| (fault.at, fault.lasts, fault.target));
    author.faults
}

fn targets(replicas: usize) -> Vec<Target> {
    let apis = (1..=replicas).map(Target::Replica);
    [Target::Worker, Target::Database]
        .into_iter()
        .chain(apis)
        .collect()
}

struct Author {
    random: Rng,
    targets: Vec<Target>,
    deck: Vec<(Target, Kind)>,
    end: Duration,
    longest: Duration,
    faults: Vec<Fault>,
}

impl Author {
    /// Writes the scene that begins at `at`; when the next begins.
    fn scene(&mut self, at: Duration) -> Duration {
        let first = self.card();
        let size = match self.random.u32(..100) {
            0..55 => 1,
            55..90 => 2,
            _ => 3,
        };
        let mut others: Vec<Target> = self.targets.clone();
        others.retain(|target| *target != first.0);
        self.random.shuffle(&mut others);
        let mut end = self.outage(first, at);
        for target in others.into_iter().take(size - 1) {
            let kind = self.kind();
            let later = self.seconds(0.0, 1.5);
            end = end.max(self.outage((target, kind), at + later));
        }
        // Now and then the next scene begins while this one goes on.
        if self.random.u32(..100) < 25 {
            at + (end - at) / 2 + self.seconds(0.2, 0.6)
        } else {
            end + self.seconds(1.0, 3.0)
        }
    }

    /// Adds a fault at `at`, or when its target has been well for a while; when it ends.
    fn outage(&mut self, (target, kind): (Target, Kind), at: Duration) -> Duration {
        let before = self.faults.iter().filter(|fault| fault.target == target);
        let free = before.map(|fault| fault.end() + REST).max();
        let at = at.max(free.unwrap_or_default());
        let lasts = self.length(target, kind).min(self.end.saturating_sub(at));
        if lasts < SHORTEST {
            return at.min(self.end);
        }
        self.faults.push(Fault {
            at,
            lasts,
            target,
            kind,
        });
        at + lasts
    }

    fn card(&mut self) -> (Target, Kind) {
        if self.deck.is_empty() {
            let both = |target: &Target| [(*target, Kind::Kill), (*target, Kind::Pause)];
            self.deck = self.targets.iter().flat_map(both).collect();
            self.deck.push((Target::Database, Kind::LossyFailover));
            self.random.shuffle(&mut self.deck);
        }
        self.deck.pop().unwrap_or((Target::Worker, Kind::Kill))
    }

    fn kind(&mut self) -> Kind {
        if self.random.bool() {
            Kind::Kill
        } else {
            Kind::Pause
        }
    }

    fn length(&mut self, target: Target, kind: Kind) -> Duration {
        if matches!(target, Target::Replica(_)) && kind == Kind::Pause && self.random.u32(..3) > 0 {
            let (least, most) = BEYOND_A_LEASE;
            return self.seconds(least, most).min(self.longest).max(SHORTEST);
        }
        let mut ticket = self.random.u32(..100);
        for (least, most, share) in LENGTHS {
            if ticket < share {
                return self.seconds(least, most).min(self.longest).max(SHORTEST);
            }
            ticket -= share;
        }
        SHORTEST
    }

    fn seconds(&mut self, least: f64, most: f64) -> Duration {
        seconds(&mut self.random, (least, most))
    }
}

/// To the millisecond, as it is printed.
pub(super) fn seconds(random: &mut Rng, (least, most): (f64, f64)) -> Duration {
    let seconds = least + random.f64() * (most - least);
    let exact = Duration::try_from_secs_f64(seconds).unwrap_or(SHORTEST);
    exact - Duration::from_nanos(u64::from(exact.subsec_nanos() % 1_000_000))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn every(check: impl Fn(&[Fault], Duration)) {
        for seed in 0..200 {
            for seconds in [3, 60, 600] {
                let duration = Duration::from_secs(seconds);
                check(&schedule(seed, duration, 2), duration);
            }
        }
    }

    #[test]
    fn the_same_seed_plays_the_same_faults_and_another_does_not() {
        assert_eq!(schedule(7, MINUTE, 2), schedule(7, MINUTE, 2));
        assert_ne!(schedule(7, MINUTE, 2), schedule(8, MINUTE, 2));
        assert_ne!(schedule(7, MINUTE, 2), schedule(7, MINUTE, 1));
        // Whoever has noted a seed plays what it played then.
        let told = |it: &Fault| format!("{:.1?} {it} {:.1?}", it.at, it.lasts);
        let first: Vec<_> = schedule(1, MINUTE, 2).iter().take(4).map(told).collect();
        let noted = [
            "1.0s database pause 2.0s",
            "1.2s api-2 pause 9.6s",
            "12.8s database lossy_failover 1.9s",
            "13.5s worker kill 11.3s",
        ];
        assert_eq!(first, noted);
    }

    #[test]
    fn every_fault_ends_before_the_run_does_and_none_is_all_of_it() {
        every(|faults, duration| {
            for fault in faults {
                assert!(fault.lasts >= SHORTEST && fault.at >= CALM);
                assert!(fault.end() <= duration - CALM, "{fault}");
            }
        });
    }

    #[test]
    fn no_target_is_hurt_twice_at_once() {
        every(|faults, _| {
            for target in targets(2) {
                let own: Vec<_> = faults.iter().filter(|it| it.target == target).collect();
                for pair in own.windows(2) {
                    assert!(pair[0].end() + REST <= pair[1].at);
                }
            }
        });
    }

    #[test]
    fn a_long_run_hurts_everything_in_every_way_alone_and_together_briefly_and_beyond_a_lease() {
        for seed in 0..50 {
            let faults = schedule(seed, Duration::from_secs(600), 2);
            let kind = |it: &Fault| (it.target, it.kind.name());
            let played: BTreeSet<_> = faults.iter().map(kind).collect();
            assert_eq!(played.len(), 9);
            let overlaps = |one: &Fault| {
                let others = faults.iter().filter(|it| it.target != one.target);
                let mut others = others.map(|it| (it.at, it.end()));
                others.any(|(from, to)| from < one.end() && one.at < to)
            };
            assert!(faults.iter().any(overlaps));
            assert!(faults.iter().any(|fault| !overlaps(fault)));
            assert!(
                faults
                    .iter()
                    .any(|fault| fault.lasts < Duration::from_secs(1))
            );
            assert!(
                faults
                    .iter()
                    .any(|fault| fault.lasts > Duration::from_secs(10))
            );
            let frozen =
                |it: &Fault| matches!(it.target, Target::Replica(_)) && it.kind == Kind::Pause;
            let (lease, _) = BEYOND_A_LEASE;
            assert!(
                faults
                    .iter()
                    .any(|it| frozen(it) && it.lasts.as_secs_f64() > lease)
            );
        }
    }

    #[test]
    fn a_minute_holds_several_faults() {
        for seed in 0..50 {
            assert!(schedule(seed, MINUTE, 1).len() >= 5, "seed {seed}");
        }
    }
}
