//! Whose fault it was: the request's own, or the worker's?
//!
//! A worker that answers nonsense may be refusing this request or be failing altogether, and at first nobody can tell. So a
//! request that it refused is suspected for a while. If the breaker stays closed meanwhile, the worker is well and the
//! failure is the request's own; if it does not, an outage was beginning and nothing is counted.

use std::time::Duration;

use tokio::time::Instant;

use crate::store::Claimed;

/// A few tries of the worker's other callers fit into it.
pub(super) const SUSPECTED_FOR: Duration = Duration::from_secs(3);

/// A request whose work failed in a way that may be its own fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Suspect {
    pub(super) claimed: Claimed,
    pub(super) error: String,
    pub(super) since: Instant,
}

/// What became of suspects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The failure counts.
    Guilty(Suspect),
    /// It does not.
    Innocent(Claimed),
}

/// Those under suspicion, oldest first.
#[derive(Debug, Default)]
pub(super) struct Suspects(Vec<Suspect>);

impl Suspects {
    pub(super) fn add(&mut self, suspect: Suspect) {
        self.0.push(suspect);
    }

    /// Those about whom it is clear by `now`, given whether the breaker is closed.
    pub(super) fn judge(&mut self, closed: bool, now: Instant) -> Vec<Verdict> {
        if !closed {
            return self
                .0
                .drain(..)
                .map(|it| Verdict::Innocent(it.claimed))
                .collect();
        }
        let clear = |it: &mut Suspect| now.duration_since(it.since) >= SUSPECTED_FOR;
        self.0.extract_if(.., clear).map(Verdict::Guilty).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use uuid::Uuid;

    fn claimed() -> Claimed {
        Claimed {
            id: Uuid::from_u128(1),
            failures: 0,
            lease_until: Timestamp::UNIX_EPOCH,
        }
    }

    fn suspect(since: Instant) -> Suspect {
        Suspect {
            claimed: claimed(),
            error: "answered with an error".to_owned(),
            since,
        }
    }

    #[test]
    fn a_failure_counts_once_the_breaker_has_stayed_closed_for_a_while() {
        let start = Instant::now();
        let mut suspects = Suspects::default();
        suspects.add(suspect(start));
        assert_eq!(suspects.judge(true, start), []);
        let later = start + SUSPECTED_FOR;
        assert_eq!(
            suspects.judge(true, later),
            [Verdict::Guilty(suspect(start))]
        );
        assert_eq!(suspects.judge(true, later), []);
    }

    #[test]
    fn a_failure_at_the_beginning_of_an_outage_does_not_count() {
        let start = Instant::now();
        let mut suspects = Suspects::default();
        suspects.add(suspect(start));
        let innocent = [Verdict::Innocent(claimed())];
        assert_eq!(suspects.judge(false, start), innocent);
        assert_eq!(suspects.judge(true, start + SUSPECTED_FOR), []);
    }
}
