//! Seeded uniform jitter: spreads retries that were caused by the same event.

use std::time::Duration;

use fastrand::Rng;

use crate::lock::lock;
use crate::sync::{Arc, Mutex};

/// Clones go on with the same draws.
#[derive(Clone, Debug)]
pub(crate) struct Jitter {
    rng: Arc<Mutex<Rng>>,
}

impl Jitter {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            rng: Arc::new(Mutex::new(Rng::with_seed(seed))),
        }
    }

    /// Between half of `wait` and the whole: spread out, yet no retry follows at once ("equal
    /// jitter" of the AWS Architecture Blog).
    pub(super) fn spread(&self, wait: Duration) -> Duration {
        let half = wait / 2;
        half + half.mul_f64(lock(&self.rng).f64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_millis(800);

    #[test]
    fn it_stays_between_half_the_wait_and_the_whole() {
        let jitter = Jitter::new(1);
        let waits: Vec<_> = (0..1_000).map(|_| jitter.spread(WAIT)).collect();
        assert!(waits.iter().all(|wait| (WAIT / 2..=WAIT).contains(wait)));
        let early = waits.iter().filter(|wait| **wait < WAIT * 3 / 4).count();
        assert!(
            (400..600).contains(&early),
            "{early} of 1000 in the earlier half"
        );
    }

    #[test]
    fn the_same_seed_gives_the_same_waits() {
        let draw = |seed| {
            let jitter = Jitter::new(seed);
            (0..10).map(|_| jitter.spread(WAIT)).collect::<Vec<_>>()
        };
        assert_eq!(draw(5), draw(5));
        assert_ne!(draw(5), draw(6));
    }
}
