//! Seeded uniform jitter: spreads retries that were caused by the same event.

use std::sync::Mutex;
use std::time::Duration;

use fastrand::Rng;

use crate::lock::lock;

#[derive(Debug)]
pub(super) struct Jitter {
    rng: Mutex<Rng>,
}

impl Jitter {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            rng: Mutex::new(Rng::with_seed(seed)),
        }
    }

    /// Between half of `wait` and the whole: spread out, yet no retry follows at once ("equal
    /// jitter" of the AWS Architecture Blog).
    pub(super) fn spread(&self, wait: Duration) -> Duration {
        let half = wait / 2;
        half + half.mul_f64(lock(&self.rng).f64())
    }
}
