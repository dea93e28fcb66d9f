//! What may become of an attempt: refused, or ended in one of these ways.

use std::time::Duration;

/// How an attempt ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Success,
    Failure,
    Neutral,
    TimedOut,
    Dropped,
    Panicked,
    NeverReached,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Open(Option<Duration>),
    Ramp(Duration),
}
