//! What each figure is: pure, from what was seen of one side. This is the one place where figures are defined.
//!
//! - A call belongs to a [`Window`] by its *intended* start, and the windows follow the faults as they were *observed*.
//!   `fault` is the union of the times in which any was in force, ends included; `after` begins where the end of the last
//!   one began, and `time_to_recover` counts from there: what it takes to heal a fault is part of it.
//! - Clients that left, and calls that the load generator could not send, say nothing of the system: they count nowhere,
//!   except that who left has been sent (`attempts_per_call`).
//! - The calls of a surge are somebody else's: they count in `successes` and `over_bound` alone, and in the account.
//! - Shares and counts are of calls. Where a window has none, there is no figure: nothing was seen, not "none failed".
//! - A latency counts from the intended start. A call without an answer counts with the time it waited, which is next to
//!   nothing where it was refused: read it beside `unanswered`.
//! - `goodput` is promises to the calls of the window, by the window's length, as far as load arrived in it.
//! - `over_bound` is a call that took longer than the bound and [`GRACE`], or was given up, however short the patience.
//!   One that was refused or reset in time broke no bound: its client knows where it stands.
//! - Arrivals at the worker come from samples, between which they are spread evenly. Recovery's count too.
//!   `attempts_per_call` ends where the load ends; `peak_arrivals` of `after` and `all` goes on to the last sample,
//!   because a stampede may come late.
//! - `time_to_open` is of the breaker of what the first fault hurt. A breaker may be quicker than the probe that looks
//!   for the fault: one that opened up to [`PROBE_LAG`] before the fault was seen opened at once.
//! - `relapses` counts from when that breaker closed behind the last fault's end: a probe that was under way at the end, and
//!   failed, is none.
//! - `time_to_recover` ends at the intended start of the first call from which on all were answered whole. Load must go
//!   on for [`FOR_GOOD`] from there, or it is no recovery.
//! - `time_to_eject` and `time_to_readmit` are of what the API says of its workers, looked at five times a second.
//! - `harmed` asks what the dependency that was well could still have given. The database alone was hurt: the worker's
//!   result. The worker alone was hurt: a record in the database; the naive side tells of one only by answering 200.
//!   Where both, or the API, were hurt, nobody can say.

mod arrivals;
mod calls;
mod endpoints;
mod harm;
mod time;
mod window;

use std::time::Duration;

use thiserror::Error;

use super::plan::{Expectation, Metric, Unit, Window};
use super::trial::{Call, Trial};
use window::Spans;

/// What the machine may add to the bound that the API publishes.
pub const GRACE: Duration = Duration::from_millis(300);
/// How long before it was seen to be in force a fault may have had its effects.
pub const PROBE_LAG: Duration = Duration::from_millis(500);
/// For how long all must be whole to be so for good.
pub const FOR_GOOD: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unmeasured {
    #[error("no fault was observed")]
    NoFault,
    #[error("there was no call to judge")]
    NoCalls,
    #[error("arrivals at the worker were not sampled throughout")]
    NoSamples,
    #[error("what was hurt first stands behind no breaker")]
    NoBreaker,
    #[error("the breaker never opened")]
    NeverOpened,
    #[error("no worker was ejected")]
    NeverEjected,
    #[error("a worker was not called again")]
    NeverReadmitted,
    #[error("answers did not become whole again for good")]
    NeverRecovered,
    #[error("unknown: HTTP and the table do not tell")]
    Untold,
    #[error("no dependency is known to have been well")]
    NothingWell,
}

impl Unmeasured {
    /// Whether nobody can say what the figure would have been; else what it waits for was looked for and did not come.
    pub fn is_unknown(self) -> bool {
        !matches!(
            self,
            Self::NeverOpened | Self::NeverRecovered | Self::NeverEjected | Self::NeverReadmitted
        )
    }
}

/// The first call because of which an expectation that does not hold does not hold; none: no single call breaks it.
pub fn first_against<'a>(expectation: &Expectation, trial: &'a Trial) -> Option<&'a Call> {
    let metric = expectation.metric;
    let limit = expectation.at_most.unwrap_or(f64::INFINITY);
    let wants_many = matches!(
        metric,
        Metric::SuccessShare | Metric::Successes | Metric::PromisedShare | Metric::Goodput
    );
    let is_asked = match wants_many {
        true => expectation.at_least.is_some(),
        false => expectation.at_most.is_some(),
    };
    let counted = calls::counted(metric).filter(|_| is_asked);
    let breaks = |call: &Call| match metric {
        Metric::P50 | Metric::P99 => call.latency().as_secs_f64() > limit,
        Metric::TimeToRecover => !call.is_whole(),
        _ => counted.is_some_and(|counted| counted(call, trial) != wants_many),
    };
    let (window, later) = match metric {
        Metric::TimeToRecover => (Window::After, Duration::try_from_secs_f64(limit).ok()?),
        _ => (expectation.during, Duration::ZERO),
    };
    let spans = Spans::of(window, trial).ok()?;
    let due = |call: &Call| spans.contains(call.intended.saturating_sub(later));
    let mut calls = trial.calls.iter();
    calls.find(|call| calls::counts(metric, call) && due(call) && breaks(call))
}

/// The figure, in its metric's own unit, or why it cannot be computed.
pub fn measure(metric: Metric, window: Window, trial: &Trial) -> Result<f64, Unmeasured> {
    let contender = trial.contender.as_ref();
    if contender.is_some_and(|it| it.untold.contains(&metric)) {
        return Err(Unmeasured::Untold);
    }
    match metric {
        Metric::TimeToOpen => time::to_open(trial),
        Metric::Relapses => time::relapses(trial),
        Metric::TimeToRecover => time::to_recover(trial),
        Metric::TimeToEject => endpoints::to_eject(trial),
        Metric::TimeToReadmit => endpoints::to_readmit(trial),
        Metric::Lost => Ok(calls::count(trial.durability.lost)),
        Metric::Duplicates => Ok(calls::count(trial.durability.duplicates)),
        Metric::AttemptsPerCall => arrivals::per_call(&Spans::of(window, trial)?, trial),
        Metric::PeakArrivals => arrivals::peak(&Spans::of(window, trial)?, trial),
        _ => of_calls(metric, &Spans::of(window, trial)?, trial),
    }
}

fn of_calls(metric: Metric, spans: &Spans, trial: &Trial) -> Result<f64, Unmeasured> {
    let calls = calls::within(metric, spans, trial)?;
    let Some(counted) = calls::counted(metric) else {
        return match metric {
            Metric::P50 => Ok(calls::latency(&calls, 0.5)),
            Metric::P99 => Ok(calls::latency(&calls, 0.99)),
            _ => harm::share(&calls, trial),
        };
    };
    let counted = |call: &Call| counted(call, trial);
    match (metric.unit(), spans.until(trial.lasts).length()) {
        (Unit::Share, _) => Ok(calls::share(&calls, counted)),
        (Unit::PerSecond, Duration::ZERO) => Err(Unmeasured::NoCalls),
        (Unit::PerSecond, length) => Ok(calls::number(&calls, counted) / length.as_secs_f64()),
        _ => Ok(calls::number(&calls, counted)),
    }
}
