//! Recording how requests ended, or that recovery may have them.

use uuid::Uuid;

use super::batch::{Batch, Locks};
use super::state;
use crate::process::ExistingRequest;
use crate::store::Session;

/// Of the ids of the first parameter.
const UNLOCKED: &str = "AND requests.id = ANY (ARRAY ( \
        SELECT id FROM requests WHERE id = ANY ($1) AND status = 'received' FOR UPDATE SKIP LOCKED))";

/// An end to be recorded.
#[derive(Debug, Clone)]
pub struct EndRow {
    /// The request's id.
    pub id: Uuid,
    /// The worker's response; `None`: the request is left to recovery.
    pub response: Option<String>,
    /// Calls of the worker it took.
    pub attempts: i32,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Finished {
    /// It is recorded.
    Recorded,
    /// Nothing was: this is there, or nothing.
    Untouched(Option<ExistingRequest>),
}

/// Ends of requests.
pub(in crate::store) struct Finish;

impl EndRow {
    /// About how much of a statement it takes.
    pub(super) fn bytes(&self) -> usize {
        20 + self.response.as_ref().map_or(0, String::len)
    }
}

impl Batch for Finish {
    type Row = EndRow;
    type Outcome = Finished;

    const LOCKS: Locks = Locks::Row;

    async fn write(
        &self,
        session: &Session,
        rows: &[EndRow],
        skip_locked: bool,
    ) -> Result<Vec<Finished>, tokio_postgres::Error> {
        let (ids, responses, attempts) = columns(rows);
        let finish = statement(1, if skip_locked { UNLOCKED } else { "" });
        let finish = session.prepare_cached(&finish).await?;
        let recorded = session
            .query(&finish, &[&ids, &responses, &attempts])
            .await?;
        if recorded.len() == rows.len() {
            return Ok(vec![Finished::Recorded; rows.len()]);
        }
        let recorded: Vec<Uuid> = recorded
            .iter()
            .map(|row| row.try_get(0))
            .collect::<Result<_, _>>()?;
        let missed = |row: &&EndRow| !recorded.contains(&row.id);
        let missed: Vec<Uuid> = rows.iter().filter(missed).map(|row| row.id).collect();
        let existing = state::by_ids(session, &missed).await?;
        let outcome = |row: &EndRow| match recorded.contains(&row.id) {
            true => Finished::Recorded,
            false => Finished::Untouched(existing.get(&row.id).cloned()),
        };
        Ok(rows.iter().map(outcome).collect())
    }
}

/// Its three parameters come from `first` on. The first recorded end stays. A row without a response is released.
pub(super) fn statement(first: u32, unlocked: &str) -> String {
    let [ids, responses, attempts] = [0, 1, 2].map(|offset| first + offset);
    format!(
        "UPDATE requests SET \
            status = CASE WHEN response IS NULL THEN 'received' ELSE 'done' END, \
            worker_response = response::json, \
            attempts = requests.attempts + entry.attempts, \
            completed_at = CASE WHEN response IS NOT NULL THEN now() END, \
            lease_until = NULL \
        FROM unnest(${ids}::uuid[], ${responses}::text[], ${attempts}::int[]) AS entry (id, response, attempts) \
        WHERE requests.id = entry.id AND status = 'received' {unlocked} RETURNING requests.id"
    )
}

/// The parameters: ids, responses and attempts.
pub(super) fn columns(rows: &[EndRow]) -> (Vec<Uuid>, Vec<Option<&str>>, Vec<i32>) {
    let rows = rows.iter();
    rows.map(|row| (row.id, row.response.as_deref(), row.attempts))
        .collect()
}
