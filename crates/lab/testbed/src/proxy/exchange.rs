//! Requests and answers on one connection, and what becomes of them: pure.
//!
//! The link knows no protocol. A request is what a client says before it waits: it begins with the first bytes after
//! the client has seen something of its last answer, and lasts until the client sees something of its own.

use std::time::Duration;

use tokio::time::Instant;

/// What becomes of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Disposition {
    /// It is answered by the upstream.
    #[default]
    Pass,
    /// Its answer is held back by this long.
    Late(Duration),
    /// The connection is reset once the client has seen this much more of its answer.
    Cut { left: usize },
    /// It is answered with bytes of no protocol.
    Garbage,
    /// It is answered with an HTTP status.
    Status(u16),
}

#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// Whether the client has seen nothing of its answer.
    pub(super) waiting: bool,
    pub(super) disposition: Disposition,
    /// When an answer that is held back may go.
    pub(super) due: Option<Instant>,
}

impl Exchange {
    /// The client begins a request.
    pub(super) fn begin(&mut self, disposition: Disposition) {
        self.waiting = true;
        self.disposition = disposition;
    }

    /// The fault has changed. A request that waits gets a new disposition; one that is being answered is over with the old one.
    pub(super) fn judge_again(&mut self, disposition: impl FnOnce() -> Disposition) {
        self.due = None;
        self.disposition = if self.waiting {
            disposition()
        } else {
            Disposition::Pass
        };
    }

    /// Something of an answer is there.
    pub(super) fn answer_came(&mut self, now: Instant) {
        if let Disposition::Late(by) = self.disposition {
            self.due = Some(now + by);
        }
    }

    /// What was held back may go, and the rest of the same answer with it.
    pub(super) fn release(&mut self) {
        self.due = None;
        self.disposition = Disposition::Pass;
    }

    /// How many bytes of answer the client may still see.
    pub(super) fn allowance(&self) -> usize {
        match self.disposition {
            Disposition::Cut { left } => left,
            _ => usize::MAX,
        }
    }

    /// The client has been given this many bytes.
    pub(super) fn delivered(&mut self, bytes: usize) {
        self.waiting = false;
        if let Disposition::Cut { left } = &mut self.disposition {
            *left = left.saturating_sub(bytes);
        }
    }

    /// The link itself has answered.
    pub(super) fn settle(&mut self) {
        self.waiting = false;
        self.disposition = Disposition::Pass;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn asked(disposition: Disposition) -> Exchange {
        let mut exchange = Exchange::default();
        exchange.begin(disposition);
        exchange
    }

    #[tokio::test]
    async fn a_late_answer_is_held_once_and_the_request_waits_meanwhile() {
        let now = Instant::now();
        let mut exchange = asked(Disposition::Late(SECOND));
        assert_eq!(exchange.due, None);
        exchange.answer_came(now);
        assert_eq!(exchange.due, Some(now + SECOND));
        assert!(exchange.waiting);
        exchange.release();
        exchange.delivered(10);
        exchange.answer_came(now + SECOND);
        assert_eq!(exchange.due, None);
        assert!(!exchange.waiting);
    }

    #[test]
    fn a_cut_counts_what_the_client_has_seen() {
        let mut exchange = asked(Disposition::Cut { left: 10 });
        exchange.delivered(4);
        assert_eq!(exchange.allowance(), 6);
        exchange.delivered(6);
        assert_eq!(exchange.allowance(), 0);
    }

    #[tokio::test]
    async fn a_new_fault_reaches_the_request_that_waits_and_a_heal_releases_what_was_held() {
        let mut exchange = asked(Disposition::Pass);
        exchange.judge_again(|| Disposition::Late(SECOND));
        exchange.answer_came(Instant::now());
        assert!(exchange.due.is_some());
        exchange.judge_again(|| Disposition::Pass);
        assert_eq!(exchange.due, None);
    }

    #[test]
    fn a_new_fault_spares_an_answer_that_is_on_its_way_and_ends_the_old_ones_hold_on_it() {
        let mut exchange = asked(Disposition::Cut { left: 10 });
        exchange.delivered(4);
        exchange.judge_again(|| panic!("drawn for nobody"));
        assert_eq!(exchange.disposition, Disposition::Pass);
        assert_eq!(exchange.allowance(), usize::MAX);
    }
}
