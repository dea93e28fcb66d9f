//! What a closed breaker counts, and what it must not.

use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::timeout;

use super::subject::end;
use super::{Clock, Finding, Probe, ProbeError, Right, SETUP, Subject};
use crate::contenders::{Does, Feature, Gate, Setup, Trip, Trouble};

const SLOW: Duration = Duration::from_millis(30);
const TWICE_SLOW: Duration = Duration::from_millis(60);

/// Panics.
pub static PANIC: Probe = Probe {
    question: "panics of the operation open it",
    right: Right::Yes,
    needs: None,
    note: None,
    setup: SETUP,
    clock: Clock::Real,
    ask: |subject| Box::pin(panics(subject)),
};

/// Hung calls, cut from outside.
pub static HUNG_CALLS: Probe = Probe {
    question: "200 hung calls, each cut by its caller's timeout, open it",
    right: Right::Yes,
    needs: None,
    note: Some("A timeout inside the breaker is an error, which all of them count."),
    setup: Setup {
        slow_call: Some(SLOW),
        ..SETUP
    },
    clock: Clock::Real,
    ask: |subject| Box::pin(cut_calls(subject, 200, TWICE_SLOW)),
};

/// Callers who leave.
pub static EARLY_CANCELS: Probe = Probe {
    question: "50 calls that their callers gave up early open it",
    right: Right::No,
    needs: None,
    note: None,
    setup: Setup {
        slow_call: Some(Duration::from_secs(5)),
        ..SETUP
    },
    clock: Clock::Real,
    ask: |subject| Box::pin(cut_calls(subject, 50, Duration::from_millis(10))),
};

/// Slow successes.
pub static SLOW_SUCCESSES: Probe = Probe {
    question: "slow successes open it",
    right: Right::Yes,
    needs: Some(Feature::SlowCalls),
    note: None,
    setup: Setup {
        opens_on: Trip::HalfOf(5),
        slow_call: Some(SLOW),
        ..SETUP
    },
    clock: Clock::Real,
    ask: |subject| Box::pin(slow_successes(subject)),
};

/// A long healthy past.
pub static HEALTHY_PAST: Probe = Probe {
    question: "failures that open it after 20,000 successes, window of 5 calls",
    right: Right::AtMost(5),
    needs: None,
    note: Some(
        "failsafe, without a window of calls, is set to 5 failures in a row. tower-resilience's \
         count window never slides; its time window does, its failures in a row need none.",
    ),
    setup: Setup {
        opens_on: Trip::HalfOf(5),
        ..SETUP
    },
    clock: Clock::Real,
    ask: |subject| Box::pin(healthy_past(subject)),
};

/// A full bulkhead.
pub static FULL_BULKHEAD: Probe = Probe {
    question: "rejections of the bulkhead open it",
    right: Right::No,
    needs: Some(Feature::Bulkhead),
    note: Some("tower-resilience's documented stack; a classifier of one's own can exempt them."),
    setup: Setup {
        opens_on: Trip::HalfOf(5),
        bulkhead: Some(1),
        ..SETUP
    },
    clock: Clock::Real,
    ask: |subject| Box::pin(full_bulkhead(subject)),
};

async fn panics(subject: Subject) -> Result<Finding, ProbeError> {
    for _ in 0..20 {
        end(vec![subject.spawn(Does::Panic)]).await;
    }
    Ok(Finding::from(!subject.passes().await))
}

async fn cut_calls(subject: Subject, calls: u32, after: Duration) -> Result<Finding, ProbeError> {
    let hang = || timeout(after, subject.call(Does::Hang));
    join_all((0..calls).map(|_| hang())).await;
    if subject.reached() < calls {
        return Err(ProbeError::Unreached("it refuses while closed"));
    }
    Ok(Finding::from(!subject.passes().await))
}

async fn slow_successes(subject: Subject) -> Result<Finding, ProbeError> {
    for _ in 0..10 {
        if subject.call(Does::AnswerAfter(TWICE_SLOW)).await.is_err() {
            return Ok(Finding::Yes);
        }
    }
    Ok(Finding::No)
}

async fn healthy_past(subject: Subject) -> Result<Finding, ProbeError> {
    for _ in 0..20_000 {
        if !subject.passes().await {
            return Err(ProbeError::Unreached("it refuses while all is well"));
        }
    }
    let most = 25_000;
    let failures = subject.failures_to_open(most).await;
    Ok(failures.map_or(Finding::Above(most), Finding::Count))
}

async fn full_bulkhead(subject: Subject) -> Result<Finding, ProbeError> {
    let gate = Gate::shut();
    let holder = subject.start(Does::AnswerAt(gate.clone())).await?;
    if subject.call(Does::Answer).await != Err(Trouble::Full) {
        return Err(ProbeError::NotFull);
    }
    for _ in 0..20 {
        // Whoever refuses these calls, the dependency is well and sees none of them.
        let _ = subject.call(Does::Answer).await;
    }
    gate.open();
    end(vec![holder]).await;
    Ok(Finding::from(!subject.passes().await))
}
