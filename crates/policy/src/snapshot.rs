//! The state of a policy at one instant, for status pages and gauges.

use std::time::Duration;

/// The state of a circuit breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Calls pass and are counted.
    Closed,
    /// Calls are refused until the open time is over. It stays so until a call comes to probe.
    Open,
    /// A few probes decide whether to close.
    HalfOpen,
    /// Refuses everything until an operator resets it.
    ForcedOpen,
    /// Lets everything pass, counts nothing, until an operator resets it.
    Disabled,
}

/// What a policy is doing right now.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    /// The breaker's state.
    pub breaker: BreakerState,
    /// Share of failures among the attempts in the window, 0 to 1; `None` while it is empty.
    pub failure_rate: Option<f64>,
    /// The failure rate that opens the breaker.
    pub failure_rate_threshold: f64,
    /// Share of slow ones among the attempts in the window, 0 to 1; `None` while it is empty.
    pub slow_call_rate: Option<f64>,
    /// The slow-call rate that opens the breaker; `None`: slowness is not judged.
    pub slow_call_rate_threshold: Option<f64>,
    /// What remains of the open time; zero when a probe is due. `None` unless open.
    pub retry_after: Option<Duration>,
    /// Attempts that hold a place in the bulkhead.
    pub in_flight: u32,
    /// Attempts that wait for a place.
    pub waiting: u32,
    /// Places in force: the bulkhead's, or fewer while the ramp after an outage lasts.
    pub limit: u32,
    /// Tokens in the retry budget.
    pub retry_budget: f64,
}

impl BreakerState {
    /// Every state, so that a gauge can exist before its first event.
    pub const ALL: [Self; 5] = [
        Self::Closed,
        Self::Open,
        Self::HalfOpen,
        Self::ForcedOpen,
        Self::Disabled,
    ];

    /// A stable label in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
            Self::ForcedOpen => "forced_open",
            Self::Disabled => "disabled",
        }
    }
}
