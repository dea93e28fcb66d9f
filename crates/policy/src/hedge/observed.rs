//! How long a first attempt is waited for: fixed, or a percentile of what attempts took.
//!
//! The percentile is read by each call and changed by few, so it is published in one word.

use std::time::Duration;

use super::latencies::Latencies;
use crate::config::{HedgeConfig, HedgeDelay};
use crate::lock::lock;
use crate::sync::{AtomicU64, Mutex, Ordering};

/// The percentile is read anew after so many answers.
const EVERY: u32 = 8;
/// No percentile is known yet.
const UNKNOWN: u64 = 0;

#[derive(Debug)]
pub(crate) struct Delay(Kind);

#[derive(Debug)]
enum Kind {
    Fixed(Duration),
    Observed(Observed),
}

#[derive(Debug)]
struct Observed {
    percent: u8,
    least: Duration,
    minimum_calls: u32,
    latencies: Mutex<Latencies>,
    // In nanoseconds.
    percentile: AtomicU64,
}

impl Delay {
    pub(crate) fn new(config: &HedgeConfig) -> Self {
        Self(match config.after {
            HedgeDelay::Fixed(time) => Kind::Fixed(time),
            HedgeDelay::Percentile(percent) => Kind::Observed(Observed {
                percent,
                least: config.min_delay,
                minimum_calls: config.minimum_calls,
                latencies: Mutex::new(Latencies::new()),
                percentile: AtomicU64::new(UNKNOWN),
            }),
        })
    }

    /// In force now; `None` while too little is known.
    pub(crate) fn now(&self) -> Option<Duration> {
        match &self.0 {
            Kind::Fixed(time) => Some(*time),
            Kind::Observed(observed) => {
                let known = observed.percentile.load(Ordering::Relaxed);
                (known != UNKNOWN).then(|| Duration::from_nanos(known).max(observed.least))
            }
        }
    }

    /// A first attempt took so long, or was out for so long when it lost.
    pub(super) fn learn(&self, took: Duration) {
        if let Kind::Observed(observed) = &self.0 {
            observed.learn(took);
        }
    }
}

impl Observed {
    fn learn(&self, took: Duration) {
        let mut latencies = lock(&self.latencies);
        latencies.record(took);
        let held = latencies.held();
        if held < self.minimum_calls || (held > self.minimum_calls && held % EVERY != 0) {
            return;
        }
        if let Some(percentile) = latencies.percentile(self.percent) {
            let nanos = u64::try_from(percentile.as_nanos()).unwrap_or(u64::MAX);
            // Under the lock: of two percentiles the later one must hold.
            self.percentile.store(nanos, Ordering::Relaxed);
        }
    }
}
