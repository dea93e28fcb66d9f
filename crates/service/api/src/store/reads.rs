//! What `/requests` and `/status` ask of Postgres: past the policy, over sessions of their own. A listing that takes long,
//! or a crowd of readers, neither opens the breaker of those who record nor takes their sessions. Only rows of the
//! resilient endpoint are seen.

use std::sync::Arc;
use std::time::Duration;

use holdfast_policy::BreakerState;
use holdfast_wire::{Degraded, JsonText, Request, RequestList, RequestOrder, RequestStatus};
use jiff::Timestamp;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::DatabaseError;
use super::{Sessions, Store};
use crate::dependency::Dependency;
use crate::journal::JournalError;
use crate::open_work::OpenCount;

pub(super) const COLUMNS: &str =
    "id, status, worker_response::text AS response, attempts, error, received_at, completed_at";

const ENDED: &str = "SELECT id FROM requests WHERE origin = 'resilient' AND status = 'done' \
        AND coalesce(recorded_at, completed_at) > now() - make_interval(secs => $1) \
    UNION ALL SELECT id FROM requests WHERE origin = 'resilient' AND status IN ('failed', 'cancelled') \
        AND completed_at > now() - make_interval(secs => $1)";

const MAX_COUNTED: u32 = 1_000_000;

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

    /// Those of the requests `ids` that are there.
    ///
    /// # Errors
    /// When Postgres does not answer in time.
    pub(crate) async fn find_all(&self, ids: Vec<Uuid>) -> Result<Vec<Request>, Degraded> {
        self.ask(find_all(&self.sessions, ids)).await
    }

    /// The first requests that match, and how many match in all.
    ///
    /// # Errors
    /// When Postgres does not answer in time.
    pub(crate) async fn list(&self, filter: Filter) -> Result<RequestList, Degraded> {
        self.ask(list(&self.sessions, filter)).await
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

async fn find_all(sessions: &Sessions, ids: Vec<Uuid>) -> Result<Vec<Request>, DatabaseError> {
    let session = sessions.acquire().await?;
    let query =
        format!("SELECT {COLUMNS} FROM requests WHERE id = ANY ($1) AND origin = 'resilient'");
    let outcome = async {
        let statement = session.prepare_cached(&query).await?;
        let rows = session.query(&statement, &[&ids]).await?;
        rows.iter().map(request).collect()
    }
    .await;
    session.finish(outcome)
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

async fn list(sessions: &Sessions, filter: Filter) -> Result<RequestList, DatabaseError> {
    let session = sessions.acquire().await?;
    let outcome = async {
        let count = session.prepare_cached(&count(filter.status)).await?;
        let page = session.prepare_cached(&page(filter)).await?;
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

/// The first of each status by its own index, then the first of these: rows of the naive endpoint, however many, are
/// never walked over. An index serves both orders.
fn page(filter: Filter) -> String {
    let order = match filter.order {
        RequestOrder::Newest => "DESC",
        RequestOrder::Oldest => "ASC",
    };
    let first = |status| {
        let matches = condition(status);
        format!("(SELECT {COLUMNS} FROM requests WHERE {matches} ORDER BY id {order} LIMIT $1)")
    };
    match filter.status {
        Some(status) => first(status),
        None => {
            let each = RequestStatus::ALL.map(first).join(" UNION ALL ");
            format!("SELECT * FROM ({each}) AS first ORDER BY id {order} LIMIT $1")
        }
    }
}

/// How many match, each status by its own index. Of the done ones a million at most: a listing must not take longer the
/// longer the service runs.
fn count(status: Option<RequestStatus>) -> String {
    let of = |status| {
        let matches = condition(status);
        match status {
            RequestStatus::Done => format!(
                "(SELECT count(*) FROM (SELECT FROM requests WHERE {matches} LIMIT {MAX_COUNTED}) AS counted)"
            ),
            _ => format!("(SELECT count(*) FROM requests WHERE {matches})"),
        }
    };
    let counts = match status {
        Some(status) => of(status),
        None => RequestStatus::ALL.map(of).join(" + "),
    };
    format!("SELECT {counts}")
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
