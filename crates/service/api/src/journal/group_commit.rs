//! When a batch is committed. Pure: it is told what time it is.
//!
//! A commit waits for the disk, whatever it holds, so appends that come close together share one. The first after a
//! pause is committed at once. Those that come within [`WINDOW`] of the last commit wait until the window is
//! over, or until as many are there as last time: then those who called before are most likely all back.

use std::time::Duration;

use tokio::time::Instant;

/// How long after a commit the next one waits for more.
const WINDOW: Duration = Duration::from_millis(5);

/// Fewer do not end the window early, however few there were last time: or else, where a commit takes no time, each
/// append would get one of its own, for ever.
const MIN_GROUP: usize = 16;

/// The rule and what it remembers.
#[derive(Debug)]
pub(super) struct GroupCommit {
    max_batch: usize,
    max_bytes: usize,
    last: Option<Last>,
}

#[derive(Debug)]
struct Last {
    ended: Instant,
    size: usize,
}

impl GroupCommit {
    /// At most `max_batch` writes in a commit, and no more once they have `max_bytes`. With a `max_batch` of 1 each
    /// commits alone.
    pub(super) fn new(max_batch: usize, max_bytes: usize) -> Self {
        Self {
            max_batch,
            max_bytes,
            last: None,
        }
    }

    /// Whether a batch of `size` writes with `bytes` takes no more.
    pub(super) fn is_full(&self, size: usize, bytes: usize) -> bool {
        size >= self.max_batch || bytes >= self.max_bytes
    }

    /// How long a batch of `size` waits for more. Zero: only for what is there already.
    pub(super) fn wait(&self, size: usize, now: Instant) -> Duration {
        match &self.last {
            Some(last) if size < last.size.max(MIN_GROUP) => {
                (last.ended + WINDOW).saturating_duration_since(now)
            }
            _ => Duration::ZERO,
        }
    }

    /// A commit of `size` writes ended.
    pub(super) fn committed(&mut self, size: usize, now: Instant) {
        self.last = Some(Last { ended: now, size });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn the_first_write_is_committed_at_once() {
        let group_commit = GroupCommit::new(256, 1 << 20);
        assert_eq!(group_commit.wait(1, Instant::now()), Duration::ZERO);
    }

    #[test]
    fn a_write_soon_after_a_commit_waits_for_the_rest_of_the_window_and_a_later_one_does_not() {
        let mut group_commit = GroupCommit::new(256, 1 << 20);
        let now = Instant::now();
        group_commit.committed(1, now);
        assert_eq!(group_commit.wait(1, now + MS), 4 * MS);
        assert_eq!(group_commit.wait(1, now + 5 * MS), Duration::ZERO);
        assert_eq!(group_commit.wait(1, now + 500 * MS), Duration::ZERO);
    }

    #[test]
    fn as_many_as_last_time_end_the_window_but_never_fewer_than_sixteen() {
        let mut group_commit = GroupCommit::new(256, 1 << 20);
        let now = Instant::now();
        group_commit.committed(64, now);
        assert_eq!(group_commit.wait(63, now), WINDOW);
        assert_eq!(group_commit.wait(64, now), Duration::ZERO);
        group_commit.committed(1, now);
        assert_eq!(group_commit.wait(15, now), WINDOW);
        assert_eq!(group_commit.wait(16, now), Duration::ZERO);
    }

    #[test]
    fn a_batch_is_full_by_count_or_by_bytes() {
        let group_commit = GroupCommit::new(4, 100);
        assert!(!group_commit.is_full(3, 99));
        assert!(group_commit.is_full(4, 0));
        assert!(group_commit.is_full(1, 100));
        assert!(GroupCommit::new(1, 100).is_full(1, 1));
    }
}
