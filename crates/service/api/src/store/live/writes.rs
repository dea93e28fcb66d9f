//! The kinds of writes that live calls share.

use super::group_commit::Write;
use super::{EndRow, Finished, Inserted, NewRow, Written};
use crate::store::Table;

/// New requests without a key.
pub(super) struct Inserts<T>(pub(super) T);

/// New requests with a key.
pub(super) struct KeyedInserts<T>(pub(super) T);

/// Ends of requests.
pub(super) struct Ends<T>(pub(super) T);

impl<T: Table> Write for Inserts<T> {
    type Row = NewRow;
    type Outcome = Inserted;
    type Error = T::Error;

    fn bytes(&self, row: &NewRow) -> usize {
        row.bytes()
    }

    async fn write_all(&self, rows: &[NewRow]) -> Result<Vec<Written<Inserted>>, T::Error> {
        self.0.insert(rows).await
    }
}

impl<T: Table> Write for KeyedInserts<T> {
    type Row = NewRow;
    type Outcome = Inserted;
    type Error = T::Error;

    fn bytes(&self, row: &NewRow) -> usize {
        row.bytes()
    }

    async fn write_all(&self, rows: &[NewRow]) -> Result<Vec<Written<Inserted>>, T::Error> {
        self.0.insert_keyed(rows).await
    }
}

impl<T: Table> Write for Ends<T> {
    type Row = EndRow;
    type Outcome = Finished;
    type Error = T::Error;

    fn bytes(&self, row: &EndRow) -> usize {
        row.bytes()
    }

    async fn write_all(&self, rows: &[EndRow]) -> Result<Vec<Written<Finished>>, T::Error> {
        self.0.finish(rows).await
    }
}
