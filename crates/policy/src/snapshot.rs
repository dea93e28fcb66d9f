//! The state of a policy at one instant, for status pages and gauges.

use std::fmt;
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

/// Why a breaker opened: the rule that was met first, the figures it was met by, the last failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenedBecause {
    /// The rule.
    pub rule: OpeningRule,
    /// Attempts in the window; of [`OpeningRule::Probes`] the probes that are over.
    pub calls: u64,
    /// Failures among them; of probes the bad ones.
    pub failures: u64,
    /// Slow ones among them.
    pub slow: u64,
    /// Failures in a row, whatever the window holds.
    pub in_a_row: u32,
    /// What the last attempt failed by that the rule looks at: [`Class::cause`](crate::Class::cause), or `failed`,
    /// `attempt_timeout`, `cancelled_slow`, `panicked`, `slow`.
    pub last_error: &'static str,
}

/// The rule by which a breaker opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpeningRule {
    /// Failures in a row reached `consecutive_failures`.
    ConsecutiveFailures,
    /// The share of failures reached `failure_rate`.
    FailureRate,
    /// The share of slow attempts reached `slow_call_rate`.
    SlowCallRate,
    /// Too many probes were bad.
    Probes,
}

/// What a policy is doing right now.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Snapshot {
    /// The breaker's state; disabled if it is left out.
    pub breaker: BreakerState,
    /// Share of failures among the attempts in the window, 0 to 1; `None` while it is empty.
    pub failure_rate: Option<f64>,
    /// The failure rate that opens the breaker; `None` if it is left out.
    pub failure_rate_threshold: Option<f64>,
    /// Share of slow ones among the attempts in the window, 0 to 1; `None` while it is empty.
    pub slow_call_rate: Option<f64>,
    /// The slow-call rate that opens the breaker; `None`: slowness is not judged.
    pub slow_call_rate_threshold: Option<f64>,
    /// Why it opened; `None` while it is closed, and where an operator opened it.
    pub opened_because: Option<OpenedBecause>,
    /// What remains of the open time; zero when a probe is due. `None` unless open.
    pub retry_after: Option<Duration>,
    /// Attempts that hold a slot in the bulkhead; 0 if it is left out.
    pub in_flight: u32,
    /// Attempts that wait for a slot.
    pub waiting: u32,
    /// Slots in force: the bulkhead's, or fewer while the ramp after an outage lasts. `None` if the
    /// bulkhead is left out.
    pub limit: Option<u32>,
    /// What an attempt takes at the least, as the adaptive limit has measured it. `None` where the limit is fixed or left
    /// out, or nothing is known yet.
    pub least_latency: Option<Duration>,
    /// How long a first attempt is waited for before a second one starts. `None` if hedging is left out, or
    /// too little is known yet.
    pub hedge_after: Option<Duration>,
    /// Tokens in the retry budget.
    pub retry_budget: f64,
}

impl OpeningRule {
    /// Every rule, so that a metric can exist before its first event.
    pub const ALL: [Self; 4] = [
        Self::ConsecutiveFailures,
        Self::FailureRate,
        Self::SlowCallRate,
        Self::Probes,
    ];

    /// A stable label in snake case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::FailureRate => "failure_rate",
            Self::SlowCallRate => "slow_call_rate",
            Self::Probes => "probes",
        }
    }
}

impl fmt::Display for OpenedBecause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            calls,
            failures,
            slow,
            in_a_row,
            last_error,
        } = self;
        match rule {
            OpeningRule::ConsecutiveFailures => write!(f, "{in_a_row} failures in a row"),
            OpeningRule::FailureRate => write!(f, "{failures} of {calls} attempts failed"),
            OpeningRule::SlowCallRate => write!(f, "{slow} of {calls} attempts were slow"),
            OpeningRule::Probes => write!(f, "{failures} of {calls} probes were bad"),
        }?;
        write!(f, ", the last one by {last_error}")
    }
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
