//! The breaker, ticket and state word included, against a plain model of what its documentation
//! says, over random sequences of calls, outcomes, drops, interventions and time.

mod attempt;
#[allow(
    clippy::cast_possible_truncation,
    reason = "it counts in lists of a few hundred"
)]
mod reference;

use std::time::Duration;

use proptest::prelude::*;
use tokio::runtime::Builder;
use tokio::time::{Instant, advance};

use self::attempt::{End, Refused};
use self::reference::Reference;
use super::circuit::{Circuit, CircuitSettings};
use super::core::Refusal;
use super::stopwatch::Stopwatch;
use super::ticket::Ticket;
use crate::class::{AttemptVerdict, Class};
use crate::config::{BreakerConfig, Window};
use crate::now::Now;
use crate::reporter::Reporter;

const CASES: u32 = 512;
const STEPS: std::ops::Range<usize> = 200..400;
const LEASE: Duration = Duration::from_secs(4);
const CONCURRENCY: u32 = 8;

#[derive(Clone, Copy, Debug)]
enum Step {
    Admit,
    /// One of those under way ends.
    End(usize, End),
    /// Milliseconds.
    Pass(u64),
    ForceOpen,
    Disable,
    Reset,
}

fn step() -> impl Strategy<Value = Step> {
    let end = prop_oneof![
        6 => Just(End::Success),
        6 => Just(End::Failure),
        1 => Just(End::Neutral),
        1 => Just(End::TimedOut),
        1 => Just(End::Dropped),
        1 => Just(End::Panicked),
        1 => Just(End::NeverReached),
    ];
    prop_oneof![
        40 => Just(Step::Admit),
        36 => (any::<usize>(), end).prop_map(|(which, end)| Step::End(which, end)),
        14 => (1_u64..200).prop_map(Step::Pass),
        5 => (200_u64..3_000).prop_map(Step::Pass),
        3 => (3_000_u64..15_000).prop_map(Step::Pass),
        1 => prop_oneof![Just(Step::ForceOpen), Just(Step::Disable)],
        1 => Just(Step::Reset),
    ]
}

fn config() -> impl Strategy<Value = BreakerConfig> {
    let window = prop_oneof![
        (5_u32..12).prop_map(Window::Calls),
        (1_000_u64..5_000).prop_map(|ms| Window::Time(Duration::from_millis(ms))),
    ];
    let slow = prop_oneof![Just(None), Just(Some(Duration::from_millis(500)))];
    let ramp = prop_oneof![Just(Duration::ZERO), Just(Duration::from_secs(2))];
    (window, slow, ramp, 1_u32..5, 2_u32..8, 1_u32..4).prop_map(
        |(window, slow_call, ramp, minimum_calls, consecutive_failures, half_open_calls)| {
            BreakerConfig {
                window,
                minimum_calls,
                failure_rate: 0.5,
                slow_call,
                slow_call_rate: slow_call.map(|_| 0.8),
                consecutive_failures,
                open_for: Duration::from_secs(1),
                max_open_for: Duration::from_secs(5),
                half_open_calls,
                ramp,
            }
        },
    )
}

/// A ticket of the breaker and what the model knows it by.
struct UnderWay {
    ticket: Ticket,
    since: Instant,
    number: u64,
}

struct Run {
    circuit: Circuit,
    reference: Reference,
    under_way: Vec<UnderWay>,
}

impl Run {
    fn new(config: &BreakerConfig) -> Self {
        let settings = CircuitSettings {
            lease: LEASE,
            seed: 7,
        };
        Self {
            circuit: Circuit::new(config, settings, Reporter::new("model", Vec::new())),
            reference: Reference::new(config.clone(), Instant::now()),
            under_way: Vec::new(),
        }
    }

    async fn take(&mut self, step: Step) {
        match step {
            Step::Admit => self.admit(),
            Step::End(which, end) if !self.under_way.is_empty() => {
                let call = self.under_way.swap_remove(which % self.under_way.len());
                self.reference.end(call.number, end, Instant::now());
                finish(&self.circuit, call, end);
            }
            Step::End(..) => {}
            Step::Pass(ms) => advance(Duration::from_millis(ms)).await,
            Step::ForceOpen => {
                self.circuit.force_open();
                self.reference.force_open();
            }
            Step::Disable => {
                self.circuit.disable();
                self.reference.disable();
            }
            Step::Reset => {
                self.circuit.reset();
                self.reference.reset();
            }
        }
    }

    fn admit(&mut self) {
        let now = Instant::now();
        let expected = self.reference.admit(now);
        match (ticket(&self.circuit, now), expected) {
            (Ok(ticket), Ok(number)) => self.under_way.push(UnderWay {
                ticket,
                since: now,
                number,
            }),
            (Err(Refusal::Open(wait)), Err(Refused::Open(expected))) => {
                assert_eq!(wait, expected, "when to come back");
            }
            (Err(Refusal::Ramp(wait)), Err(Refused::Ramp(expected))) => {
                assert_eq!(wait, expected, "when the ramp ends");
            }
            (was, expected) => panic!("{was:?} instead of {expected:?}"),
        }
    }

    /// What can be seen from outside is what the model says. The draw of an open time is the
    /// breaker's own: the model checks its bounds and takes it over.
    fn compare(&mut self) {
        let now = Instant::now();
        let view = self.circuit.view(now, CONCURRENCY);
        self.reference.learn_open_time(view.retry_after, now);
        assert_eq!(view.state, self.reference.state());
        assert_eq!(view.retry_after, self.reference.retry_after(now));
        assert_eq!(view.failure_rate, self.reference.failure_rate(now));
        assert_eq!(view.slow_call_rate, self.reference.slow_call_rate(now));
        assert_eq!(view.ramp_limit, self.reference.ramp_limit(now));
    }
}

fn ticket(circuit: &Circuit, now: Instant) -> Result<Ticket, Refusal> {
    let pass = circuit.admit(&Now::from(now), || CONCURRENCY)?;
    Ok(Ticket::new(pass, 1))
}

fn finish(circuit: &Circuit, call: UnderWay, end: End) {
    let now = Now::on_demand();
    let watch = Stopwatch::new(call.since, &now);
    let verdict = match end {
        End::Success => AttemptVerdict::Finished(Class::success()),
        End::Failure => AttemptVerdict::Finished(Class::failure()),
        End::Neutral => AttemptVerdict::Finished(Class::neutral()),
        End::TimedOut => AttemptVerdict::TimedOut,
        End::Dropped => return call.ticket.abandon(circuit, false, &watch),
        End::Panicked => return call.ticket.abandon(circuit, true, &watch),
        End::NeverReached => return call.ticket.give_back(circuit, &now),
    };
    call.ticket.finish(circuit, &verdict, &watch);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, ..ProptestConfig::default() })]

    #[test]
    fn the_breaker_does_what_a_plain_reading_of_its_documentation_says(
        config in config(),
        steps in prop::collection::vec(step(), STEPS),
    ) {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(async {
            let mut run = Run::new(&config);
            for step in steps {
                run.take(step).await;
                run.compare();
            }
        });
    }
}
