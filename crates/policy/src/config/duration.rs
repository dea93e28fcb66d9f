//! Durations as text, `"250ms"`, in and out.

use std::time::Duration;

#[cfg(feature = "serde")]
pub(super) use jiff::fmt::serde::unsigned_duration::friendly::compact::required::{
    deserialize, serialize,
};

/// The same for a key that may be absent.
#[cfg(feature = "serde")]
pub(super) use jiff::fmt::serde::unsigned_duration::friendly::compact::optional;

/// What an operator has written; `None`: no duration.
#[cfg(feature = "serde")]
pub(super) fn parse(text: &str) -> Option<Duration> {
    let parser = jiff::fmt::friendly::SpanParser::new();
    parser.parse_unsigned_duration(text).ok()
}

/// As an operator would write it: in whole seconds, or else in whole milliseconds.
pub(super) fn text(duration: Duration) -> String {
    match (duration.subsec_nanos(), duration.subsec_nanos() % 1_000_000) {
        (0, _) => format!("{}s", duration.as_secs()),
        (_, 0) => format!("{}ms", duration.as_millis()),
        _ => format!("{}ns", duration.as_nanos()),
    }
}
