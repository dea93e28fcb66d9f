//! Who refused an attempt, and what its caller is told.

use std::time::Duration;

use crate::breaker::Refusal;
use crate::error::ErrorKind;

#[derive(Clone, Copy, Debug)]
pub(super) enum Refused {
    ByBreaker(Refusal),
    ByLimit,
}

impl Refused {
    pub(super) fn kind<E>(self) -> ErrorKind<E> {
        match self {
            Self::ByBreaker(Refusal::Open(_)) => ErrorKind::CircuitOpen,
            Self::ByBreaker(Refusal::Ramp(_)) | Self::ByLimit => ErrorKind::BulkheadFull,
        }
    }

    /// When to come back.
    pub(super) fn retry_after(self) -> Option<Duration> {
        match self {
            Self::ByBreaker(Refusal::Open(wait)) => wait,
            Self::ByBreaker(Refusal::Ramp(wait)) => Some(wait),
            Self::ByLimit => None,
        }
    }
}
