//! What the tests beside the cores start from.

use std::time::Duration;

use crate::config::{BreakerConfig, Window};

/// Sensible values; each test names the ones it is about.
pub(crate) fn breaker_config() -> BreakerConfig {
    BreakerConfig {
        window: Window::Calls(10),
        minimum_calls: 5,
        failure_rate: 0.5,
        slow_call: Some(Duration::from_secs(1)),
        slow_call_rate: Some(0.8),
        consecutive_failures: 3,
        open_for: Duration::from_secs(5),
        max_open_for: Duration::from_secs(30),
        half_open_calls: 2,
        ramp: Duration::ZERO,
    }
}
