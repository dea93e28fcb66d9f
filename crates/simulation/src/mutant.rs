//! Defects put behind the ports, to see that the checks bite. The service's code knows nothing of them.

use std::time::Duration;

use holdfast_api::embedded::{Entry, Finished, Written};
use jiff::Timestamp;

/// One defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mutant {
    /// None: the service as it is.
    None,
    /// A write that touched no row is taken for done.
    AffectedRowsIgnored,
    /// Of two ends of one request the later one stands.
    LatestEndWins,
    /// Recovery claims what somebody holds.
    LeaseNotTaken,
    /// An entry leaves the journal before its request is committed.
    ReplayBeforeCommit,
    /// The journal's disk syncs nothing.
    FsyncSkipped,
    /// A request is recorded although its key stands for another one.
    KeyIgnored,
    /// A row that Postgres refuses is taken for an outage: its entry holds up all others.
    QuarantineOff,
    /// Retries have no budget.
    BudgetOff,
    /// What recovery meets decides the breaker of live calls.
    BreakerShared,
}

impl Mutant {
    /// Those that must be found. The later end and the shared breaker show too seldom yet.
    pub const ALL: [Self; 7] = [
        Self::AffectedRowsIgnored,
        Self::LeaseNotTaken,
        Self::ReplayBeforeCommit,
        Self::FsyncSkipped,
        Self::KeyIgnored,
        Self::QuarantineOff,
        Self::BudgetOff,
    ];

    /// The policies, with its defect in them.
    #[must_use]
    pub fn policies(self, policies: &str) -> String {
        match self {
            // Without a breaker either: it stops most retries before their budget does.
            Self::BudgetOff => format!(
                "{policies}\n[worker.retry]\nmax_attempts = 10\n\
                 budget = {{ ratio = 1.0, floor_per_second = 1000.0 }}\n\
                 [worker.breaker]\nminimum_calls = 1000000\nconsecutive_failures = 1000000"
            ),
            _ => policies.to_owned(),
        }
    }

    /// What a caller hears of rows that were to be finished.
    #[must_use]
    pub fn finished(self, finished: Vec<Written<Finished>>) -> Vec<Written<Finished>> {
        if self != Self::AffectedRowsIgnored {
            return finished;
        }
        vec![Written::Run(Finished::Recorded); finished.len()]
    }

    /// What recovery hears of a row that was to be completed.
    #[must_use]
    pub fn completed(self, completed: bool) -> bool {
        completed || self == Self::AffectedRowsIgnored
    }

    /// From when on a lease is none.
    #[must_use]
    pub fn longest_lease(self, longest: Duration) -> Duration {
        match self {
            Self::LeaseNotTaken => Duration::ZERO,
            _ => longest,
        }
    }

    /// What a journal's entries are brought over as.
    #[must_use]
    pub fn replayed(self, entries: &[Entry]) -> Vec<Entry> {
        let mut entries = entries.to_vec();
        if self == Self::LatestEndWins {
            for end in entries.iter_mut().filter_map(|entry| entry.end.as_mut()) {
                // Before every other one.
                end.completed_at = Timestamp::UNIX_EPOCH;
            }
        }
        entries
    }
}
