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

use super::plan::{Expectation, Metric, Window};
use super::trial::{Call, Trial};
use calls::Calls;
use window::Spans;

/// What the machine may add to the bound that the API publishes.
pub const GRACE: Duration = Duration::from_millis(300);
/// How long before it was seen to be in force a fault may have had its effects.
pub const PROBE_LAG: Duration = Duration::from_millis(500);
/// For how long all must be whole to be so for good.
pub const FOR_GOOD: Duration = Duration::from_secs(1);

/// Why there is no figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unmeasured {
    /// No fault was observed, so there is no window of it.
    #[error("no fault was observed")]
    NoFault,
    /// No call was meant to be sent in the window.
    #[error("there was no call to judge")]
    NoCalls,
    /// The worker's arrivals were not sampled from one end of the window to the other.
    #[error("arrivals at the worker were not sampled throughout")]
    NoSamples,
    /// What the first fault hurt stands behind no breaker.
    #[error("what was hurt first stands behind no breaker")]
    NoBreaker,
    /// It stands behind one, which stayed as it was.
    #[error("the breaker never opened")]
    NeverOpened,
    /// No worker was ejected during a fault.
    #[error("no worker was ejected")]
    NeverEjected,
    /// One still was when the next fault began, or the trial ended.
    #[error("a worker was not called again")]
    NeverReadmitted,
    /// Not all answers were whole again, or not for long enough.
    #[error("answers did not become whole again for good")]
    NeverRecovered,
    /// Somebody else's API does not tell what this figure needs.
    #[error("unknown: HTTP and the table do not tell")]
    Untold,
    /// Nothing that was well can be told from what was not.
    #[error("no dependency is known to have been well")]
    NothingWell,
}

impl Unmeasured {
    /// Whether nobody can say what the figure would have been; else what it waits for was looked for and did not come.
    #[must_use]
    pub fn is_unknown(self) -> bool {
        !matches!(
            self,
            Self::NeverOpened | Self::NeverRecovered | Self::NeverEjected | Self::NeverReadmitted
        )
    }
}

/// The first call because of which an expectation that does not hold does not hold; none: no single call breaks it.
#[must_use]
pub fn first_against<'a>(expectation: &Expectation, trial: &'a Trial) -> Option<&'a Call> {
    let limit = expectation.at_most.unwrap_or(f64::INFINITY);
    let (has_least, has_most) = (
        expectation.at_least.is_some(),
        expectation.at_most.is_some(),
    );
    let breaks: &dyn Fn(&Call) -> bool = match expectation.metric {
        Metric::Unanswered | Metric::UnansweredShare if has_most => &calls::is_unanswered,
        Metric::ErrorShare if has_most => &calls::is_error,
        Metric::DegradedShare if has_most => &calls::is_degraded,
        Metric::SuccessShare | Metric::Successes if has_least => &|call| !calls::is_success(call),
        Metric::PromisedShare | Metric::Goodput if has_least => &|call| !call.is_promised(),
        Metric::P50 | Metric::P99 => &|call| calls::seconds(call.latency()) > limit,
        Metric::OverBound if has_most => &|call| calls::is_over(call, trial.bound),
        Metric::TimeToRecover => &|call| !call.is_whole(),
        _ => return None,
    };
    let (window, later) = match expectation.metric {
        Metric::TimeToRecover => (Window::After, Duration::try_from_secs_f64(limit).ok()?),
        _ => (expectation.during, Duration::ZERO),
    };
    let spans = Spans::of(window, trial).ok()?;
    let due = |call: &Call| spans.contains(call.intended.saturating_sub(later));
    let counts = |call: &Call| !call.surge || counts_surges(expectation.metric);
    let mut calls = trial.calls.iter();
    calls.find(|call| call.is_telling() && counts(call) && due(call) && breaks(call))
}

/// The figure, in its metric's own unit; none: it cannot be computed.
#[must_use]
pub fn value(metric: Metric, window: Window, trial: &Trial) -> Option<f64> {
    measure(metric, window, trial).ok()
}

/// The figure, in its metric's own unit.
///
/// # Errors
/// Why it cannot be computed.
pub fn measure(metric: Metric, window: Window, trial: &Trial) -> Result<f64, Unmeasured> {
    let untold = |it: &super::trial::Stranger| it.untold.contains(&metric);
    if trial.contender.as_ref().is_some_and(untold) {
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

/// Whether the figure is of a surge's calls as well; all others are of the usual load's alone.
fn counts_surges(metric: Metric) -> bool {
    matches!(metric, Metric::Successes | Metric::OverBound)
}

fn of_calls(metric: Metric, spans: &Spans, trial: &Trial) -> Result<f64, Unmeasured> {
    let calls = match counts_surges(metric) {
        true => Calls::with_surges(spans, trial)?,
        false => Calls::within(spans, trial)?,
    };
    match metric {
        Metric::Unanswered => Ok(calls.number(calls::is_unanswered)),
        Metric::UnansweredShare => Ok(calls.share(calls::is_unanswered)),
        Metric::ErrorShare => Ok(calls.share(calls::is_error)),
        Metric::SuccessShare => Ok(calls.share(calls::is_success)),
        Metric::DegradedShare => Ok(calls.share(calls::is_degraded)),
        Metric::PromisedShare => Ok(calls.share(Call::is_promised)),
        Metric::Goodput => {
            let length = spans.until(trial.lasts).length();
            calls.per_second(Call::is_promised, length)
        }
        Metric::Successes => calls.per_second(calls::is_success, spans.until(trial.lasts).length()),
        Metric::P50 => Ok(calls.latency(0.5)),
        Metric::P99 => Ok(calls.latency(0.99)),
        Metric::OverBound => Ok(calls.number(|call| calls::is_over(call, trial.bound))),
        _ => harm::share(&calls, trial),
    }
}
