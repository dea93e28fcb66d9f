//! What the journal holds and has done, readable without waiting for the thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

/// What the journal holds and has done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct JournalStats {
    /// Entries in all.
    pub entries: u64,
    /// Entries without an end: work to be done.
    pub open: u64,
    /// What the entries count for against `max_bytes`. More than their JSON: see `quota`.
    pub bytes: u64,
    /// How long ago the oldest entry was received, by its id; `None` when there is none.
    pub oldest_seconds: Option<f64>,
    /// Entries that Postgres does not take, in quarantine.
    pub quarantined: u64,
    /// Whether its file is open: new entries may be refused all the same, for want of room. While it is not, the
    /// figures are the last known.
    pub available: bool,
    /// Entries stored since start; a request and then the same with its end are two.
    pub appended: u64,
    /// Durable transactions since start. Each is one wait for the disk.
    pub commits: u64,
    /// Appends since start that were answered with an error.
    pub refused: u64,
}

/// What the tables hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) open: u64,
    pub(super) ended: u64,
    /// As counted against `max_bytes`.
    pub(super) bytes: u64,
    /// The smallest id.
    pub(super) oldest: Option<u128>,
}

impl Count {
    pub(super) fn entries(self) -> u64 {
        self.open + self.ended
    }
}

/// What the thread publishes of itself and callers read.
#[derive(Debug)]
pub(super) struct SharedStats {
    state: Mutex<State>,
    refused: AtomicU64,
}

#[derive(Debug)]
struct State {
    /// Why the journal is unavailable, if it is.
    cause: Option<&'static str>,
    count: Count,
    appended: u64,
    commits: u64,
}

impl SharedStats {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                cause: Some("the journal is being opened"),
                count: Count::default(),
                appended: 0,
                commits: 0,
            }),
            refused: AtomicU64::new(0),
        }
    }

    pub(super) fn snapshot(&self) -> JournalStats {
        let state = self.state();
        let Count { open, bytes, .. } = state.count;
        JournalStats {
            entries: state.count.entries(),
            open,
            bytes,
            oldest_seconds: state.count.oldest.map(age),
            quarantined: 0,
            available: state.cause.is_none(),
            appended: state.appended,
            commits: state.commits,
            refused: self.refused.load(Ordering::Relaxed),
        }
    }

    /// Why the journal is unavailable, if it is.
    pub(super) fn cause(&self) -> Option<&'static str> {
        self.state().cause
    }

    /// Whether it is known to hold nothing.
    pub(super) fn is_empty(&self) -> bool {
        let state = self.state();
        state.cause.is_none() && state.count.entries() == 0
    }

    pub(super) fn count(&self) -> Count {
        self.state().count
    }

    pub(super) fn opened(&self, count: Count) {
        let mut state = self.state();
        state.cause = None;
        state.count = count;
    }

    /// Returns whether that is news.
    pub(super) fn failed(&self, cause: &'static str) -> bool {
        self.state().cause.replace(cause) != Some(cause)
    }

    pub(super) fn committed(&self, count: Count, appended: u64) {
        let mut state = self.state();
        state.count = count;
        state.appended += appended;
        state.commits += 1;
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds since the UUIDv7 `id` was made. A clock set back since makes no negative age.
fn age(id: u128) -> f64 {
    let made = Timestamp::from_millisecond(i64::try_from(id >> 80).unwrap_or_default());
    let age = made.map(|made| made.duration_until(Timestamp::now()));
    age.map_or(0.0, |age| age.as_secs_f64().max(0.0))
}
