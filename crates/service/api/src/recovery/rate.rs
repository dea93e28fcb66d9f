//! How much of something there was per second, over the last ten seconds.

use std::time::Duration;

use tokio::time::Instant;

const SECONDS: usize = 10;

/// One count per second; what is older than ten seconds is forgotten.
#[derive(Debug, Default)]
pub(super) struct Rate {
    counts: [u64; SECONDS],
    /// When the second that is being counted began, and where its count stands.
    current: Option<(Instant, usize)>,
}

impl Rate {
    pub(super) fn add(&mut self, amount: u64, now: Instant) {
        let at = self.advance(now);
        self.counts[at] += amount;
    }

    pub(super) fn per_second(&mut self, now: Instant) -> f64 {
        self.advance(now);
        let total: u64 = self.counts.iter().sum();
        // Ten seconds' worth of counts is far below what a double holds exactly.
        #[expect(clippy::cast_precision_loss, reason = "see above")]
        let total = total as f64;
        total / SECONDS as f64
    }

    fn advance(&mut self, now: Instant) -> usize {
        let (began, at) = self.current.unwrap_or((now, 0));
        let passed = now.duration_since(began).as_secs();
        let steps = usize::try_from(passed).unwrap_or(usize::MAX).min(SECONDS);
        for step in 1..=steps {
            self.counts[(at + step) % SECONDS] = 0;
        }
        let at = (at + steps) % SECONDS;
        self.current = Some((began + Duration::from_secs(passed), at));
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_average_over_ten_seconds_and_forgets_what_is_older() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut rate = Rate::default();
        rate.add(5, at(0));
        rate.add(15, at(3));
        let shown = [3, 9, 10, 12, 13, 100].map(|seconds| rate.per_second(at(seconds)));
        assert_eq!(shown, [2.0, 2.0, 1.5, 1.5, 0.0, 0.0]);
    }
}
