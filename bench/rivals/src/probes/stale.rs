//! Results that come back after the breaker has moved on. They say how things were.

use super::subject::end;
use super::{Clock, Finding, Probe, ProbeError, Right, SETUP, Subject};
use crate::contenders::{Does, Gate, Setup, Trip};

/// Enough for every crate to notice; recloser judges the half-open state from the second result on.
const STALE: u32 = 5;

/// A success from before.
pub static SUCCESS: Probe = Probe {
    question: "stale successes close it, though the probe then fails",
    right: Right::No,
    needs: None,
    note: None,
    setup: SETUP,
    clock: Clock::Real,
    ask: |subject| Box::pin(stale_success(subject)),
};

/// A failure from before.
pub static FAILURE: Probe = Probe {
    question: "stale failures reopen it, though the probe then succeeds",
    right: Right::No,
    needs: None,
    note: None,
    setup: SETUP,
    clock: Clock::Real,
    ask: |subject| Box::pin(stale_failure(subject)),
};

/// Failures from before the outage that come in after it.
pub static FAILURES_AFTER_RECOVERY: Probe = Probe {
    question: "stale failures after the recovery open it again",
    right: Right::No,
    needs: None,
    note: None,
    setup: SETUP,
    clock: Clock::Real,
    ask: |subject| Box::pin(failures_after_recovery(subject)),
};

/// Failures that were counted before the outage.
pub static COUNTED_BEFORE: Probe = Probe {
    question: "failures counted before the outage open it again after it",
    right: Right::No,
    needs: None,
    note: None,
    setup: Setup {
        opens_on: Trip::HalfOf(10),
        ..SETUP
    },
    clock: Clock::Real,
    ask: |subject| Box::pin(counted_before(subject)),
};

async fn stale_success(subject: Subject) -> Result<Finding, ProbeError> {
    let (old, new) = (Gate::shut(), Gate::shut());
    let stale = subject
        .start_all(STALE, &Does::AnswerAt(old.clone()))
        .await?;
    subject.open_until_half_open().await?;
    let probe = subject.start(Does::FailAt(new.clone())).await?;
    old.open();
    end(stale).await;
    new.open();
    end(vec![probe]).await;
    Ok(Finding::from(subject.passes().await))
}

async fn stale_failure(subject: Subject) -> Result<Finding, ProbeError> {
    let (old, new) = (Gate::shut(), Gate::shut());
    let stale = subject.start_all(STALE, &Does::FailAt(old.clone())).await?;
    subject.open_until_half_open().await?;
    let probe = subject.start(Does::AnswerAt(new.clone())).await?;
    old.open();
    end(stale).await;
    new.open();
    end(vec![probe]).await;
    Ok(Finding::from(!subject.passes().await))
}

async fn failures_after_recovery(subject: Subject) -> Result<Finding, ProbeError> {
    let old = Gate::shut();
    let stale = subject.start_all(STALE, &Does::FailAt(old.clone())).await?;
    subject.open_until_half_open().await?;
    subject.recover().await?;
    old.open();
    end(stale).await;
    Ok(Finding::from(!subject.passes().await))
}

/// Two failures are far from opening a breaker that forgot the ten before.
async fn counted_before(subject: Subject) -> Result<Finding, ProbeError> {
    subject.open_until_half_open().await?;
    subject.recover().await?;
    for _ in 0..2 {
        // Refused or failed, the next call tells.
        let _ = subject.call(Does::Fail).await;
    }
    Ok(Finding::from(!subject.passes().await))
}
