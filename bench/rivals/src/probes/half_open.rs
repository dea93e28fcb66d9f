//! What a half-open breaker lets pass, and what closes it.

use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::sleep;

use super::subject::end;
use super::{Clock, Finding, Probe, ProbeError, Right, SETUP, Subject};
use crate::contenders::{Does, Feature, Gate, Setup, Trip};

const SLOW: Duration = Duration::from_millis(30);
const WINDOW: Duration = Duration::from_secs(1);
const CALLERS: u32 = 256;

/// A slow probe.
pub static SLOW_PROBE: Probe = Probe {
    question: "a slow success at half-open closes it",
    right: Right::No,
    needs: Some(Feature::SlowCalls),
    note: None,
    setup: Setup {
        opens_on: Trip::HalfOf(5),
        slow_call: Some(SLOW),
        ..SETUP
    },
    clock: Clock::Real,
    ask: |subject| Box::pin(slow_probe(subject)),
};

/// Many callers at once.
pub static CALLERS_AT_ONCE: Probe = Probe {
    question: "of 256 callers at half-open, with 1 probe set, reach the dependency",
    right: Right::AtMost(1),
    needs: None,
    note: Some("failsafe and recloser have no limit that could be set."),
    setup: SETUP,
    clock: Clock::Real,
    ask: |subject| Box::pin(callers_at_once(subject)),
};

/// A probe whose caller leaves.
pub static DROPPED_PROBE: Probe = Probe {
    question: "a dropped probe wedges it",
    right: Right::No,
    needs: None,
    note: None,
    setup: SETUP,
    clock: Clock::Real,
    ask: |subject| Box::pin(dropped_probe(subject)),
};

/// Fewer probes than a window of time remembers.
pub static SLOW_TRICKLE: Probe = Probe {
    question: "a call every 1.1 s wedges it at half-open, window of 1 s, 3 probes",
    right: Right::No,
    needs: Some(Feature::TimeWindow),
    note: None,
    setup: Setup {
        opens_on: Trip::HalfWithin {
            window: WINDOW,
            minimum: 5,
        },
        half_open_calls: 3,
        ..SETUP
    },
    clock: Clock::Real,
    ask: |subject| Box::pin(slow_trickle(subject)),
};

async fn slow_probe(subject: Subject) -> Result<Finding, ProbeError> {
    subject.open_until_half_open().await?;
    let answer = subject.call(Does::AnswerAfter(SLOW * 2)).await;
    answer.map_err(|_| ProbeError::Unreached("the probe is refused"))?;
    Ok(Finding::from(subject.passes().await))
}

async fn callers_at_once(subject: Subject) -> Result<Finding, ProbeError> {
    subject.open_until_half_open().await?;
    let before = subject.reached();
    let gate = Gate::shut();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| subject.spawn(Does::AnswerAt(gate.clone())))
        .collect();
    // Who reaches the dependency stays there, so each caller is counted once.
    let refused = || callers.iter().filter(|caller| caller.is_finished()).count();
    while (subject.reached() - before) as usize + refused() < callers.len() {
        yield_now().await;
    }
    let reached = subject.reached() - before;
    gate.open();
    end(callers).await;
    Ok(Finding::Count(reached))
}

async fn dropped_probe(subject: Subject) -> Result<Finding, ProbeError> {
    subject.open_until_half_open().await?;
    let probe = subject.start(Does::Hang).await?;
    probe.abort();
    end(vec![probe]).await;
    Ok(Finding::from(subject.is_wedged().await))
}

async fn slow_trickle(subject: Subject) -> Result<Finding, ProbeError> {
    subject.open_until_half_open().await?;
    for _ in 0..3 {
        if !subject.passes().await {
            return Err(ProbeError::Unreached("a probe is refused"));
        }
        sleep(WINDOW + WINDOW / 10).await;
    }
    Ok(Finding::from(subject.is_wedged().await))
}
