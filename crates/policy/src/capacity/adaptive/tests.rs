//! The limit in front of a modelled dependency: so many attempts at once take `service`, more of them
//! wait inside it. Every run is a recording of latencies.

mod attempts;
mod overload;

use fastrand::Rng;
use proptest::prelude::*;

use super::*;

const SERVICE: f64 = 0.05;

/// A dependency, and callers who use as much as they are given, up to a demand.
struct Plant {
    capacity: f64,
    service: f64,
    demand: u32,
    /// Attempts longer than this time out.
    timeout: f64,
    /// Each latency is off by up to this share.
    noise: f64,
    rng: Rng,
    now: Instant,
    /// So many attempts were answered.
    answered: u64,
}

impl Plant {
    fn new(capacity: f64) -> Self {
        Self {
            capacity,
            service: SERVICE,
            demand: u32::MAX,
            timeout: 10.0,
            noise: 0.0,
            rng: Rng::with_seed(1),
            now: Instant::now(),
            answered: 0,
        }
    }

    /// As many attempts as the limit lets run, again and again.
    fn run(&mut self, limit: &mut Adaptive, seconds: f64) {
        let end = self.now + Duration::from_secs_f64(seconds);
        while self.now < end {
            let running = limit.limit().min(self.demand);
            let crowd = (f64::from(running) / self.capacity).max(1.0);
            let begun = self.now;
            for _ in 0..running {
                let noise = 1.0 + self.noise * (self.rng.f64() * 2.0 - 1.0);
                let took = self.service * crowd * noise;
                let (took, signal) = if took > self.timeout {
                    (self.timeout, Signal::Overloaded)
                } else {
                    self.answered += 1;
                    (took, Signal::Answered)
                };
                let ended = begun + Duration::from_secs_f64(took);
                self.now = self.now.max(ended);
                let in_flight = running;
                limit.observe(Sample {
                    admitted: begun,
                    ended,
                    in_flight,
                    signal,
                });
            }
        }
    }
}

fn config() -> AdaptiveConfig {
    AdaptiveConfig::default()
}

fn limit(plant: &Plant) -> Adaptive {
    Adaptive::new(&config(), 1_000, plant.now)
}

#[track_caller]
fn assert_near(limit: &Adaptive, low: u32, high: u32) {
    let found = limit.limit();
    assert!(
        (low..=high).contains(&found),
        "{found} is not {low} to {high}"
    );
}

#[test]
fn it_finds_what_the_dependency_bears_and_stays_there() {
    for capacity in [10.0, 50.0, 300.0] {
        let mut plant = Plant::new(capacity);
        let mut limit = limit(&plant);
        plant.run(&mut limit, 10.0);
        for _ in 0..100 {
            plant.run(&mut limit, 1.0);
            let share = f64::from(limit.limit()) / capacity;
            assert!((0.5..=1.6).contains(&share), "{share} of {capacity}");
        }
        let most = plant.capacity / SERVICE * 110.0;
        let goodput = plant.answered as f64 / most;
        assert!(goodput > 0.95, "{goodput} of what {capacity} could do");
    }
}

#[test]
fn a_step_in_capacity_is_followed_down_and_up() {
    let mut plant = Plant::new(100.0);
    let mut limit = limit(&plant);
    plant.run(&mut limit, 20.0);
    assert_near(&limit, 70, 160);
    plant.capacity = 20.0;
    plant.run(&mut limit, 5.0);
    assert_near(&limit, 14, 32);
    plant.capacity = 100.0;
    plant.run(&mut limit, 10.0);
    assert_near(&limit, 70, 160);
}

#[test]
fn a_ramp_is_followed_all_the_way() {
    let mut plant = Plant::new(20.0);
    let mut limit = limit(&plant);
    for capacity in (20..=200).step_by(5) {
        plant.capacity = f64::from(capacity);
        plant.run(&mut limit, 2.0);
    }
    assert_near(&limit, 140, 320);
}

#[test]
fn noise_does_not_talk_it_down() {
    let mut plant = Plant::new(50.0);
    plant.noise = 0.5;
    let mut limit = limit(&plant);
    plant.run(&mut limit, 20.0);
    for _ in 0..60 {
        plant.run(&mut limit, 1.0);
        assert_near(&limit, 25, 90);
    }
}

#[test]
fn constant_timeouts_shrink_it_to_its_minimum_and_never_grow_it() {
    let mut plant = Plant::new(50.0);
    let mut limit = limit(&plant);
    plant.run(&mut limit, 10.0);
    plant.timeout = SERVICE / 2.0;
    plant.run(&mut limit, 10.0);
    assert_eq!(limit.limit(), config().min);
    plant.timeout = 10.0;
    plant.run(&mut limit, 20.0);
    assert_near(&limit, 35, 80);
}

#[test]
fn probes_of_a_dead_dependency_do_not_shrink_it() {
    let mut plant = Plant::new(50.0);
    let mut limit = limit(&plant);
    plant.run(&mut limit, 10.0);
    let before = limit.limit();
    for _ in 0..600 {
        let admitted = plant.now;
        plant.now += Duration::from_secs(1);
        limit.observe(Sample {
            admitted,
            ended: plant.now,
            in_flight: 1,
            signal: Signal::Overloaded,
        });
    }
    assert_eq!(limit.limit(), before);
}

