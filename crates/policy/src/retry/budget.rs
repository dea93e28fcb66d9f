//! The retry budget: how much load retries may add to a dependency in trouble.
//!
//! Each call deposits a fraction of a token and each second a floor; a retry takes one. So however
//! many calls fail, attempts stay below `1 + ratio + floor / arrival rate` per call in the long run,
//! and at most ten saved tokens above it in a burst. Everything that adds load draws from the same
//! budget. Source: Finagle's `RetryBudget`.
//!
//! Every call deposits and few withdraw, so deposits are only counted, without a lock, until the
//! second is over or somebody asks for a token.

use std::time::Duration;

use tokio::time::Instant;

use super::bucket::Bucket;
use crate::config::BudgetConfig;
use crate::lock::lock;
use crate::sync::{Arc, AtomicU64, Mutex, Ordering};

/// A retry budget. Clones share its tokens.
#[derive(Clone, Debug)]
pub struct Budget {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    origin: Instant,
    tally: Line,
    bucket: Mutex<Bucket>,
}

/// In a cache line of its own: every call writes it, and what lies beside it is read by all.
#[derive(Debug)]
#[repr(align(128))]
struct Line(AtomicU64);

/// Calls of one second that are not in the bucket yet.
#[derive(Clone, Copy)]
struct Tally {
    second: u32,
    calls: u32,
}

impl Budget {
    /// A budget that holds one second's worth of its floor.
    pub fn new(config: &BudgetConfig) -> Self {
        let origin = Instant::now();
        Self {
            shared: Arc::new(Shared {
                origin,
                tally: Line(AtomicU64::new(0)),
                bucket: Mutex::new(Bucket::new(config, origin)),
            }),
        }
    }

    /// Pays by `config` from `now` on; what is saved stays.
    pub(crate) fn reconfigure(&self, config: &BudgetConfig, now: Instant) {
        self.shared
            .ask(now, |bucket| bucket.reconfigure(config, now));
    }

    /// A call is made.
    pub fn deposit(&self) {
        self.deposit_at(Instant::now());
    }

    /// Takes a token, if there is one. It is not given back.
    #[must_use]
    pub fn withdraw(&self) -> bool {
        self.withdraw_part(1.0)
    }

    /// Takes part of a token, for what adds less load, if there is as much. What is no such number is refused.
    #[must_use]
    pub fn withdraw_part(&self, part: f64) -> bool {
        part >= 0.0 && self.withdraw_part_at(part, Instant::now())
    }

    /// Tokens at present.
    pub fn tokens(&self) -> f64 {
        self.tokens_at(Instant::now())
    }

    /// A call was made at `now`, which is the clock's word: one from the future would keep the floor from being paid until
    /// then.
    #[inline]
    pub(crate) fn deposit_at(&self, now: Instant) {
        let tally = self.shared.tally();
        // Threads read the clock before they come here: one may be a little behind.
        if now >= self.shared.end_of(tally.second) || tally.calls >= u32::MAX / 2 {
            let second = self.shared.second(now).max(tally.second);
            self.shared.begin(Tally { second, calls: 1 });
        } else {
            // Had another thread begun the next second meanwhile, it would count there.
            self.shared.tally.0.fetch_add(1, Ordering::AcqRel);
        }
    }

    pub(crate) fn withdraw_at(&self, now: Instant) -> bool {
        self.withdraw_part_at(1.0, now)
    }

    pub(crate) fn withdraw_part_at(&self, part: f64, now: Instant) -> bool {
        self.shared.ask(now, |bucket| bucket.withdraw(part, now))
    }

    pub(crate) fn tokens_at(&self, now: Instant) -> f64 {
        self.shared.ask(now, |bucket| bucket.tokens(now))
    }
}

impl Shared {
    /// Asks the bucket when all that was counted is in it.
    fn ask<T>(&self, now: Instant, question: impl FnOnce(&mut Bucket) -> T) -> T {
        let mut bucket = lock(&self.bucket);
        let second = self.second(now).max(self.tally().second);
        self.collect(&mut bucket, Tally { second, calls: 0 });
        question(&mut bucket)
    }

    /// The first deposit of another second.
    fn begin(&self, tally: Tally) {
        self.collect(&mut lock(&self.bucket), tally);
    }

    /// Puts what was counted into the bucket and goes on counting from `next`.
    fn collect(&self, bucket: &mut Bucket, next: Tally) {
        let counted = Tally::of(self.tally.0.swap(next.word(), Ordering::AcqRel));
        let second = Duration::from_secs(u64::from(counted.second));
        bucket.deposit(counted.calls, self.origin + second);
    }

    #[inline]
    fn end_of(&self, second: u32) -> Instant {
        self.origin + Duration::from_secs(u64::from(second) + 1)
    }

    #[inline]
    fn second(&self, now: Instant) -> u32 {
        let age = now.saturating_duration_since(self.origin).as_secs();
        u32::try_from(age).unwrap_or(u32::MAX)
    }

    #[inline]
    fn tally(&self) -> Tally {
        Tally::of(self.tally.0.load(Ordering::Acquire))
    }
}

impl Tally {
    #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
    #[inline]
    fn of(word: u64) -> Self {
        Self {
            second: (word >> 32) as u32,
            calls: word as u32,
        }
    }

    #[inline]
    fn word(self) -> u64 {
        u64::from(self.second) << 32 | u64::from(self.calls)
    }
}
