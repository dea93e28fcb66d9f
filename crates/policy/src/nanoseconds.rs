//! A span in one word, for what threads share without a lock.

use std::time::Duration;

/// What is longer than five centuries is that.
pub(crate) fn nanoseconds(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}
