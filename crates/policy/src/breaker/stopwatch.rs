//! How long an attempt was at the dependency, measured only if somebody needs to know.

use std::time::Duration;

use crate::now::Now;
use crate::progress::Admission;

/// Runs from the attempt's admission to the first question.
#[derive(Debug)]
pub(super) struct Stopwatch {
    admission: Admission,
    now: Now,
}

impl Stopwatch {
    #[inline]
    pub(super) fn since(admission: Admission) -> Self {
        Self {
            admission,
            now: Now::on_demand(),
        }
    }

    /// Zero if nobody wanted to know when the attempt began.
    #[inline]
    pub(super) fn elapsed(&self) -> Duration {
        self.admission.at.map_or(Duration::ZERO, |at| {
            self.now.instant().saturating_duration_since(at)
        })
    }

    #[inline]
    pub(super) fn now(&self) -> &Now {
        &self.now
    }
}
