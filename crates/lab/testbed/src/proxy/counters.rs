//! What a proxy's connections share: the counters, and the chance that decides over requests.

use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, PoisonError};

use fastrand::Rng;

use super::Fault;
use super::exchange::Disposition;

/// Counts from the start of the proxy.
pub(super) struct Counters {
    pub(super) accepted: AtomicU64,
    pub(super) requests: AtomicU64,
    random: Mutex<Rng>,
}

impl Counters {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            accepted: AtomicU64::new(0),
            requests: AtomicU64::new(0),
            random: Mutex::new(Rng::with_seed(seed)),
        }
    }

    /// One sequence for all connections: the n-th disposition drawn is the seed's, whoever gets it.
    pub(super) fn draw(&self, fault: Fault) -> Disposition {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        fault.disposition(&mut random)
    }
}
