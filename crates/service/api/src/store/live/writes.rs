//! The kinds of writes that live calls share.

use holdfast_wire::{Degraded, Reason};

use super::group_commit::{GroupCommit, Write};
use super::{EndRow, Finished, Inserted, NewRow, Written};
use crate::dependency::Dependency;
use crate::postgres::Attribution;
use crate::store::Table;

/// New requests without a key, and ends of any: nothing of it waits for a key.
pub(super) struct Unkeyed<T>(pub(super) T);

/// New requests with a key.
pub(super) struct Keyed<T: Table> {
    pub(super) table: T,
    /// Where they are given back.
    pub(super) unkeyed: GroupCommit<Unkeyed<T>>,
}

/// A row of the former.
pub(super) enum Row {
    New(NewRow),
    End(EndRow),
}

impl<T: Table> Write for Unkeyed<T> {
    type Row = Row;
    type Outcome = Inserted;
    type Error = T::Error;

    fn bytes(&self, row: &Row) -> usize {
        match row {
            Row::New(row) => row.bytes(),
            Row::End(row) => row.bytes(),
        }
    }

    async fn write_all(&self, rows: &[Row]) -> Result<Vec<Written<Inserted>>, T::Error> {
        let (mut new, mut ends) = (vec![], vec![]);
        for row in rows {
            match row {
                Row::New(row) => new.push(row.clone()),
                Row::End(row) => ends.push(row.clone()),
            }
        }
        let (inserted, finished) = self.0.write(&new, &ends).await?;
        let (mut inserted, mut finished) = (inserted.into_iter(), finished.into_iter());
        let next = |row: &Row| match row {
            Row::New(_) => inserted.next(),
            Row::End(_) => finished.next().map(|it| it.map(Inserted::from)),
        };
        Ok(rows.iter().filter_map(next).collect())
    }

    fn unclaimed(&self, row: &Row, outcome: &Inserted, writer: &GroupCommit<Self>) {
        if let Row::New(row) = row {
            give_back(row, outcome, writer);
        }
    }
}

impl<T: Table> Write for Keyed<T> {
    type Row = NewRow;
    type Outcome = Inserted;
    type Error = T::Error;

    fn bytes(&self, row: &NewRow) -> usize {
        row.bytes()
    }

    async fn write_all(&self, rows: &[NewRow]) -> Result<Vec<Written<Inserted>>, T::Error> {
        self.table.insert_keyed(rows).await
    }

    fn unclaimed(&self, row: &NewRow, outcome: &Inserted, _: &GroupCommit<Self>) {
        give_back(row, outcome, &self.unkeyed);
    }
}

/// Nobody has the work done for which `row` is leased: recovery may have it at once.
fn give_back<T: Table>(row: &NewRow, outcome: &Inserted, unkeyed: &GroupCommit<Unkeyed<T>>) {
    if let (Inserted::Ours, Some(lease)) = (outcome, row.lease) {
        unkeyed.write_unattended(Row::End(EndRow::released(row.id, lease)));
    }
}

/// What stands where a row was to be written is the same for both kinds.
impl From<Finished> for Inserted {
    fn from(finished: Finished) -> Self {
        match finished {
            Finished::Recorded => Self::Ours,
            Finished::Untouched(Some(existing)) => Self::Existing(existing),
            Finished::Untouched(None) => Self::Gone,
        }
    }
}

/// What an answer has to do without where Postgres refuses the statement, whatever the row.
pub(super) fn statement_refused(dependency: &Dependency, attribution: Attribution) -> Degraded {
    let (reason, detail) = match attribution {
        Attribution::Schema => (
            Reason::SchemaOutdated,
            "the database lacks a table or column that this call needs",
        ),
        _ => (
            Reason::BadStatus,
            "the database refuses the statement, whatever the request",
        ),
    };
    Degraded {
        reason,
        detail: detail.to_owned(),
        attempts: 1,
        ..dependency.unavailability()
    }
}
