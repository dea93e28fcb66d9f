//! The checks bite: each defect is found.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

use holdfast_simulation::mutant::Mutant;
use holdfast_simulation::plan::Plan;
use holdfast_simulation::run::play;

/// Within how many seeds each must be found.
const SEEDS: u64 = 1000;

fn first_seed(mutant: Mutant) -> Option<(u64, &'static str)> {
    (0..SEEDS).find_map(|seed| {
        let report = play(&Plan::from_seed(seed), mutant, None).unwrap();
        report.violation.map(|it| (seed, it.property))
    })
}

#[test]
fn each_mutant_is_found_within_a_thousand_seeds() {
    let escaped: Vec<Mutant> = Mutant::ALL
        .into_iter()
        .filter(|mutant| first_seed(*mutant).is_none())
        .collect();
    assert_eq!(escaped, []);
}
