//! Taking one policy out of a policy file: what is laid over it so that the policy does nothing.

use jiff::SignedDuration;
use strum::{Display, VariantArray};
use toml::{Table, Value};

/// Longer than any experiment.
const FOR_EVER: &str = "60s";
/// A pool is waited for less long than an attempt.
const ALMOST: &str = "59s";
/// Above the bound that follows from it.
const LEASE: &str = "10m";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Ablation {
    #[strum(to_string = "time limits, all of them")]
    TimeLimits,
    #[strum(to_string = "attempt timeout")]
    AttemptTimeout,
    Deadline,
    #[strum(to_string = "connect timeout")]
    ConnectTimeout,
    Retry,
    #[strum(to_string = "retry budget")]
    RetryBudget,
    #[strum(to_string = "circuit breaker")]
    Breaker,
    #[strum(to_string = "slow calls count as failures")]
    SlowCalls,
    #[strum(to_string = "bulkhead, whatever its limit")]
    Bulkhead,
    #[strum(to_string = "adaptive limit, a fixed one instead")]
    AdaptiveLimit,
    Hedge,
    #[strum(to_string = "a client's share")]
    RateLimit,
    #[strum(to_string = "ramp after closing")]
    Ramp,
    #[strum(to_string = "deferring (202)")]
    Defer,
    Journal,
}

impl Ablation {
    pub(super) const ALL: &[Self] = Self::VARIANTS;

    /// What to lay over `policies` so that it does nothing there.
    pub(super) fn overlay(self, policies: &Table) -> Table {
        let text = match self {
            Self::TimeLimits => format!(
                "recovery.lease = '{LEASE}'\n{}database.pool.max_wait = '{ALMOST}'",
                each(&format!(
                    "attempt_timeout = '{FOR_EVER}'\ndeadline = '{FOR_EVER}'\nbreaker.window = '{FOR_EVER}'"
                ))
            ),
            // A window shorter than an attempt is refused.
            Self::AttemptTimeout => {
                as_long_as(policies, "attempt_timeout", "deadline") + &longer_windows(policies)
            }
            Self::Deadline => format!(
                "recovery.lease = '{LEASE}'\n{}",
                each(&format!("deadline = '{FOR_EVER}'"))
            ),
            Self::ConnectTimeout => as_long_as(policies, "connect_timeout", "attempt_timeout"),
            Self::Retry => each("retry.max_attempts = 1"),
            Self::RetryBudget => each("retry.budget = { ratio = 1.0, floor_per_second = 1000.0 }"),
            Self::Breaker => {
                each("breaker.minimum_calls = 1000000\nbreaker.consecutive_failures = 1000000")
            }
            Self::SlowCalls => as_long_as(policies, "breaker.slow_call", "attempt_timeout"),
            Self::Bulkhead => format!(
                "worker.bulkhead.adaptive = false\n{}",
                each("bulkhead.max_concurrent = 100000")
            ),
            Self::AdaptiveLimit => "worker.bulkhead.adaptive = false".to_owned(),
            Self::Hedge => "worker.hedge = false".to_owned(),
            Self::RateLimit => "process.rate_limit.enabled = false".to_owned(),
            Self::Ramp => each("breaker.ramp = '0ms'"),
            Self::Defer => "worker.on_unavailable = 'reject'".to_owned(),
            Self::Journal => "database.on_unavailable = 'reject'".to_owned(),
        };
        // All of it is written above, and read by a test.
        text.parse().unwrap_or_default()
    }
}

/// These lines, for each of the dependencies.
fn each(lines: &str) -> String {
    let lines = |dependency| {
        lines
            .lines()
            .map(move |line| format!("{dependency}.{line}\n"))
    };
    lines("worker").chain(lines("database")).collect()
}

/// A time as long as another is, for each of the dependencies: then it is never the first to be over.
fn as_long_as(policies: &Table, time: &str, other: &str) -> String {
    let line = |dependency: &str| {
        let other = policies.get(dependency)?.get(other)?.as_str()?;
        Some(format!("{dependency}.{time} = '{other}'\n"))
    };
    ["worker", "database"]
        .into_iter()
        .filter_map(line)
        .collect()
}

/// As long as the deadline, where the window is shorter.
fn longer_windows(policies: &Table) -> String {
    let mut short = policies.clone();
    short.retain(|_, dependency| {
        let time = |of: Option<&Value>| of?.as_str()?.parse::<SignedDuration>().ok();
        let window = dependency.get("breaker").and_then(|it| it.get("window"));
        time(window) < time(dependency.get("deadline"))
    });
    as_long_as(&short, "breaker.window", "deadline")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_removal_says_something_of_the_dependencies_it_is_about() {
        let policies = "[worker]\nattempt_timeout = '1s'\ndeadline = '2s'
            [database]\nattempt_timeout = '3s'\ndeadline = '4s'";
        let policies: Table = policies.parse().unwrap();
        for ablation in Ablation::ALL {
            let overlay = ablation.overlay(&policies);
            assert!(!overlay.is_empty(), "{ablation}");
            let tables = usize::from(overlay.contains_key("worker"))
                + usize::from(overlay.contains_key("database"));
            let about = match ablation {
                Ablation::RateLimit => 0,
                Ablation::AdaptiveLimit | Ablation::Hedge | Ablation::Defer | Ablation::Journal => {
                    1
                }
                _ => 2,
            };
            assert_eq!(tables, about, "{ablation}");
        }
        let attempt = Ablation::AttemptTimeout.overlay(&policies);
        assert_eq!(attempt["database"]["attempt_timeout"].as_str(), Some("4s"));
    }

    #[test]
    fn an_attempt_as_long_as_the_deadline_does_not_outlast_the_window() {
        let policies = "[worker]\ndeadline = '2200ms'\nbreaker.window = '2s'
            [database]\ndeadline = '1s'\nbreaker.window = '2s'";
        let overlay = Ablation::AttemptTimeout.overlay(&policies.parse().unwrap());
        let window = |of: &str| overlay[of].get("breaker").map(|it| it["window"].clone());
        assert_eq!(window("worker"), Some("2200ms".into()));
        assert_eq!(window("database"), None);
    }
}
