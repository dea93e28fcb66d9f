//! What happened lately: calls, failures and slow calls, over a number of calls or a time.
//!
//! Both windows really slide: recording drops what has left the window, in constant time and
//! without allocating. Their memory is taken at build.

mod count;
mod time;

use tokio::time::Instant;

use self::count::CountWindow;
use self::time::TimeWindow;
use crate::config;
use crate::now::Now;

/// What one attempt adds to the count. A neutral one adds nothing and is never recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) failed: bool,
    pub(super) slow: bool,
}

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) calls: u64,
    pub(super) failures: u64,
    pub(super) slow: u64,
}

#[derive(Debug)]
pub(super) enum Window {
    Count(CountWindow),
    Time(TimeWindow),
}

impl Record {
    #[inline]
    pub(super) fn is_good(self) -> bool {
        !self.failed && !self.slow
    }
}

impl Counts {
    /// Share of failures; `None` if there are no calls.
    pub(super) fn failure_rate(self) -> Option<f64> {
        self.share(self.failures)
    }

    /// Share of slow calls; `None` if there are no calls.
    pub(super) fn slow_call_rate(self) -> Option<f64> {
        self.share(self.slow)
    }

    fn share(self, part: u64) -> Option<f64> {
        (self.calls > 0).then(|| part as f64 / self.calls as f64)
    }

    fn add(&mut self, record: Record) {
        self.calls += 1;
        self.failures += u64::from(record.failed);
        self.slow += u64::from(record.slow);
    }

    fn remove(&mut self, other: Self) {
        self.calls -= other.calls;
        self.failures -= other.failures;
        self.slow -= other.slow;
    }
}

impl From<Record> for Counts {
    fn from(record: Record) -> Self {
        let mut counts = Self::default();
        counts.add(record);
        counts
    }
}

impl Window {
    pub(super) fn new(window: config::Window, now: Instant) -> Self {
        match window {
            config::Window::Calls(calls) => Self::Count(CountWindow::new(calls)),
            config::Window::Time(span) => Self::Time(TimeWindow::new(span, now)),
        }
    }

    pub(super) fn record(&mut self, record: Record, now: &Now) {
        match self {
            Self::Count(window) => window.record(record),
            Self::Time(window) => window.record(record, now.instant()),
        }
    }

    /// What it held at the last record.
    pub(super) fn latest(&self) -> Counts {
        match self {
            Self::Count(window) => window.counts(),
            Self::Time(window) => window.latest(),
        }
    }

    pub(super) fn counts(&mut self, now: &Now) -> Counts {
        match self {
            Self::Count(window) => window.counts(),
            Self::Time(window) => window.counts(now.instant()),
        }
    }

    /// Whether it stays as it is when one more success comes. A time window never does: it counts
    /// them, and they leave it.
    pub(super) fn is_full_of_successes(&self) -> bool {
        match self {
            Self::Count(window) => window.is_full_of_successes(),
            Self::Time(_) => false,
        }
    }

    pub(super) fn clear(&mut self) {
        match self {
            Self::Count(window) => window.clear(),
            Self::Time(window) => window.clear(),
        }
    }
}
