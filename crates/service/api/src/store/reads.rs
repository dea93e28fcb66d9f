//! What `/requests` and `/status` ask of Postgres: past the policy, over sessions of their own. A listing that takes long,
//! or a crowd of readers, neither opens the breaker of those who record nor takes their sessions. Only rows of the
//! resilient endpoint are seen.

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::BreakerState;
use holdfast_wire::{Degraded, JsonText, Request, RequestOrder, RequestStatus};
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_postgres::Row;
use uuid::Uuid;

use super::refused::RefusedRows;
use super::{DatabaseError, Session, Sessions, Store};
use crate::dependency::Dependency;
use crate::journal::JournalError;
use crate::open_work::OpenCount;

pub(super) const COLUMNS: &str =
    "id, status, worker_response::text AS response, attempts, error, received_at, completed_at";

const ENDED: &str = "SELECT id FROM requests WHERE origin = 'resilient' AND status = 'done' \
        AND coalesce(recorded_at, completed_at) > now() - make_interval(secs => $1) \
    UNION ALL SELECT id FROM requests WHERE origin = 'resilient' AND status IN ('failed', 'cancelled') \
        AND completed_at > now() - make_interval(secs => $1)";

/// Which requests a list holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Only these; all when absent.
    pub status: Option<RequestStatus>,
    /// Which come first.
    pub order: RequestOrder,
    /// So many.
    pub limit: u32,
}

/// The readers' view of the table. Clones share its sessions.
#[derive(Clone)]
pub(crate) struct ReadStore {
    dependency: Arc<Dependency>,
    pub(super) sessions: Sessions,
    pub(super) refused: RefusedRows,
    /// Time for one call.
    limit: Duration,
}

impl ReadStore {
    /// Reads over the sessions of `store`, which belongs to `dependency`; each call has `limit` at most.
    #[must_use]
    pub(crate) fn new(dependency: Arc<Dependency>, store: &Store, limit: Duration) -> Self {
        Self {
            dependency,
            sessions: store.sessions.clone(),
            refused: store.refused.clone(),
            limit,
        }
    }

    /// The request `id`, if there is one.
    ///
    /// # Errors
    /// When Postgres does not answer in time.
    pub(crate) async fn find(&self, id: Uuid) -> Result<Option<Request>, Degraded> {
        self.ask(find(&self.sessions, id)).await
    }

    /// Those of the requests `ids` that are there and can be read.
    ///
    /// # Errors
    /// When Postgres does not answer in time.
    pub(crate) async fn find_all(&self, ids: Vec<Uuid>) -> Result<Vec<Request>, Degraded> {
        self.ask(find_all(&self.sessions, &self.refused, ids)).await
    }

    /// How many requests are accepted and not finished; `None` if Postgres does not say so. Only while the breaker is
    /// closed: a database in trouble is left alone.
    pub(crate) async fn count_open(&self) -> Option<OpenCount> {
        match self.dependency.snapshot().breaker {
            BreakerState::Closed => self.ask(count_open(&self.sessions)).await.ok(),
            _ => None,
        }
    }

    /// Whether a call makes sense now: not while the breaker is open.
    #[must_use]
    pub(crate) fn may_call(&self) -> bool {
        self.dependency.may_call()
    }

    /// What is known of the database's absence, without asking it.
    #[must_use]
    pub(crate) fn unavailability(&self) -> Degraded {
        self.dependency.unavailability()
    }

    /// The same, where the journal that stands in for it cannot be read either.
    #[must_use]
    pub(crate) fn without_journal(&self, error: &JournalError) -> Degraded {
        Degraded {
            detail: format!("the database's stand-in cannot be read: {error}"),
            ..self.unavailability()
        }
    }

    /// The ids of requests whose end came within the last `since`: by index, whichever replica recorded it.
    ///
    /// # Errors
    /// When Postgres does not answer in time.
    pub(crate) async fn ended(&self, since: Duration) -> Result<Vec<Uuid>, Degraded> {
        self.ask(ended(&self.sessions, since)).await
    }

