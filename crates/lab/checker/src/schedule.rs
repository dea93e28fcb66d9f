//! Who arrives when, and who leaves: decided in advance, by the seed alone, whatever plays it.

use std::time::Duration;

use crate::plan::{Fault, Kind, Leaving, Load};

/// So that who leaves does not depend on when they arrive: a load with and without leavers has the same arrivals.
const LEAVERS: u64 = 0x1ea7_e125;
/// Likewise: a surge changes nothing about the usual arrivals.
const SURGE: u64 = 0x5_0926;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    pub number: u64,
    /// When, from the epoch.
    pub at: Duration,
    pub until: Duration,
    /// Whether it leaves then, rather than lose its patience.
    pub leaves: bool,
    /// Whether it is a surge's.
    pub surge: bool,
    /// `u` of its `Priority`.
    pub priority: Option<u8>,
}

/// The usual load's and those of all surges, in order.
pub fn with_surges(load: &Load, faults: &[Fault]) -> impl Iterator<Item = Arrival> + use<> {
    let mut all: Vec<Arrival> = arrivals(load).collect();
    for (nth, fault) in (1..).zip(faults) {
        if let Kind::Surge { rate, priority } = fault.kind {
            let times = load
                .arrivals
                .times(rate, fault.lasts, load.seed ^ (SURGE * nth));
            all.extend(times.map(|since| Arrival {
                number: 0,
                at: fault.at + since,
                until: fault.at + since + load.patience,
                leaves: false,
                surge: true,
                priority,
            }));
        }
    }
    all.sort_by_key(|one| one.at);
    let numbered = (0..).zip(all);
    numbered.map(|(number, one)| Arrival { number, ..one })
}

pub fn arrivals(load: &Load) -> impl Iterator<Item = Arrival> + use<> {
    let mut random = fastrand::Rng::with_seed(load.seed ^ LEAVERS);
    let (patience, leaving) = (load.patience, load.leaving);
    let times = load.arrivals.times(load.rate, load.lasts, load.seed);
    (0..).zip(times).map(move |(number, at)| {
        let drawn = random.f64();
        let chosen = leaving.filter(|Leaving { share, .. }| drawn < *share);
        let leaves = chosen.filter(|leaving| leaving.after < patience);
        Arrival {
            number,
            at,
            until: at + leaves.map_or(patience, |leaving| leaving.after),
            leaves: leaves.is_some(),
            surge: false,
            priority: None,
        }
    })
}

#[cfg(test)]
mod tests {
    use crate::plan::Target;

    use super::*;
    use crate::arrivals::Arrivals;

    fn load(share: f64, after: u64) -> Load {
        Load {
            rate: 50.0,
            arrivals: Arrivals::Poisson,
            lasts: Duration::from_secs(20),
            patience: Duration::from_secs(4),
            seed: 3,
            try_for: None,
            asks_again: None,
            leaving: Some(Leaving {
                share,
                after: Duration::from_millis(after),
            }),
        }
    }

    #[test]
    fn the_seed_chooses_who_leaves_and_their_share_is_kept() {
        let of = |share| arrivals(&load(share, 500)).collect::<Vec<_>>();
        let leavers = of(0.3).iter().filter(|one| one.leaves).count();
        assert!((230..370).contains(&leavers), "{leavers}");
        assert_eq!(of(0.3), of(0.3));
        assert!(of(1.0).iter().all(|one| one.leaves));
        assert!(!of(0.0).iter().any(|one| one.leaves));
    }

    #[test]
    fn leavers_change_nothing_about_arrivals() {
        let mut none = load(0.5, 500);
        none.leaving = None;
        let times = |load| arrivals(load).map(|one| (one.number, one.at)).collect();
        let (with, without): (Vec<_>, Vec<_>) = (times(&load(0.5, 500)), times(&none));
        assert_eq!(with, without);
        assert!(with.len() > 800 && with[1].0 == 1);
    }

    #[test]
    fn a_surge_comes_beside_the_usual_load_and_only_while_it_lasts() {
        let load = load(0.0, 500);
        let surge = Fault {
            target: Target::Api,
            kind: Kind::Surge {
                rate: 100.0,
                priority: Some(6),
            },
            at: Duration::from_secs(5),
            lasts: Duration::from_secs(4),
        };
        let all: Vec<_> = with_surges(&load, &[surge]).collect();
        let (more, usual): (Vec<Arrival>, Vec<Arrival>) = all.iter().partition(|one| one.surge);
        assert!((300..500).contains(&more.len()), "{}", more.len());
        let within = Duration::from_secs(5)..=Duration::from_secs(9);
        assert!(more.iter().all(|one| within.contains(&one.at)));
        let times: Vec<_> = usual.iter().map(|one| one.at).collect();
        assert_eq!(times, arrivals(&load).map(|one| one.at).collect::<Vec<_>>());
        assert!(
            all.iter()
                .zip(0..)
                .all(|(one, number)| one.number == number)
        );
        assert!(all.is_sorted_by_key(|one| one.at));
    }

    #[test]
    fn each_waits_until_its_patience_ends_or_it_leaves_whichever_is_first() {
        for one in arrivals(&load(0.5, 500)) {
            let waits = if one.leaves { 500 } else { 4_000 };
            assert_eq!(one.until - one.at, Duration::from_millis(waits));
        }
        // Whoever meant to leave later than that has lost patience before.
        assert!(!arrivals(&load(1.0, 9_000)).any(|one| one.leaves));
    }
}
