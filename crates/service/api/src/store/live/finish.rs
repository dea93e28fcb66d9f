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
    /// Of a request that is left: the seconds for which it was the caller's. A replica that has claimed it by now keeps it.
    pub lease: Option<f64>,
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
    /// Leaves the request `id` to recovery, if it is still the caller's for `lease` seconds from when it was inserted.
    pub(super) fn released(id: Uuid, lease: f64) -> Self {
        Self {
            id,
            response: None,
            attempts: 0,
            lease: Some(lease),
        }
    }

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
        let (ids, responses, attempts, leases) = columns(rows);
        let finish = statement(1, if skip_locked { UNLOCKED } else { "" });
        let finish = session.prepare_cached(&finish).await?;
        let recorded = session
            .query(&finish, &[&ids, &responses, &attempts, &leases])
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

/// Its four parameters come from `first` on. The first recorded end stays. A row without a response is released, by whoever
/// inserted it: that one's lease began when the row did, and a claim's later.
pub(super) fn statement(first: u32, unlocked: &str) -> String {
    let [ids, responses, attempts, leases] = [0, 1, 2, 3].map(|offset| first + offset);
    format!(
        "UPDATE requests SET \
            status = CASE WHEN response IS NULL THEN 'received' ELSE 'done' END, \
            worker_response = response::json, \
            error = CASE WHEN response IS NULL THEN error END, \
            attempts = requests.attempts + entry.attempts, \
            completed_at = CASE WHEN response IS NOT NULL THEN now() END, \
            lease_until = NULL \
        FROM unnest(${ids}::uuid[], ${responses}::text[], ${attempts}::int[], ${leases}::float8[]) \
            AS entry (id, response, attempts, lease) \
        WHERE requests.id = entry.id AND status = 'received' \
            AND (lease IS NULL OR lease_until = received_at + make_interval(secs => lease)) {unlocked} \
        RETURNING requests.id"
    )
}

/// The parameters: ids, responses, attempts and leases.
pub(super) fn columns(rows: &[EndRow]) -> Columns<'_> {
    let rows = rows.iter();
    rows.map(|row| (row.id, row.response.as_deref(), row.attempts, row.lease))
        .collect()
}

type Columns<'a> = (Vec<Uuid>, Vec<Option<&'a str>>, Vec<i32>, Vec<Option<f64>>);
