//! How far requests are that are there already.

use std::collections::HashMap;

use holdfast_wire::JsonText;
use jiff::Timestamp;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::process::{ExistingRequest, RequestState, WorkResult};
use crate::store::Session;

/// What a commit that is waited for shows: whatever is read beside it has reached the standbys that a synchronous commit
/// waits for, also where the commit that wrote it was cut short in that wait.
pub(super) const CONFIRMED: &str =
    "WITH confirmed AS MATERIALIZED (SELECT pg_logical_emit_message(true, 'holdfast', ''))";

pub(super) const COLUMNS: &str = "id, status, worker_response::text AS response, attempts, completed_at, error, lease_until > now() AS held";

/// The requests of these ids that are there.
pub(in crate::store) async fn by_ids(
    session: &Session,
    ids: &[Uuid],
) -> Result<HashMap<Uuid, ExistingRequest>, tokio_postgres::Error> {
    let statement = format!(
        "{CONFIRMED} SELECT {COLUMNS}, true AS same_body FROM confirmed, requests WHERE id = ANY ($1)"
    );
    let statement = session.prepare_cached(&statement).await?;
    let rows = session.query(&statement, &[&ids]).await?;
    rows.iter()
        .map(|row| read(row).map(|existing| (existing.id, existing)))
        .collect()
}

pub(super) fn read(row: &Row) -> Result<ExistingRequest, tokio_postgres::Error> {
    let status: &str = row.try_get("status")?;
    let response: Option<String> = row.try_get("response")?;
    let error: Option<String> = row.try_get("error")?;
    let attempts: i32 = row.try_get("attempts")?;
    let completed_at: Option<Timestamp> = row.try_get("completed_at")?;
    let held: Option<bool> = row.try_get("held")?;
    // The column's type admits nothing but JSON.
    let response = response.and_then(|text| JsonText::parse(text).ok());
    Ok(ExistingRequest {
        id: row.try_get("id")?,
        same_body: row.try_get("same_body")?,
        state: match (status, completed_at) {
            ("done", Some(completed_at)) => RequestState::Done(WorkResult {
                response: response.unwrap_or_else(JsonText::null),
                completed_at,
                attempts: attempts.unsigned_abs(),
            }),
            ("failed", _) => RequestState::Failed(error.unwrap_or_default()),
            ("cancelled", _) => RequestState::Cancelled,
            _ if held == Some(true) => RequestState::Running,
            _ => RequestState::Waiting,
        },
    })
}
