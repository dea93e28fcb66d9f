//! What `/requests` and `/status` ask of Postgres. Only rows of the resilient endpoint are seen.

use holdfast_wire::{Request, RequestList, RequestStatus};
use jiff::Timestamp;
use serde_json::Value;
use tokio_postgres::Row;
use tokio_postgres::types::{Json, ToSql};
use uuid::Uuid;

use super::DatabaseError;
use super::Store;

const COLUMNS: &str = "id, status, worker_response, attempts, error, received_at, completed_at";

const MOST_COUNTED: u32 = 1_000_000;

/// Which requests a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Only these; all when absent.
    pub status: Option<RequestStatus>,
    /// The newest so many.
    pub limit: u32,
}

impl Store {
    /// The request `id`, if there is one.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn find(&self, id: Uuid) -> Result<Option<Request>, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let query =
            format!("SELECT {COLUMNS} FROM requests WHERE id = $1 AND origin = 'resilient'");
        let outcome = async {
            let statement = session.prepare_cached(&query).await?;
            let row = session.query_opt(&statement, &[&id]).await?;
            row.as_ref().map(request).transpose()
        }
        .await;
        session.finish(outcome)
    }

    /// The newest requests that match, and how many match in all.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn list(&self, filter: Filter) -> Result<RequestList, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let matches = condition(filter.status);
        let count = count(filter.status);
        let page =
            format!("SELECT {COLUMNS} FROM requests WHERE {matches} ORDER BY id DESC LIMIT $1");
        let outcome = async {
            let count = session.prepare_cached(&count).await?;
            let page = session.prepare_cached(&page).await?;
            let limit = i64::from(filter.limit);
            let limits: [&(dyn ToSql + Sync); 1] = [&limit];
            let (total, rows) = tokio::try_join!(
                session.query_one(&count, &[]),
                session.query(&page, &limits),
            )?;
            let requests = rows.iter().map(request).collect::<Result<_, _>>()?;
            Ok(RequestList {
                total: total.try_get::<_, i64>(0)?.unsigned_abs(),
                requests,
            })
        }
        .await;
        session.finish(outcome)
    }

    /// How many requests are accepted and not finished.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn count_open(&self) -> Result<u64, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let open = condition(Some(RequestStatus::Received));
        let query = format!("SELECT count(*) FROM requests WHERE {open}");
        let outcome = async {
            let statement = session.prepare_cached(&query).await?;
            session
                .query_one(&statement, &[])
                .await?
                .try_get::<_, i64>(0)
        }
        .await;
        session.finish(outcome).map(i64::unsigned_abs)
    }
}

/// How many match, each status by its own index. Of the done ones a million at most: a listing must not take longer the
/// longer the service runs.
fn count(status: Option<RequestStatus>) -> String {
    const DONE: RequestStatus = RequestStatus::Done;
    let of = |status| match status {
        DONE => format!(
            "(SELECT count(*) FROM (SELECT FROM requests WHERE {} LIMIT {MOST_COUNTED}) AS counted)",
            condition(Some(DONE))
        ),
        other => format!(
            "(SELECT count(*) FROM requests WHERE {})",
            condition(Some(other))
        ),
    };
    let all = [RequestStatus::Received, DONE, RequestStatus::Failed];
    let counts = match status {
        Some(status) => of(status),
        None => all.map(of).join(" + "),
    };
    format!("SELECT {counts}")
}

/// Written into the statement, not passed as a parameter: only then can Postgres use the partial index on open work.
fn condition(status: Option<RequestStatus>) -> String {
    match status {
        Some(status) => format!("origin = 'resilient' AND status = '{}'", status.as_str()),
        None => "origin = 'resilient'".to_owned(),
    }
}

fn request(row: &Row) -> Result<Request, tokio_postgres::Error> {
    let status: &str = row.try_get("status")?;
    let response: Option<Json<Value>> = row.try_get("worker_response")?;
    let attempts: i32 = row.try_get("attempts")?;
    let received_at: Timestamp = row.try_get("received_at")?;
    Ok(Request {
        request_id: row.try_get("id")?,
        // The table's own check admits no other value.
        status: match status {
            "done" => RequestStatus::Done,
            "failed" => RequestStatus::Failed,
            _ => RequestStatus::Received,
        },
        worker_response: response.map(|Json(value)| value),
        attempts: attempts.unsigned_abs(),
        error: row.try_get("error")?,
        received_at,
        completed_at: row.try_get("completed_at")?,
    })
}
