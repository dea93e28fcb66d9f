//! The defaults, and two starting points that most policies are close to.

use std::time::Duration;

use super::{
    AdaptiveConfig, BackoffConfig, BreakerConfig, BudgetConfig, BulkheadConfig, HedgeConfig,
    HedgeDelay, PolicyConfig, RetryConfig, ThrottledConfig, Window,
};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

impl Default for PolicyConfig {
    fn default() -> Self {
        Self {
            attempt_timeout: Some(ms(1_000)),
            // Two whole attempts, and the waits between.
            deadline: ms(3_000),
            // Nobody but the owner of an operation can know that repeating it is harmless.
            idempotent: false,
            retry: Some(RetryConfig::default()),
            // Sends some calls twice, which is worth it only where a few are slow.
            hedge: None,
            breaker: Some(BreakerConfig::default()),
            bulkhead: Some(BulkheadConfig::default()),
        }
    }
}

impl PolicyConfig {
    /// A call of another service over HTTP: a second or two, slowness judged.
    pub fn http_call() -> Self {
        Self {
            attempt_timeout: Some(ms(2_000)),
            deadline: ms(5_000),
            breaker: Some(BreakerConfig {
                slow_call: Some(ms(1_800)),
                slow_call_rate: Some(0.8),
                ..BreakerConfig::default()
            }),
            ..Self::default()
        }
    }

    /// One statement of a database nearby: fails fast, is tried again at once, is back within seconds.
    pub fn database_statement() -> Self {
        Self {
            attempt_timeout: Some(ms(400)),
            deadline: ms(1_000),
            retry: Some(RetryConfig {
                max_attempts: 2,
                backoff: BackoffConfig {
                    initial: ms(20),
                    max: ms(200),
                    ..BackoffConfig::default()
                },
                ..RetryConfig::default()
            }),
            breaker: Some(BreakerConfig {
                slow_call: Some(ms(300)),
                slow_call_rate: Some(0.8),
                open_for: ms(2_000),
                max_open_for: ms(10_000),
                ..BreakerConfig::default()
            }),
            ..Self::default()
        }
    }
}

impl Default for RetryConfig {
    fn default() -> Self {
        Self {
            max_attempts: 3,
            backoff: BackoffConfig::default(),
            budget: BudgetConfig::default(),
            throttled: ThrottledConfig::default(),
        }
    }
}

impl Default for BackoffConfig {
    fn default() -> Self {
        Self {
            initial: ms(100),
            max: ms(1_000),
            multiplier: 2.0,
        }
    }
}

impl Default for BudgetConfig {
    fn default() -> Self {
        Self {
            // An outage costs the dependency a tenth more load instead of three times as much.
            ratio: 0.1,
            // A quiet service can retry at all.
            floor_per_second: 1.0,
        }
    }
}

impl Default for ThrottledConfig {
    fn default() -> Self {
        Self {
            cost: 0.5,
            slowdown: 4.0,
        }
    }
}

impl Default for HedgeConfig {
    fn default() -> Self {
        Self {
            // One call of twenty is sent twice.
            after: HedgeDelay::Percentile(95),
            // Below it the timer's grain and the task's own delays are most of what is measured.
            min_delay: ms(5),
            // Fewer do not tell a percentile of 95.
            minimum_calls: 20,
        }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            // Longer than a deployment's hiccup, short enough to forget it.
            window: Window::Time(ms(10_000)),
            minimum_calls: 5,
            // Half of all calls failing helps nobody.
            failure_rate: 0.5,
            slow_call: None,
            slow_call_rate: None,
            consecutive_failures: 3,
            // Time for a restart.
            open_for: ms(5_000),
            // How late a recovery may be noticed.
            max_open_for: ms(30_000),
            // One can be luck.
            half_open_calls: 2,
            ramp: ms(3_000),
        }
    }
}

impl Default for BulkheadConfig {
    fn default() -> Self {
        Self {
            max_concurrent: 256,
            // A queue in front of a slow dependency adds its length to every answer.
            max_waiting: 0,
            max_wait: Duration::ZERO,
            adaptive: None,
        }
    }
}

impl Default for AdaptiveConfig {
    fn default() -> Self {
        Self {
            // Enough to go on measuring by.
            min: 4,
            initial: 20,
            // What a healthy dependency varies by.
            tolerance: 1.2,
            headroom: 0.1,
            remeasure: ms(30_000),
        }
    }
}
