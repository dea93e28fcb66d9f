//! How often a kind of line may be written: a few in each second, the others counted.
//!
//! The pure core of `rate_limit_filter`: the filter brings the kind of line and the time.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

const PERIOD: Duration = Duration::from_secs(1);

/// Lines of one kind that were not written, for the one line that counts them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suppressed {
    /// What they say.
    pub(super) line: String,
    /// Of which dependency, if of one.
    pub(super) dependency: Option<String>,
    /// For which reason, if for one.
    pub(super) reason: Option<String>,
    /// How many there were.
    pub(super) count: u64,
}

/// The counts by kind. There are as many kinds as the code has, so they are never forgotten.
#[derive(Debug)]
pub(super) struct LogRateLimiter<K>(HashMap<K, Count>);

#[derive(Debug)]
struct Count {
    since: Instant,
    written: u32,
    suppressed: u64,
    sample: Suppressed,
}

impl<K> Default for LogRateLimiter<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> LogRateLimiter<K> {
    /// Whether a line of this kind may be written now, `max` of them in a second. `sample` describes the kind; asked once.
    pub(super) fn admit(
        &mut self,
        kind: K,
        max: u32,
        now: Instant,
        sample: impl FnOnce() -> Suppressed,
    ) -> bool {
        let count = self.0.entry(kind).or_insert_with(|| Count {
            since: now,
            written: 0,
            suppressed: 0,
            sample: sample(),
        });
        if now.duration_since(count.since) >= PERIOD {
            count.since = now;
            count.written = 0;
        }
        let admitted = count.written < max;
        if admitted {
            count.written += 1;
        } else {
            count.suppressed += 1;
        }
        admitted
    }

    /// What was suppressed in seconds that are over, or at all if nothing is to come; counted anew from here.
    pub(super) fn suppressed(&mut self, now: Option<Instant>) -> Vec<Suppressed> {
        let over = |count: &Count| now.is_none_or(|now| now.duration_since(count.since) >= PERIOD);
        let told = self
            .0
            .values_mut()
            .filter(|count| count.suppressed > 0 && over(count));
        told.map(|count| Suppressed {
            count: std::mem::take(&mut count.suppressed),
            ..count.sample.clone()
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Suppressed {
        Suppressed {
            line: "call failed".to_owned(),
            dependency: Some("worker".to_owned()),
            reason: None,
            count: 0,
        }
    }

    fn admitted(limiter: &mut LogRateLimiter<u8>, kind: u8, lines: usize, now: Instant) -> usize {
        (0..lines)
            .filter(|_| limiter.admit(kind, 5, now, sample))
            .count()
    }

    #[test]
    fn of_ten_thousand_lines_of_a_kind_five_are_written_and_the_others_counted_once() {
        let (mut limiter, start) = (LogRateLimiter::default(), Instant::now());
        assert_eq!(admitted(&mut limiter, 1, 10_000, start), 5);
        assert_eq!(
            limiter.suppressed(Some(start)),
            [],
            "the second is not over"
        );
        let told = limiter.suppressed(Some(start + PERIOD));
        assert_eq!(
            told,
            [Suppressed {
                count: 9_995,
                ..sample()
            }]
        );
        assert_eq!(limiter.suppressed(Some(start + PERIOD)), []);
    }

    #[test]
    fn each_second_and_each_kind_has_its_own() {
        let (mut limiter, start) = (LogRateLimiter::default(), Instant::now());
        assert_eq!(admitted(&mut limiter, 1, 6, start), 5);
        assert_eq!(admitted(&mut limiter, 2, 6, start), 5);
        assert_eq!(admitted(&mut limiter, 1, 6, start + PERIOD), 5);
    }

    #[test]
    fn what_was_suppressed_lately_is_told_when_nothing_is_to_come() {
        let (mut limiter, start) = (LogRateLimiter::default(), Instant::now());
        admitted(&mut limiter, 1, 7, start);
        assert_eq!(limiter.suppressed(None).len(), 1);
    }
}
