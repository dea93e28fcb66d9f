//! Over what a breaker counts: `"10s"` is a span of time, `100` a number of calls.

use std::fmt;
use std::time::Duration;

use super::duration;

/// The window of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The calls that ended within this time.
    Time(Duration),
    /// The last so many calls.
    Calls(u32),
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(span) => f.write_str(&duration::text(*span)),
            Self::Calls(calls) => calls.fmt(f),
        }
    }
}
