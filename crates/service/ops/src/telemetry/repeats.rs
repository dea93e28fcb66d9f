//! How often a kind of line may be written: a few in each second, the others counted.
//!
//! The pure core of `storm`: who is asked and what time it is comes from outside.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use tokio::time::Instant;

const PERIOD: Duration = Duration::from_secs(1);

/// Lines of one kind that were not written, for the one line that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeftOut {
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
pub(super) struct Repeats<K>(HashMap<K, Count>);

#[derive(Debug)]
struct Count {
    since: Instant,
    written: u32,
    left_out: u64,
    sample: LeftOut,
}

impl<K> Default for Repeats<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Hash + Eq> Repeats<K> {
    /// Whether a line of this kind may be written now, `most` of them in a second. `sample` describes the kind; asked once.
    pub(super) fn admit(
        &mut self,
        kind: K,
        most: u32,
        now: Instant,
        sample: impl FnOnce() -> LeftOut,
    ) -> bool {
        let count = self.0.entry(kind).or_insert_with(|| Count {
            since: now,
            written: 0,
            left_out: 0,
            sample: sample(),
        });
        if now.duration_since(count.since) >= PERIOD {
            count.since = now;
            count.written = 0;
        }
        let admitted = count.written < most;
        if admitted {
            count.written += 1;
        } else {
            count.left_out += 1;
        }
        admitted
    }

    /// What was left out in seconds that are over, or at all if nothing is to come; counted anew from here.
    pub(super) fn left_out(&mut self, now: Option<Instant>) -> Vec<LeftOut> {
        let over = |count: &Count| now.is_none_or(|now| now.duration_since(count.since) >= PERIOD);
        let told = self
            .0
            .values_mut()
            .filter(|count| count.left_out > 0 && over(count));
        told.map(|count| LeftOut {
            count: std::mem::take(&mut count.left_out),
            ..count.sample.clone()
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> LeftOut {
        LeftOut {
            line: "call failed".to_owned(),
            dependency: Some("worker".to_owned()),
            reason: None,
            count: 0,
        }
    }

    fn admitted(repeats: &mut Repeats<u8>, kind: u8, lines: usize, now: Instant) -> usize {
        (0..lines)
            .filter(|_| repeats.admit(kind, 5, now, sample))
            .count()
    }

    #[test]
    fn of_ten_thousand_lines_of_a_kind_five_are_written_and_the_others_counted_once() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        assert_eq!(admitted(&mut repeats, 1, 10_000, start), 5);
        assert_eq!(repeats.left_out(Some(start)), [], "the second is not over");
        let told = repeats.left_out(Some(start + PERIOD));
        assert_eq!(
            told,
            [LeftOut {
                count: 9_995,
                ..sample()
            }]
        );
        assert_eq!(repeats.left_out(Some(start + PERIOD)), []);
    }

    #[test]
    fn each_second_and_each_kind_has_its_own() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        assert_eq!(admitted(&mut repeats, 1, 6, start), 5);
        assert_eq!(admitted(&mut repeats, 2, 6, start), 5);
        assert_eq!(admitted(&mut repeats, 1, 6, start + PERIOD), 5);
    }

    #[test]
    fn what_was_left_out_lately_is_told_when_nothing_is_to_come() {
        let (mut repeats, start) = (Repeats::default(), Instant::now());
        admitted(&mut repeats, 1, 7, start);
        assert_eq!(repeats.left_out(None).len(), 1);
    }
}
