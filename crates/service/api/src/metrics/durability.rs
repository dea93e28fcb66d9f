//! Series of what is owed: the journal, open work and recovery. Set when they are scraped from what those say of
//! themselves.

use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};

use super::{as_f64, at_zero};
use crate::config::Policies;
use crate::journal::JournalStats;
use crate::overview::Overview;
use crate::recovery::{Count, Progress};

/// The series of the journal, of open work and of recovery.
pub(super) struct Durability {
    available: Gauge,
    entries: Gauge,
    bytes: Gauge,
    max_bytes: Gauge,
    oldest: Gauge,
    quarantined: Gauge,
    appended: Counter,
    commits: Counter,
    refused: Counter,
    open_work: Gauge,
    oldest_open: Gauge,
    max_open: Gauge,
    recovery_in_flight: Gauge,
    recovery_limit: Gauge,
    retention_lag: Gauge,
    recovered: [Counter; Count::ALL.len()],
}

impl Durability {
    /// Every series, at zero.
    pub(super) fn new() -> Self {
        describe();
        Self {
            available: gauge!("holdfast_journal_available"),
            entries: gauge!("holdfast_journal_entries"),
            bytes: gauge!("holdfast_journal_bytes"),
            max_bytes: gauge!("holdfast_journal_limit_bytes"),
            oldest: gauge!("holdfast_journal_oldest_seconds"),
            quarantined: gauge!("holdfast_journal_quarantined_entries"),
            appended: at_zero(counter!("holdfast_journal_appended_total")),
            commits: at_zero(counter!("holdfast_journal_commits_total")),
            refused: at_zero(counter!("holdfast_journal_refused_total")),
            open_work: gauge!("holdfast_open_work"),
            oldest_open: gauge!("holdfast_open_work_oldest_seconds"),
            max_open: gauge!("holdfast_open_work_limit"),
            recovery_in_flight: gauge!("holdfast_recovery_in_flight"),
            recovery_limit: gauge!("holdfast_recovery_limit"),
            retention_lag: gauge!("holdfast_retention_lag_seconds"),
            recovered: Count::ALL
                .map(|it| at_zero(counter!("holdfast_recovery_total", "what" => it.as_str()))),
        }
    }

    /// Sets every series.
    pub(super) fn observe(&self, overview: &Overview, policies: &Policies) {
        if let Some(journal) = &overview.journal {
            self.journal(&journal.stats());
            self.max_bytes.set(as_f64(policies.journal.max_bytes));
        }
        self.open_work
            .set(as_f64(overview.open_work.counted().unwrap_or(0)));
        let oldest = overview.open_work.oldest().unwrap_or_default();
        self.oldest_open.set(oldest.as_secs_f64());
        self.max_open.set(as_f64(policies.recovery.max_open));
        self.recovery(&overview.recovery);
    }

    fn journal(&self, stats: &JournalStats) {
        self.available.set(if stats.available { 1.0 } else { 0.0 });
        self.entries.set(as_f64(stats.entries));
        self.bytes.set(as_f64(stats.bytes));
        self.oldest.set(stats.oldest_seconds.unwrap_or(0.0));
        self.quarantined.set(as_f64(stats.quarantined));
        self.appended.absolute(stats.appended);
        self.commits.absolute(stats.commits);
        self.refused.absolute(stats.refused);
    }

    fn recovery(&self, progress: &Progress) {
        self.recovery_in_flight.set(f64::from(progress.in_flight()));
        self.recovery_limit.set(f64::from(progress.limit()));
        self.retention_lag
            .set(progress.retention_lag().as_secs_f64());
        for (counter, count) in self.recovered.iter().zip(Count::ALL) {
            counter.absolute(progress.total(count));
        }
    }
}

fn describe() {
    for (name, what) in [
        (
            "holdfast_journal_available",
            "1 if the journal can write, else 0",
        ),
        (
            "holdfast_journal_entries",
            "Journal entries not yet in Postgres",
        ),
        (
            "holdfast_journal_bytes",
            "What they count against journal.max_bytes",
        ),
        (
            "holdfast_journal_limit_bytes",
            "What journal.max_bytes says, 0 without a journal",
        ),
        (
            "holdfast_journal_oldest_seconds",
            "Age of the oldest of them, 0 without any",
        ),
        (
            "holdfast_journal_quarantined_entries",
            "Entries that Postgres does not take",
        ),
        (
            "holdfast_open_work",
            "Requests accepted and not finished, as last counted in Postgres",
        ),
        (
            "holdfast_open_work_oldest_seconds",
            "Age of the oldest of them, 0 without any",
        ),
        (
            "holdfast_open_work_limit",
            "Open work beyond which calls are refused",
        ),
        (
            "holdfast_recovery_in_flight",
            "Requests whose work recovery is having done",
        ),
        (
            "holdfast_recovery_limit",
            "How many recovery has done at once by now",
        ),
        (
            "holdfast_retention_lag_seconds",
            "How long ago the oldest row still there should have been deleted",
        ),
    ] {
        describe_gauge!(name, what);
    }
    for (name, what) in [
        (
            "holdfast_journal_appended_total",
            "Records made durable in the journal",
        ),
        (
            "holdfast_journal_commits_total",
            "Durable transactions of the journal, one fsync each",
        ),
        (
            "holdfast_journal_refused_total",
            "Records that the journal did not take",
        ),
        ("holdfast_recovery_total", "What recovery did, by kind"),
    ] {
        describe_counter!(name, what);
    }
}
