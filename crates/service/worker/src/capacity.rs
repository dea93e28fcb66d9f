//! How many works are done at once, and how that grows while the worker is cold.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::sleep;

/// A place each for works done at once; fair: who came first goes first.
pub(crate) struct Capacity(Arc<Semaphore>);

impl Capacity {
    /// A tenth of `places` at once, and all of them after `warmup`, in equal steps; all at once where that is zero. Must be
    /// called inside a runtime.
    pub(crate) fn new(places: NonZeroU32, warmup: Duration) -> Self {
        let cold = match warmup {
            Duration::ZERO => places.get(),
            _ => places.get().div_ceil(10),
        };
        let semaphore = Arc::new(Semaphore::new(cold as usize));
        let missing = places.get() - cold;
        if missing > 0 {
            let growing = semaphore.clone();
            tokio::spawn(async move {
                for _ in 0..missing {
                    sleep(warmup / missing).await;
                    growing.add_permits(1);
                }
            });
        }
        Self(semaphore)
    }

    /// A place to work in. Never refused: the semaphore is never closed.
    pub(crate) async fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.0.acquire().await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(capacity: &Capacity) -> usize {
        capacity.0.available_permits()
    }

    #[tokio::test(start_paused = true)]
    async fn a_cold_worker_has_a_tenth_of_its_places_and_all_once_it_is_warm() {
        let capacity = Capacity::new(NonZeroU32::new(20).unwrap(), Duration::from_secs(9));
        let mut seen = vec![free(&capacity)];
        for _ in 0..3 {
            sleep(Duration::from_millis(3010)).await;
            seen.push(free(&capacity));
        }
        assert_eq!(seen, [2, 8, 14, 20]);
    }

    #[tokio::test]
    async fn without_a_warmup_it_has_all_at_once() {
        let capacity = Capacity::new(NonZeroU32::new(20).unwrap(), Duration::ZERO);
        assert_eq!(free(&capacity), 20);
    }
}
