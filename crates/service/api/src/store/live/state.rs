//! How far requests are that are there already.

use std::collections::HashMap;

use holdfast_wire::JsonText;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::process::{ExistingRequest, RequestState};
use crate::store::Session;

/// What a commit that is waited for shows: whatever is read beside it has reached the standbys that a synchronous commit
/// waits for, also where the commit that wrote it was cut short in that wait.
pub(super) const CONFIRMED: &str =
    "WITH confirmed AS MATERIALIZED (SELECT pg_logical_emit_message(true, 'holdfast', ''))";

pub(super) const COLUMNS: &str =
    "id, status, worker_response::text AS response, error, lease_until > now() AS held";

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
    let held: Option<bool> = row.try_get("held")?;
    // The column's type admits nothing but JSON.
    let response = response.and_then(|text| JsonText::parse(text).ok());
    Ok(ExistingRequest {
        id: row.try_get("id")?,
        same_body: row.try_get("same_body")?,
        state: match (status, response) {
            ("done", response) => RequestState::Done(response.unwrap_or_else(JsonText::null)),
            ("failed", _) => RequestState::Failed(error.unwrap_or_default()),
            ("cancelled", _) => RequestState::Cancelled,
            _ if held == Some(true) => RequestState::Running,
            _ => RequestState::Waiting,
        },
    })
}
