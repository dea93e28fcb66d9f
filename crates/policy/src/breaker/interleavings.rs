//! The state word and the tickets under every interleaving of two threads that loom can find.

use std::time::Duration;

use loom::thread;
use tokio::time::Instant;

use super::circuit::{Circuit, CircuitSettings};
use super::stopwatch::Stopwatch;
use super::ticket::Ticket;
use crate::class::{AttemptVerdict, Class};
use crate::config::{BreakerConfig, Window};
use crate::event::Event;
use crate::now::Now;
use crate::reporter::Reporter;
use crate::snapshot::BreakerState;
use crate::support::breaker_config;

const LEASE: Duration = Duration::from_secs(4);
/// Past any open time.
const LATER: Duration = Duration::from_secs(60);

/// One that looks at the last two calls and opens at the given number of failures in a row.
fn circuit(consecutive_failures: u32) -> Circuit {
    watched(consecutive_failures, Reporter::new("loom", Vec::new()))
}

fn watched(consecutive_failures: u32, reporter: Reporter) -> Circuit {
    let config = BreakerConfig {
        window: Window::Calls(2),
        minimum_calls: 2,
        failure_rate: 1.0,
        slow_call: None,
        slow_call_rate: None,
        consecutive_failures,
        half_open_calls: 1,
        ..breaker_config()
    };
    let settings = CircuitSettings {
        lease: LEASE,
        seed: 1,
    };
    Circuit::new(&config, settings, reporter)
}

fn admit(circuit: &Circuit, now: Instant) -> Option<Ticket> {
    let pass = circuit.admit(&Now::from(now), || 2).ok()?;
    Some(Ticket::new(pass, 1))
}

fn finish(circuit: &Circuit, ticket: Ticket, class: Class) {
    let now = Instant::now();
    let watch = &Now::from(now);
    let watch = Stopwatch::new(now, watch);
    ticket.finish(circuit, &AttemptVerdict::Finished(class), &watch);
}

#[test]
fn a_success_that_skips_the_lock_is_as_good_as_one_that_came_before() {
    loom::model(|| {
        let now = Instant::now();
        let circuit = circuit(9);
        (0..2).for_each(|_| finish(&circuit, admit(&circuit, now).unwrap(), Class::success()));
        let (good, bad) = (admit(&circuit, now).unwrap(), admit(&circuit, now).unwrap());
        let theirs = circuit.clone();
        let other = thread::spawn(move || finish(&theirs, good, Class::success()));
        finish(&circuit, bad, Class::failure());
        other.join().unwrap();
        assert_eq!(circuit.view(now, 2).failure_rate, Some(0.5));
    });
}

#[test]
fn a_success_admitted_while_it_opens_does_not_close_it() {
    loom::model(|| {
        let now = Instant::now();
        let circuit = circuit(1);
        let bad = admit(&circuit, now).unwrap();
        let newcomer = circuit.clone();
        let other = thread::spawn(move || {
            if let Some(ticket) = admit(&newcomer, now) {
                finish(&newcomer, ticket, Class::success());
            }
        });
        finish(&circuit, bad, Class::failure());
        other.join().unwrap();
        assert_eq!(circuit.state(), BreakerState::Open);
        assert!(admit(&circuit, now).is_none(), "and the word says so too");
    });
}

#[test]
fn two_failures_at_once_open_it_once() {
    loom::model(|| {
        let now = Instant::now();
        let openings = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
        let counter = std::sync::Arc::clone(&openings);
        let observer = move |event: &Event<'_>| {
            if let Event::Transition { generation, .. } = event {
                counter.fetch_add(*generation, std::sync::atomic::Ordering::Relaxed);
            }
        };
        let circuit = watched(1, Reporter::new("loom", vec![Box::new(observer)]));
        let (first, second) = (admit(&circuit, now).unwrap(), admit(&circuit, now).unwrap());
        let theirs = circuit.clone();
        let other = thread::spawn(move || finish(&theirs, first, Class::failure()));
        finish(&circuit, second, Class::failure());
        other.join().unwrap();
        let openings = openings.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!((circuit.state(), openings), (BreakerState::Open, 1));
    });
}

#[test]
fn of_two_callers_at_half_open_one_is_the_probe_and_its_slot_comes_back() {
    loom::model(|| {
        let now = Instant::now();
        let circuit = circuit(1);
        finish(&circuit, admit(&circuit, now).unwrap(), Class::failure());
        let newcomer = circuit.clone();
        let other = thread::spawn(move || admit(&newcomer, now + LATER));
        let mine = admit(&circuit, now + LATER);
        let theirs = other.join().unwrap();
        assert!(mine.is_some() != theirs.is_some(), "exactly one probe");
        let probe = mine.or(theirs).unwrap();
        probe.give_back(&circuit, &Now::from(now + LATER));
        assert!(
            admit(&circuit, now + LATER).is_some(),
            "given back, it is free"
        );
    });
}

#[test]
fn whoever_comes_while_it_closes_is_refused_or_admitted_for_good() {
    loom::model(|| {
        let now = Instant::now();
        let circuit = circuit(1);
        finish(&circuit, admit(&circuit, now).unwrap(), Class::failure());
        let probe = admit(&circuit, now + LATER).unwrap();
        let newcomer = circuit.clone();
        let other = thread::spawn(move || {
            let ticket = admit(&newcomer, now + LATER);
            ticket.is_some_and(|ticket| {
                finish(&newcomer, ticket, Class::failure());
                true
            })
        });
        finish(&circuit, probe, Class::success());
        let counted = other.join().unwrap();
        // A failure of the new generation counts, and here one is enough.
        let expected = if counted {
            BreakerState::Open
        } else {
            BreakerState::Closed
        };
        assert_eq!(circuit.state(), expected);
    });
}
