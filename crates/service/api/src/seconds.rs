//! Durations as answers, metrics and logs show them.

use std::time::Duration;

/// Seconds, to the thousandth.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1000.0).round() / 1000.0
}
