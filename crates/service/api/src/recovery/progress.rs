//! What recovery has done, for status and metrics.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use holdfast_wire::Recovery;
use tokio::time::Instant;
use uuid::Uuid;

use super::rate::Rate;

/// Shared between recovery, which writes it, and those who show it.
#[derive(Clone, Default)]
pub(crate) struct Progress(Arc<Shared>);

#[derive(Default)]
struct Shared {
    in_flight: AtomicU32,
    limit: AtomicU32,
    counts: [AtomicU64; Count::ALL.len()],
    replayed: Mutex<Rate>,
    finished: Mutex<Rate>,
    retention_lag_ms: AtomicU64,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// Journal entries recorded in Postgres.
    Replayed,
    /// Requests done.
    Done,
    /// Requests given up.
    Failed,
    /// Requests given back because the worker was missing.
    Returned,
    /// Requests of which two ends met.
    Conflict,
    /// Rows deleted because they were kept long enough.
    Forgotten,
    /// Portions of them that could not be deleted.
    ForgetFailed,
}

impl Count {
    /// All of them, in declaration order.
    pub(crate) const ALL: [Self; 7] = [
        Self::Replayed,
        Self::Done,
        Self::Failed,
        Self::Returned,
        Self::Conflict,
        Self::Forgotten,
        Self::ForgetFailed,
    ];

    /// As a metric's label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Replayed => "replayed",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Returned => "returned",
            Self::Conflict => "conflict",
            Self::Forgotten => "forgotten",
            Self::ForgetFailed => "forget_failed",
        }
    }
}

impl Progress {
    /// How much of this there was since the start.
    #[must_use]
    pub(crate) fn total(&self, count: Count) -> u64 {
        self.0.counts[count as usize].load(Ordering::Relaxed)
    }

    /// Requests whose work it is having done.
    #[must_use]
    pub(crate) fn in_flight(&self) -> u32 {
        self.0.in_flight.load(Ordering::Relaxed)
    }

    /// How many it has done at once by now.
    #[must_use]
    pub(crate) fn limit(&self) -> u32 {
        self.0.limit.load(Ordering::Relaxed)
    }

    /// How long ago the oldest row that is still there should have been deleted.
    #[must_use]
    pub(crate) fn retention_lag(&self) -> Duration {
        Duration::from_millis(self.0.retention_lag_ms.load(Ordering::Relaxed))
    }

    pub(super) fn set_retention_lag(&self, lag: Duration) {
        let lag = u64::try_from(lag.as_millis()).unwrap_or(u64::MAX);
        self.0.retention_lag_ms.store(lag, Ordering::Relaxed);
    }

    /// As `/status` shows it.
    #[must_use]
    pub(crate) fn show(&self, now: Instant) -> Recovery {
        let per_second = |rate: &Mutex<Rate>| {
            let mut rate = rate.lock().unwrap_or_else(PoisonError::into_inner);
            rate.per_second(now)
        };
        Recovery {
            in_flight: self.in_flight(),
            limit: self.limit(),
            replayed_per_second: per_second(&self.0.replayed),
            finished_per_second: per_second(&self.0.finished),
        }
    }

    pub(super) fn count(&self, count: Count, amount: u64, now: Instant) {
        self.0.counts[count as usize].fetch_add(amount, Ordering::Relaxed);
        let rate = match count {
            Count::Replayed => &self.0.replayed,
            Count::Done | Count::Failed => &self.0.finished,
            Count::Returned | Count::Conflict | Count::Forgotten | Count::ForgetFailed => return,
        };
        let mut rate = rate.lock().unwrap_or_else(PoisonError::into_inner);
        rate.add(amount, now);
    }

    /// The ends of these requests met another one, which is kept as well.
    pub(crate) fn conflicts(&self, ids: &[Uuid]) {
        for id in ids {
            tracing::warn!(request_id = %id, "two ends of one request: the earlier stands, see result_conflicts");
        }
        self.count(Count::Conflict, ids.len() as u64, Instant::now());
    }

    pub(super) fn set(&self, in_flight: u32, limit: u32) {
        self.0.in_flight.store(in_flight, Ordering::Relaxed);
        self.0.limit.store(limit, Ordering::Relaxed);
    }
}
