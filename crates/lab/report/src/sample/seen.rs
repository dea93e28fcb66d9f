//! What either side shows while the worker is paused.

use std::time::Duration;

use fastrand::Rng;
use uuid::Uuid;

use holdfast_checker::arrivals::Arrivals;
use holdfast_checker::plan::{Side, Target};
use holdfast_checker::trial::{
    Call, Completion, Durability, FaultWindow, Generator, Observation, Sample, Transition, Trial,
};

const FROM: f64 = 10.1;
const TO: f64 = 20.2;
pub(super) const LASTS: f64 = 40.0;
pub(super) const PATIENCE: f64 = 6.0;
pub(super) const WORK: f64 = 0.3;
/// The resilient side's deadline for the worker.
const DEADLINE: f64 = 1.4;
/// When the breaker had opened.
const OPENED: f64 = 10.9;
/// When it had closed again.
const CLOSED: f64 = 21.3;

pub(super) fn trial(side: Side) -> Trial {
    let mut random = Rng::with_seed(11);
    let times = Arrivals::Poisson.times(25.0, Duration::from_secs_f64(LASTS), 7);
    let calls: Vec<Call> = times
        .zip(0..)
        .map(|(intended, number)| call(side, intended, number, &mut random))
        .collect();
    let is_naive = side == Side::Naive;
    // A client that gave up took its call with it, and left a row behind.
    let lost = calls
        .iter()
        .filter(|call| call.end == Completion::GivenUp)
        .count() as u64;
    Trial {
        side,
        bound: Duration::from_secs_f64(2.4),
        lasts: Duration::from_secs_f64(LASTS),
        faults: vec![FaultWindow {
            name: "worker pause".to_owned(),
            target: Target::Worker,
            from: Duration::from_secs_f64(FROM),
            to: Duration::from_secs_f64(TO),
            recovered: Duration::from_secs_f64(TO),
            live: observation("its port is open and it answers nothing within 500 ms"),
            healed: observation("it answers again, within 2 ms"),
        }],
        transitions: if is_naive { Vec::new() } else { transitions() },
        samples: samples(side, &calls),
        breaches: Some(Vec::new()),
        durability: Durability {
            promised: calls.iter().filter(|call| call.is_promised()).count() as u64,
            lost,
            duplicates: 0,
            failed: 0,
            done: calls.len() as u64 - lost,
        },
        generator: Generator {
            cpu_us_per_request: 27.4,
            late_p99_ms: 1.3,
            late_max_ms: 4.1,
            most_under_way: 151,
        },
        contender: None,
        calls,
    }
}

/// A short window within a long one.
pub(super) fn flap(whole: &FaultWindow, number: u32) -> FaultWindow {
    let from = whole.from + Duration::from_secs(2) * number;
    let to = from + Duration::from_millis(1_100);
    FaultWindow {
        from,
        to,
        recovered: to,
        ..whole.clone()
    }
}

fn observation(seen: &str) -> Observation {
    Observation {
        holds: true,
        seen: seen.to_owned(),
    }
}

fn call(side: Side, intended: Duration, number: u64, random: &mut Rng) -> Call {
    let at = intended.as_secs_f64();
    let worked = WORK + 0.004 + random.f64() * 0.03;
    let hit = at + worked > FROM && at < TO;
    let (latency, end) = match side {
        _ if !hit => (worked, answered(200, None)),
        Side::Naive if TO - at + worked > PATIENCE => (PATIENCE, Completion::GivenUp),
        Side::Naive => (TO - at + worked, answered(200, None)),
        Side::Resilient if at < OPENED => {
            let waited = DEADLINE.min(OPENED - at + 0.6) + random.f64() * 0.03;
            (
                waited,
                answered(202, Some("worker_unavailable:attempt_timeout")),
            )
        }
        Side::Resilient | Side::Contender => {
            let quick = 0.004 + random.f64().powi(3) * 0.03;
            (
                quick,
                answered(202, Some("worker_unavailable:circuit_open")),
            )
        }
    };
    Call {
        number,
        intended,
        sent: intended + Duration::from_micros(300),
        ended: intended + Duration::from_secs_f64(latency),
        surge: false,
        end,
    }
}

pub(super) fn answered(status: u16, without: Option<&str>) -> Completion {
    Completion::Answered {
        status,
        request_id: Some(Uuid::nil()),
        has_result: without.is_none(),
        degraded: without.map(str::to_owned).into_iter().collect(),
        recorded_in: Some("database".to_owned()),
    }
}

fn transitions() -> Vec<Transition> {
    let changes = [
        (OPENED, "closed", "open"),
        (13.2, "open", "half_open"),
        (13.8, "half_open", "open"),
        (17.9, "open", "half_open"),
        (18.5, "half_open", "open"),
        (20.7, "open", "half_open"),
        (CLOSED, "half_open", "closed"),
    ];
    changes
        .into_iter()
        .map(|(at, from, to)| Transition {
            at: Duration::from_secs_f64(at),
            dependency: "worker".to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        })
        .collect()
}

/// Four looks a second; a paused worker cannot tell its count.
fn samples(side: Side, calls: &[Call]) -> Vec<Sample> {
    (0..184)
        .map(|quarter| look(side, f64::from(quarter) / 4.0, calls))
        .collect()
}

fn look(side: Side, at: f64, calls: &[Call]) -> Sample {
    let sent = |call: &&Call| call.intended.as_secs_f64() <= at;
    let deferred = |call: &&Call| call.status() == Some(202);
    let arrived = calls
        .iter()
        .filter(sent)
        .filter(|call| side == Side::Naive || !deferred(call));
    let owed = calls.iter().filter(sent).filter(deferred).count() as f64;
    let recovered = ((at - CLOSED).max(0.0) * 30.0).min(owed);
    let told = !(FROM..TO).contains(&at);
    Sample {
        at: Duration::from_secs_f64(at),
        worker_arrivals: told.then(|| arrived.count() as u64 + whole(recovered)),
        open_work: Some(whole(owed - recovered)),
        journal_entries: Some(0),
        ejected: None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}
