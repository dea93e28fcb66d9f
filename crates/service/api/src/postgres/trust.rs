//! Which sessions may be used unasked. A session that was good a moment ago may lead nowhere: a failover, a firewall that
//! forgot it, a server that is stopped.

use std::time::Duration;

use tokio::time::Instant;

/// A session that did its work within this time shows that the server is well.
const GOOD_FOR: Duration = Duration::from_secs(10);

/// What is known of all sessions of a pool. Each of them is judged by when it last proved itself.
#[derive(Debug, Default)]
pub(super) struct Trust {
    /// Something happened that puts sessions in doubt which have not proved themselves since.
    doubted: Option<Instant>,
    /// One of them was asked and did not answer: those that have not proved themselves since are not even asked.
    lost: Option<Instant>,
    /// A session did its work.
    proved: Option<Instant>,
}

/// What to do with a session before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Use,
    Ask,
    Drop,
}

impl Trust {
    /// Of a session that proved itself at `proved`.
    pub(super) fn verdict(&self, proved: Instant) -> Verdict {
        let since = |event: Option<Instant>| event.is_none_or(|event| proved > event);
        match (since(self.lost), since(self.doubted)) {
            (false, _) => Verdict::Drop,
            (true, false) => Verdict::Ask,
            (true, true) => Verdict::Use,
        }
    }

    /// A statement hung, or the breaker opened.
    pub(super) fn doubt(&mut self, now: Instant) {
        self.doubted = Some(now);
    }

    /// A session in doubt gave no answer: the doubt was right.
    pub(super) fn confirm_doubt(&mut self) {
        self.lost = self.doubted.max(self.lost);
    }

    /// No session that exists is of use, though each would answer: the server takes no writes any more, say.
    pub(super) fn discard(&mut self, now: Instant) {
        self.doubt(now);
        self.confirm_doubt();
    }

    /// A session did its work.
    pub(super) fn prove(&mut self, now: Instant) {
        self.proved = Some(now);
    }

    /// Whether sessions of the pool have done their work lately, and nothing has happened since.
    pub(super) fn is_good(&self, now: Instant) -> bool {
        self.proved.is_some_and(|proved| {
            now.saturating_duration_since(proved) < GOOD_FOR && self.verdict(proved) == Verdict::Use
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Instant {
        static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
        *START.get_or_init(Instant::now) + Duration::from_secs(seconds)
    }

    #[test]
    fn a_doubt_has_older_sessions_asked_and_younger_ones_used() {
        let mut trust = Trust::default();
        assert_eq!(trust.verdict(at(1)), Verdict::Use);
        trust.doubt(at(2));
        assert_eq!(trust.verdict(at(1)), Verdict::Ask);
        assert_eq!(trust.verdict(at(3)), Verdict::Use);
    }

    #[test]
    fn one_that_does_not_answer_condemns_those_that_are_in_the_same_doubt() {
        let mut trust = Trust::default();
        trust.doubt(at(2));
        trust.confirm_doubt();
        assert_eq!(trust.verdict(at(1)), Verdict::Drop);
        assert_eq!(trust.verdict(at(3)), Verdict::Use);
        trust.doubt(at(4));
        assert_eq!(trust.verdict(at(3)), Verdict::Ask);
        assert_eq!(trust.verdict(at(1)), Verdict::Drop);
    }

    #[test]
    fn a_pool_is_good_while_sessions_work_and_nothing_puts_them_in_doubt() {
        let mut trust = Trust::default();
        assert!(!trust.is_good(at(1)));
        trust.prove(at(1));
        assert!(trust.is_good(at(2)));
        assert!(!trust.is_good(at(12)), "that was long ago");
        trust.prove(at(12));
        trust.doubt(at(13));
        assert!(!trust.is_good(at(14)));
        trust.prove(at(15));
        assert!(trust.is_good(at(16)));
    }
}
