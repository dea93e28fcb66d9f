//! Defects put behind the ports, to see that the checks bite. The service's code knows nothing of them.

use std::time::Duration;

use clap::ValueEnum;
use holdfast_api::embedded::{CompletedOpen, Entry, Finished, NewRequest, NewRow, Written};
use jiff::{Timestamp, ToSpan};
use uuid::Uuid;

/// Without a breaker: it stops most retries before their budget does.
const MANY_RETRIES: &str = "[worker.breaker]\nminimum_calls = 1000000\nconsecutive_failures = 1000000\n\
    [worker.retry]\nmax_attempts = 10";
/// One of so many calls is forgotten.
const FORGETFUL: u64 = 16;
/// In no key of a client.
const MARK: char = '#';

/// One defect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
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
    /// A replica knows no key but what Postgres tells it: not those of its journal, nor of calls under way, nor what it told.
    KeyOnlyInPostgres,
    /// A row that Postgres refuses is taken for an outage: its entry holds up all others.
    QuarantineOff,
    /// Retries have no budget.
    BudgetOff,
    /// Recovery has a retry budget of its own.
    BudgetNotShared,
    /// A call whose client leaves keeps what it held: its ticket, its place, its key.
    TicketKept,
    /// What recovery meets decides the breaker of live calls.
    BreakerShared,
    /// Now and then a call is never answered.
    AnswerForgotten,
}

impl Mutant {
    /// Those that must be found.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        let all = Self::value_variants().iter().copied();
        all.filter(|mutant| *mutant != Self::None)
    }

    /// The policies, with its defect in them.
    pub(crate) fn policies(self, policies: &str) -> String {
        match self {
            Self::BudgetOff => format!(
                "{policies}\n{MANY_RETRIES}\n[worker.retry.budget]\nratio = 1.0\nfloor_per_second = 1000.0"
            ),
            Self::BudgetNotShared => format!("{policies}\n{MANY_RETRIES}"),
            _ => policies.to_owned(),
        }
    }

    /// What a caller hears of rows that were to be finished.
    pub(crate) fn finished(self, finished: Vec<Written<Finished>>) -> Vec<Written<Finished>> {
        if self != Self::AffectedRowsIgnored {
            return finished;
        }
        vec![Written::Run(Finished::Recorded); finished.len()]
    }

    /// What recovery hears of a row that was to be completed.
    pub(crate) fn completed(self, completed: CompletedOpen) -> CompletedOpen {
        match self {
            Self::AffectedRowsIgnored => CompletedOpen::Recorded,
            _ => completed,
        }
    }

    /// From when on a lease is none.
    pub(crate) fn longest_lease(self, longest: Duration) -> Duration {
        match self {
            Self::LeaseNotTaken => Duration::ZERO,
            _ => longest,
        }
    }

    /// What a journal's entries are brought over as; `done_at` says when a request was done that Postgres has as done.
    pub(crate) fn replayed(
        self,
        entries: &[Entry],
        done_at: impl Fn(Uuid) -> Option<Timestamp>,
    ) -> Vec<Entry> {
        let mut entries: Vec<Entry> = entries.to_vec();
        for entry in &mut entries {
            entry.key = entry.key.take().map(plain);
            let there = done_at(entry.id);
            if let (Self::LatestEndWins, Some(end), Some(there)) = (self, &mut entry.end, there) {
                // The other way round: what was earlier comes as later.
                let is_later = end.completed_at >= there;
                end.completed_at = there - i64::from(is_later).microseconds();
            }
        }
        entries
    }

    /// Whether the call with this number is never answered.
    pub(crate) fn forgets(self, number: u64) -> bool {
        self == Self::AnswerForgotten && number.is_multiple_of(FORGETFUL)
    }

    /// The key that a replica is told, which no other call has where it shall know none.
    pub(crate) fn told_key(self, key: String, request: Uuid) -> String {
        match self {
            Self::KeyOnlyInPostgres => format!("{key}{MARK}{request}"),
            _ => key,
        }
    }
}

/// The client's own key, as Postgres knows it.
pub(crate) fn plain(mut key: String) -> String {
    if let Some(at) = key.find(MARK) {
        key.truncate(at);
    }
    key
}

/// The same, of new rows.
pub(crate) fn plain_rows(rows: &[NewRow]) -> Vec<NewRow> {
    let plain = |row: &NewRow| NewRow {
        key: plain(row.key.clone()),
        ..row.clone()
    };
    rows.iter().map(plain).collect()
}

/// The same, of a whole request.
pub(crate) fn plain_request(request: &NewRequest) -> NewRequest {
    NewRequest {
        key: request.key.clone().map(plain),
        ..request.clone()
    }
}
