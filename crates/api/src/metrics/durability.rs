//! Series of what is owed: the journal, open work and recovery. Set when they are scraped from what those say of
//! themselves.

use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};

use crate::journal::Depth;
use crate::recovery::{Count, Progress};

/// The series of the journal, of open work and of recovery.
pub(super) struct Durability {
    available: Gauge,
    entries: Gauge,
    bytes: Gauge,
    oldest: Gauge,
    appended: Counter,
    commits: Counter,
    refused: Counter,
    open_work: Gauge,
    recovery_in_flight: Gauge,
    recovery_limit: Gauge,
    recovered: [Counter; Count::ALL.len()],
}

impl Durability {
    /// Every series, at zero.
    pub(super) fn new() -> Self {
        let zero = |counter: Counter| {
            counter.absolute(0);
            counter
        };
        Self {
            available: gauge!("holdfast_journal_available"),
            entries: gauge!("holdfast_journal_entries"),
            bytes: gauge!("holdfast_journal_bytes"),
            oldest: gauge!("holdfast_journal_oldest_seconds"),
            appended: zero(counter!("holdfast_journal_appended_total")),
            commits: zero(counter!("holdfast_journal_commits_total")),
            refused: zero(counter!("holdfast_journal_refused_total")),
            open_work: gauge!("holdfast_open_work"),
            recovery_in_flight: gauge!("holdfast_recovery_in_flight"),
            recovery_limit: gauge!("holdfast_recovery_limit"),
            recovered: Count::ALL
                .map(|it| zero(counter!("holdfast_recovery_total", "what" => it.as_str()))),
        }
    }

    /// Sets the journal's series.
    pub(super) fn journal(&self, depth: &Depth) {
        self.available.set(if depth.available { 1.0 } else { 0.0 });
        self.entries.set(figure(depth.entries));
        self.bytes.set(figure(depth.bytes));
        self.oldest.set(depth.oldest_seconds.unwrap_or(0.0));
        self.appended.absolute(depth.appended);
        self.commits.absolute(depth.commits);
        self.refused.absolute(depth.refused);
    }

    /// Sets the series of open work and of recovery.
    pub(super) fn recovery(&self, open_work: Option<u64>, progress: &Progress) {
        self.open_work.set(figure(open_work.unwrap_or(0)));
        self.recovery_in_flight.set(f64::from(progress.in_flight()));
        self.recovery_limit.set(f64::from(progress.limit()));
        for (counter, count) in self.recovered.iter().zip(Count::ALL) {
            counter.absolute(progress.total(count));
        }
    }

    /// Says what each series is.
    pub(super) fn describe() {
        describe_gauge!(
            "holdfast_journal_available",
            "1 if the journal can write, else 0"
        );
        describe_gauge!(
            "holdfast_journal_entries",
            "Journal entries not yet in Postgres"
        );
        describe_gauge!(
            "holdfast_journal_bytes",
            "What they count against journal.max_bytes"
        );
        describe_gauge!(
            "holdfast_journal_oldest_seconds",
            "Age of the oldest of them, 0 without any"
        );
        describe_counter!(
            "holdfast_journal_appended_total",
            "Records made durable in the journal"
        );
        describe_counter!(
            "holdfast_journal_commits_total",
            "Durable transactions of the journal, one fsync each"
        );
        describe_counter!(
            "holdfast_journal_refused_total",
            "Records that the journal did not take"
        );
        describe_gauge!(
            "holdfast_open_work",
            "Requests accepted and not finished, as last counted in Postgres"
        );
        describe_gauge!(
            "holdfast_recovery_in_flight",
            "Requests whose work recovery is having done"
        );
        describe_gauge!(
            "holdfast_recovery_limit",
            "How many recovery has done at once by now"
        );
        describe_counter!("holdfast_recovery_total", "What recovery did, by kind");
    }
}

/// Far below what a double holds exactly.
#[expect(clippy::cast_precision_loss, reason = "see above")]
fn figure(count: u64) -> f64 {
    count as f64
}
