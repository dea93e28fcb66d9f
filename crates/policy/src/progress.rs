//! What an outer layer may ask of the future it holds, even at the moment it drops it.
//!
//! The breaker stands outside the bulkhead and must not count the wait for a slot as slowness of
//! the dependency, so it needs to know when the bulkhead let the attempt pass. Asking the future
//! costs neither an allocation nor a shared cell.

use tokio::time::Instant;

/// How far an attempt, or a call made of attempts, has come.
pub trait Progress {
    /// How the attempt in hand was let pass to the dependency; `None` until it has touched it.
    fn admission(&self) -> Option<Admission>;

    /// How many attempts have touched the dependency so far.
    fn attempts(&self) -> u32 {
        u32::from(self.admission().is_some())
    }
}

/// An attempt that was let pass to the dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// When. `None`: no layer around it needed to know, so none read the clock.
    pub at: Option<Instant>,
}
