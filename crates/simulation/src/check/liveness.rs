//! After the last fault has ended everything owed is done within a computed time.

use super::Run;
use crate::history::Violation;
use crate::postgres::rows::Status;
use crate::world::number;

/// What is still owed at the end.
pub(crate) fn check(run: &Run<'_>) -> Option<Violation> {
    let owed = run
        .tables
        .rows()
        .find(|(_, row)| row.status == Status::Received);
    let entries: u64 = run.held.iter().map(|held| held.entries).sum();
    let shut = run.held.iter().any(|held| !held.journal_is_open);
    let (request, what) = if let Some((id, row)) = owed {
        (number(id), format!("{id} is still open: {row:?}"))
    } else if entries > 0 {
        (0, format!("{entries} entries are still in journals"))
    } else if shut {
        (0, "a journal is still not open".to_owned())
    } else {
        return None;
    };
    Some(run.ended("liveness", request, what))
}
