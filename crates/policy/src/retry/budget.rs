//! The retry budget: how much load retries may add to a dependency in trouble.
//!
//! Each call deposits a fraction of a token and each second a floor; a retry takes one. So however
//! many calls fail, attempts stay below `1 + ratio + floor / arrival rate` per call. Everything
//! that adds load draws from the same budget. Source: Finagle's `RetryBudget`.

use tokio::time::Instant;

use super::bucket::Bucket;
use crate::config::BudgetConfig;
use crate::lock::lock;
use crate::sync::{Arc, Mutex};

/// A retry budget. Clones share its tokens.
#[derive(Clone, Debug)]
pub struct Budget {
    bucket: Arc<Mutex<Bucket>>,
}

impl Budget {
    /// A budget that holds one second's worth of its floor.
    pub fn new(config: &BudgetConfig) -> Self {
        Self {
            bucket: Arc::new(Mutex::new(Bucket::new(config, Instant::now()))),
        }
    }

    /// A call was made at `now`.
    pub fn deposit(&self, now: Instant) {
        lock(&self.bucket).deposit(now);
    }

    /// Takes a token, if there is one. It is not given back.
    #[must_use]
    pub fn withdraw(&self, now: Instant) -> bool {
        lock(&self.bucket).withdraw(now)
    }

    /// Tokens at `now`.
    pub fn tokens(&self, now: Instant) -> f64 {
        lock(&self.bucket).tokens(now)
    }
}