    pub(super) async fn ask<T>(
        &self,
        question: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, Degraded> {
        self.dependency
            .call_bypassing_policy(self.limit, question)
            .await
    }
}

async fn find(sessions: &Sessions, id: Uuid) -> Result<Option<Request>, DatabaseError> {
    let session = sessions.acquire().await?;
    let query = format!("SELECT {COLUMNS} FROM requests WHERE id = $1 AND origin = 'resilient'");
    let outcome = async {
        let statement = session.prepare_cached(&query).await?;
        let row = session.query_opt(&statement, &[&id]).await?;
        row.as_ref().map(request).transpose()
    }
    .await;
    session.finish(outcome)
}

async fn find_all(
    sessions: &Sessions,
    refused: &RefusedRows,
    ids: Vec<Uuid>,
) -> Result<Vec<Request>, DatabaseError> {
    let session = sessions.acquire().await?;
    let found = each_of(&session, refused, ids).await;
    session.finish(found)
}

/// Those of `ids` that can be read: damage to one hides no other.
pub(super) async fn each_of(
    session: &Session,
    refused: &RefusedRows,
    mut ids: Vec<Uuid>,
) -> Result<Vec<Request>, tokio_postgres::Error> {
    let query =
        format!("SELECT {COLUMNS} FROM requests WHERE id = ANY ($1) AND origin = 'resilient'");
    let statement = session.prepare_cached(&query).await?;
    let passed_over = refused.passed_over(Instant::now());
    ids.retain(|id| !passed_over.contains(id));
    let (mut halves, mut found) = (refused.halves(ids), vec![]);
    while let Some(part) = halves.next() {
        match session.query(&statement, &[&part]).await {
            Ok(rows) => {
                halves.done();
                let requests = rows.iter().map(request);
                found.extend(requests.collect::<Result<Vec<_>, _>>()?);
            }
            Err(error) => halves.refused(part, error)?,
        }
    }
    Ok(found)
}

async fn ended(sessions: &Sessions, since: Duration) -> Result<Vec<Uuid>, DatabaseError> {
    let session = sessions.acquire().await?;
    let outcome = async {
        let statement = session.prepare_cached(ENDED).await?;
        let rows = session.query(&statement, &[&since.as_secs_f64()]).await?;
        rows.iter().map(|row| row.try_get(0)).collect()
    }
    .await;
    session.finish(outcome)
}

pub(super) async fn count_open(sessions: &Sessions) -> Result<OpenCount, DatabaseError> {
    let session = sessions.acquire().await?;
    let open = condition(RequestStatus::Received);
    let query = format!(
        "SELECT count(*), extract(epoch FROM now() - min(received_at))::float8 FROM requests WHERE {open}"
    );
    let outcome = async {
        let statement = session.prepare_cached(&query).await?;
        let row = session.query_one(&statement, &[]).await?;
        let age: Option<f64> = row.try_get(1)?;
        Ok(OpenCount {
            count: row.try_get::<_, i64>(0)?.unsigned_abs(),
            oldest: age.map(|age| Duration::try_from_secs_f64(age).unwrap_or_default()),
        })
    }
    .await;
    session.finish(outcome)
}

/// Written into the statement, not passed as a parameter: only then can Postgres use the partial indexes.
pub(super) fn condition(status: RequestStatus) -> String {
    format!("origin = 'resilient' AND status = '{}'", status.as_str())
}

pub(super) fn request(row: &Row) -> Result<Request, tokio_postgres::Error> {
    let status: &str = row.try_get("status")?;
    let response: Option<String> = row.try_get("response")?;
    let attempts: i32 = row.try_get("attempts")?;
    let received_at: Timestamp = row.try_get("received_at")?;
    let named = |it: &RequestStatus| it.as_str() == status;
    Ok(Request {
        request_id: row.try_get("id")?,
        // The table's own check admits no other value.
        status: RequestStatus::ALL
            .into_iter()
            .find(named)
            .unwrap_or(RequestStatus::Received),
        // The column's type admits nothing but JSON.
        worker_response: response.and_then(|text| JsonText::parse(text).ok()),
        attempts: attempts.unsigned_abs(),
        error: row.try_get("error")?,
        received_at,
        completed_at: row.try_get("completed_at")?,
    })
}
