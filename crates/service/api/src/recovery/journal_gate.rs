//! Whether open work may be claimed, given how it stands with this replica's journal: what that holds a result of must not be
//! worked for again.

use std::time::Duration;

use tokio::time::Instant;

/// So long claims wait for a journal that does not open, or does not get to Postgres. Then some work is done twice, which is better
/// than none at all for as long as a disk hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How a pass over the journal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// All is brought over that can be for now.
    Over,
    /// Postgres may not be asked.
    NotTried,
    /// The journal cannot be read, or Postgres did not take it.
    Failed,
}

/// Whether open work may be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claims {
    /// Not now.
    Wait,
    /// What the journal knows is left out.
    AskJournal,
    /// The journal has had its time.
    Regardless,
}

/// What is known of the journal, a pure record.
#[derive(Debug, Clone, Copy)]
pub(super) struct JournalGate {
    last: Pass,
    failing_since: Option<Instant>,
}

impl JournalGate {
    /// Before the first pass; where there is no journal, that never comes.
    pub(super) fn new(has_journal: bool) -> Self {
        Self {
            last: if has_journal {
                Pass::NotTried
            } else {
                Pass::Over
            },
            failing_since: None,
        }
    }

    /// A pass ended at `now`.
    pub(super) fn passed(&mut self, pass: Pass, now: Instant) {
        self.last = pass;
        self.failing_since = match pass {
            Pass::Failed => self.failing_since.or(Some(now)),
            Pass::Over | Pass::NotTried => None,
        };
    }

    /// Whether open work may be claimed at `now`.
    pub(super) fn claims(&self, now: Instant) -> Claims {
        match (self.last, self.failing_since) {
            (Pass::Over, _) => Claims::AskJournal,
            (Pass::Failed, Some(since)) if now.duration_since(since) >= PATIENCE => {
                Claims::Regardless
            }
            _ => Claims::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_wait_for_a_journal_that_fails_and_not_for_ever() {
        let now = Instant::now();
        let mut gate = JournalGate::new(true);
        assert_eq!(gate.claims(now), Claims::Wait, "nobody has looked yet");
        gate.passed(Pass::Over, now);
        assert_eq!(gate.claims(now), Claims::AskJournal);
        for seconds in [0, 30] {
            gate.passed(Pass::Failed, now + Duration::from_secs(seconds));
        }
        assert_eq!(gate.claims(now + PATIENCE / 2), Claims::Wait);
        assert_eq!(gate.claims(now + PATIENCE), Claims::Regardless);
        gate.passed(Pass::Over, now + PATIENCE);
        assert_eq!(gate.claims(now + PATIENCE), Claims::AskJournal);
    }

    #[test]
    fn an_outage_of_postgres_does_not_use_up_the_journals_time() {
        let now = Instant::now();
        let mut gate = JournalGate::new(true);
        gate.passed(Pass::Failed, now);
        gate.passed(Pass::NotTried, now + PATIENCE);
        assert_eq!(gate.claims(now + PATIENCE), Claims::Wait);
        gate.passed(Pass::Failed, now + PATIENCE);
        assert_eq!(gate.claims(now + PATIENCE), Claims::Wait);
    }

    #[test]
    fn without_a_journal_nothing_is_waited_for() {
        let gate = JournalGate::new(false);
        assert_eq!(gate.claims(Instant::now()), Claims::AskJournal);
    }
}
