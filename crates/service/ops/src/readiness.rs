//! Readiness: what `/readyz` says, shared by the probe route and the code that drains.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ready until told to drain. Clones share the state.
///
/// Says nothing about dependencies: answering degraded is the service's job, so a dead one must not take it out of
/// rotation.
#[derive(Debug, Clone)]
pub struct Readiness(Arc<AtomicBool>);

impl Default for Readiness {
    fn default() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
}

impl Readiness {
    /// Whether new work is welcome.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Declares that no new work is welcome; for good.
    pub fn drain(&self) {
        self.0.store(false, Ordering::Release);
    }
}
