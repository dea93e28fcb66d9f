//! Calls that come whether the dependency keeps up or not, and a dependency that works on so many at once,
//! the rest in the order of their arrival.

use std::collections::{BTreeMap, VecDeque};

use super::*;

const CAPACITY: usize = 10;
const WORK: f64 = 0.2;
const TIMEOUT: f64 = 1.0;
/// How long a call waits for a slot.
const PATIENCE: f64 = 0.6;

#[derive(Clone, Copy)]
enum Step {
    Arrives,
    LosesPatience,
    Leaves,
    IsDone,
    TimesOut,
}

struct Overload {
    limit: Adaptive,
    rng: Rng,
    origin: Instant,
    steps: BTreeMap<(Duration, usize), (Step, usize)>,
    planned: usize,
    admitted: Vec<f64>,
    over: Vec<bool>,
    waiting: VecDeque<usize>,
    queued: VecDeque<usize>,
    in_flight: u32,
    busy: usize,
    jitter: f64,
    // So long after they came, callers leave.
    leaving: Option<f64>,
    answered: Vec<f64>,
    timed_out: u32,
}

impl Overload {
    /// Work takes up to `jitter` longer, more often less than more.
    fn new(config: &AdaptiveConfig, seed: u64, jitter: f64) -> Self {
        let origin = Instant::now();
        Self {
            limit: Adaptive::new(config, 640, origin),
            rng: Rng::with_seed(seed),
            origin,
            steps: BTreeMap::new(),
            planned: 0,
            admitted: Vec::new(),
            over: Vec::new(),
            waiting: VecDeque::new(),
            queued: VecDeque::new(),
            in_flight: 0,
            busy: 0,
            jitter,
            leaving: None,
            answered: Vec::new(),
            timed_out: 0,
        }
    }

    fn then(&mut self, at: f64, step: Step, call: usize) {
        let at = Duration::from_secs_f64(at);
        self.steps.insert((at, self.planned), (step, call));
        self.planned += 1;
    }

    fn calls(&mut self, per_second: f64, from: f64, until: f64) {
        let mut at = from;
        while at < until {
            self.then(at, Step::Arrives, self.admitted.len());
            self.admitted.push(0.0);
            self.over.push(false);
            at -= (1.0 - self.rng.f64()).ln() / per_second;
        }
    }

    fn play(&mut self) {
        while let Some(((at, _), (step, call))) = self.steps.pop_first() {
            let now = at.as_secs_f64();
            match step {
                Step::Arrives => {
                    self.waiting.push_back(call);
                    self.then(now + PATIENCE, Step::LosesPatience, call);
                    if let Some(leaving) = self.leaving {
                        self.then(now + leaving, Step::Leaves, call);
                    }
                }
                Step::Leaves if self.waiting.contains(&call) => {
                    self.waiting.retain(|it| *it != call);
                }
                Step::Leaves if self.admitted[call] > 0.0 => self.end(now, call, Signal::GivenUp),
                Step::Leaves => {}
                Step::LosesPatience => self.waiting.retain(|it| *it != call),
                Step::IsDone => {
                    self.busy -= 1;
                    self.end(now, call, Signal::Answered);
                }
                Step::TimesOut => self.end(now, call, Signal::Overloaded),
            }
            self.go_on(now);
        }
    }

    /// A call that timed out, or that its caller left, goes on in the dependency, for nobody.
    fn end(&mut self, now: f64, call: usize, signal: Signal) {
        if std::mem::replace(&mut self.over[call], true) {
            return;
        }
        match signal {
            Signal::Answered => self.answered.push(now),
            Signal::Overloaded => self.timed_out += 1,
            Signal::GivenUp | Signal::Nothing => {}
        }
        let at = |seconds| self.origin + Duration::from_secs_f64(seconds);
        self.limit.observe(Sample {
            admitted: at(self.admitted[call]),
            ended: at(now),
            in_flight: self.in_flight,
            signal,
        });
        self.in_flight -= 1;
    }

    fn go_on(&mut self, now: f64) {
        while self.in_flight < self.limit.limit()
            && let Some(call) = self.waiting.pop_front()
        {
            self.in_flight += 1;
            self.admitted[call] = now;
            self.then(now + TIMEOUT, Step::TimesOut, call);
            self.queued.push_back(call);
        }
        while self.busy < CAPACITY
            && let Some(call) = self.queued.pop_front()
        {
            self.busy += 1;
            let longer = self.jitter * self.rng.f64() * self.rng.f64();
            self.then(now + WORK * (1.0 + longer), Step::IsDone, call);
        }
    }

    /// Of what the dependency could do.
    fn goodput(&self, from: f64, until: f64) -> f64 {
        let done = self.answered.iter();
        let done = done.filter(|at| (from..until).contains(*at)).count();
        let work = WORK * (1.0 + self.jitter / 4.0);
        done as f64 * work / CAPACITY as f64 / (until - from)
    }
}

fn loose() -> AdaptiveConfig {
    AdaptiveConfig {
        initial: 20,
        tolerance: 1.5,
        ..AdaptiveConfig::default()
    }
}

#[test]
fn whatever_is_too_much_the_dependency_stays_busy_and_its_answers_come_in_time() {
    for seed in 1..=10 {
        for times in [3.0, 10.0] {
            for jitter in [0.0, 0.5] {
                let mut overload = Overload::new(&loose(), seed, jitter);
                overload.calls(25.0, 0.0, 60.0);
                overload.calls(times * 50.0 - 25.0, 10.0, 50.0);
                overload.play();
                let goodput = overload.goodput(10.0, 50.0);
                let told = format!("seed {seed}, {times} times, jitter {jitter}");
                assert!(goodput >= 0.95, "{told}: {goodput}");
                assert_eq!(overload.timed_out, 0, "{told}");
            }
        }
    }
}

#[test]
fn a_crowd_that_does_not_fill_the_limit_is_not_taken_for_the_least() {
    // Sixteen at once are a crowd here, and only half of the limit.
    let config = AdaptiveConfig {
        initial: 32,
        remeasure: Duration::from_secs(2),
        ..loose()
    };
    let mut overload = Overload::new(&config, 1, 0.0);
    overload.calls(5.0, 0.0, 5.0);
    overload.calls(60.0, 5.0, 30.0);
    overload.play();
    let least = overload.limit.least().unwrap();
    assert!((0.19..0.24).contains(&least), "{least}");
}

#[test]
fn a_dependency_that_becomes_slower_but_bears_as_much_is_not_kept_from_its_work() {
    let mut plant = Plant::new(1_000.0);
    plant.demand = 10;
    let mut limit = limit(&plant);
    plant.run(&mut limit, 10.0);
    plant.service *= 2.0;
    for _ in 0..60 {
        plant.run(&mut limit, 1.0);
        assert!(limit.limit() >= 10, "{}", limit.limit());
    }
}

#[test]
fn callers_that_leave_before_the_timeout_do_not_hide_the_crowd() {
    for seed in 1..=10 {
        // Afterwards four fifths of what the dependency bears still come: nothing drains by itself.
        let mut overload = Overload::new(&loose(), seed, 0.0);
        overload.leaving = Some(0.9);
        overload.calls(40.0, 0.0, 40.0);
        overload.calls(110.0, 5.0, 15.0);
        overload.play();
        let goodput = overload.goodput(17.0, 40.0);
        assert!(goodput >= 0.7, "seed {seed}: {goodput}");
    }
}