#[test]
fn what_it_learned_while_the_dependency_was_degraded_does_not_stay() {
    let mut plant = Plant::new(50.0);
    plant.service = SERVICE * 10.0;
    let mut limit = limit(&plant);
    plant.run(&mut limit, 20.0);
    plant.service = SERVICE;
    plant.run(&mut limit, 20.0);
    let least = limit.least().unwrap();
    assert!((SERVICE * 0.99..SERVICE * 1.2).contains(&least), "{least}");
    assert_near(&limit, 35, 80);
}

#[test]
fn it_gets_out_of_a_congestion_of_its_own_making() {
    // It starts at six times the capacity: the first thing it sees is what it does itself.
    let mut plant = Plant::new(50.0);
    let crowded = AdaptiveConfig {
        initial: 300,
        ..config()
    };
    let mut limit = Adaptive::new(&crowded, 400, plant.now);
    plant.run(&mut limit, 90.0);
    assert_near(&limit, 35, 80);
}

#[test]
fn a_dependency_that_became_slower_for_good_is_not_starved() {
    let mut plant = Plant::new(50.0);
    let mut limit = limit(&plant);
    plant.run(&mut limit, 20.0);
    plant.service = SERVICE * 3.0;
    plant.run(&mut limit, 120.0);
    assert_near(&limit, 35, 80);
}

#[test]
fn what_shrinking_does_not_help_against_is_measured_before_its_time() {
    let seldom = AdaptiveConfig {
        remeasure: Duration::from_secs(1_000),
        ..config()
    };
    let mut plant = Plant::new(50.0);
    let mut limit = Adaptive::new(&seldom, 1_000, plant.now);
    plant.run(&mut limit, 20.0);
    plant.service = SERVICE * 3.0;
    // A quarter of its time, and a few windows.
    plant.run(&mut limit, 270.0);
    assert_near(&limit, 35, 80);
}

#[test]
fn a_higher_latency_is_believed_only_after_a_second_step_down() {
    let now = Instant::now();
    let mut limit = Adaptive::new(&config(), 1_000, now);
    (limit.limit, limit.least) = (100.0, Some(SERVICE));
    let higher = SERVICE * 4.0;
    limit.measure(higher, now);
    assert_eq!(limit.limit(), 75);
    limit.step_down_or_stop(limit.measuring.unwrap(), higher, now);
    assert_eq!((limit.limit(), limit.least()), (56, Some(SERVICE)));
    limit.step_down_or_stop(limit.measuring.unwrap(), higher, now);
    assert_eq!((limit.limit(), limit.least()), (100, Some(higher)));
}

#[test]
fn a_latency_that_is_a_little_lower_comes_to_be_believed() {
    let mut plant = Plant::new(1_000.0);
    plant.demand = 5;
    let mut limit = limit(&plant);
    plant.run(&mut limit, 10.0);
    plant.service = SERVICE * 0.9;
    plant.run(&mut limit, 60.0);
    let least = limit.least().unwrap();
    assert!((least - plant.service).abs() < 0.001, "{least}");
}

#[test]
fn constant_latencies_without_use_do_not_grow_it() {
    let mut plant = Plant::new(1_000.0);
    plant.demand = 5;
    let mut limit = limit(&plant);
    plant.run(&mut limit, 300.0);
    assert_eq!(limit.limit(), config().initial);
}

#[test]
fn new_bounds_hold_at_once_and_what_it_found_within_them_stays() {
    let mut plant = Plant::new(20.0);
    let mut limit = limit(&plant);
    plant.run(&mut limit, 60.0);
    let (found, least) = (limit.limit(), limit.least());
    limit.reconfigure(&config(), 1_000, plant.now);
    assert_eq!((limit.limit(), limit.least()), (found, least));
    // Or the next calls would be a crowd that it doubles for.
    assert!(!limit.searching);
    limit.reconfigure(&config(), found - 1, plant.now);
    assert_eq!(limit.limit(), found - 1);
    let more = AdaptiveConfig {
        min: found + 5,
        ..config()
    };
    limit.reconfigure(&more, 1_000, plant.now);
    assert_eq!(limit.limit(), found + 5);
}

proptest! {
    #[test]
    fn it_stays_within_its_bounds_whatever_comes(
        samples in prop::collection::vec((0_u64..5_000, 0_u64..2_000, 0_u32..500, 0_u8..3), 0..2_000),
    ) {
        let origin = Instant::now();
        let mut limit = Adaptive::new(&config(), 100, origin);
        let mut now = origin;
        for (took, pause, in_flight, signal) in samples {
            now += Duration::from_millis(pause);
            let admitted = now.checked_sub(Duration::from_millis(took)).unwrap_or(now);
            let signal = [Signal::Answered, Signal::Overloaded, Signal::Nothing][usize::from(signal)];
            limit.observe(Sample { admitted, ended: now, in_flight, signal });
            prop_assert!((config().min..=100).contains(&limit.limit()));
        }
    }
}
