//! One seed is everything.

#![allow(clippy::unwrap_used, reason = "a test says bluntly what it expects")]

use holdfast_simulation::mutant::Mutant;
use holdfast_simulation::plan::Plan;
use holdfast_simulation::run::{Report, play};

fn played(seed: u64) -> Report {
    play(&Plan::from_seed(seed), Mutant::None, None).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_one_another() {
    for seed in 0..5 {
        let (first, second) = (played(seed), played(seed));
        assert_eq!(first.hash, second.hash, "seed {seed}");
        assert_eq!(first.events, second.events, "seed {seed}");
        assert_ne!(first.hash, played(seed + 1).hash, "seed {seed}");
    }
}

#[test]
fn a_trace_is_the_same_on_another_thread() {
    let here = played(7).hash;
    let there = std::thread::spawn(|| played(7).hash).join().unwrap();
    assert_eq!(here, there);
}
