//! How long a first attempt is waited for: fixed, or a percentile of what attempts took.
//!
//! The percentile is read by each call and changed by few, so it is published in one word: one for each configuration, while
//! what attempts took is shared by those that followed each other.

use std::time::Duration;

use tokio::time::Instant;

use super::latencies::Latencies;
use crate::config::{HedgeConfig, HedgeDelay};
use crate::lock::lock;
use crate::nanoseconds::nanoseconds;
use crate::now::Now;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};

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
    latencies: Arc<Mutex<Latencies>>,
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
                latencies: Arc::new(Mutex::new(Latencies::new())),
                percentile: AtomicU64::new(UNKNOWN),
            }),
        })
    }

    /// By another configuration, knowing what this one knows.
    pub(crate) fn reconfigured(&self, config: &HedgeConfig) -> Self {
        let mut delay = Self::new(config);
        if let (Kind::Observed(before), Kind::Observed(observed)) = (&self.0, &mut delay.0) {
            observed.latencies = Arc::clone(&before.latencies);
            observed.publish(&lock(&before.latencies));
        }
        delay
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

    /// A first attempt was at the dependency since then, if it was at all, and is over now, or was when it lost.
    pub(crate) fn learn(&self, first: Option<Instant>, now: &Now) {
        if let (Kind::Observed(observed), Some(since)) = (&self.0, first) {
            observed.learn(now.instant().saturating_duration_since(since));
        }
    }
}

impl Observed {
    fn learn(&self, took: Duration) {
        let mut latencies = lock(&self.latencies);
        latencies.record(took);
        let held = latencies.held();
        if held == self.minimum_calls || held % EVERY == 0 {
            self.publish(&latencies);
        }
    }

    /// Under the lock: of two percentiles the later one must hold.
    fn publish(&self, latencies: &Latencies) {
        let known = latencies.percentile(self.percent);
        if let Some(known) = known.filter(|_| latencies.held() >= self.minimum_calls) {
            self.percentile.store(nanoseconds(known), Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_is_known_with_the_least_number_of_calls_and_read_anew_with_each_eighth() {
        let delay = Delay::new(&HedgeConfig {
            after: HedgeDelay::Percentile(50),
            min_delay: Duration::ZERO,
            minimum_calls: 5,
        });
        let Kind::Observed(observed) = &delay.0 else {
            unreachable!()
        };
        let mut told = Vec::new();
        for call in 0..8 {
            let took = if call < 3 { 10 } else { 1_000 };
            observed.learn(Duration::from_millis(took));
            told.push(delay.now().map_or(0, |it| it.as_millis() / 500));
        }
        // None, then the median of five, two of which were slow: of eight, five were.
        assert!(delay.now().is_some());
        assert_eq!(told, [0, 0, 0, 0, 0, 0, 0, 2]);
    }
}
