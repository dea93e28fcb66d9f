//! Lists of requests, and how many there are.

use holdfast_wire::{Degraded, RequestList, RequestOrder, RequestStatus};
use tokio_postgres::types::ToSql;

use super::reads::{COLUMNS, Filter, ReadStore, condition, each_of, request};
use super::refused::{RefusedRows, is_about_a_row};
use super::{DatabaseError, Sessions};

const MAX_COUNTED: u32 = 1_000_000;

impl ReadStore {
    /// The first requests that match, and how many match in all.
    ///
    /// # Errors
    /// When Postgres does not answer in time.
    pub(crate) async fn list(&self, filter: Filter) -> Result<RequestList, Degraded> {
        self.ask(list(&self.sessions, &self.refused, filter)).await
    }
}

async fn list(
    sessions: &Sessions,
    refused: &RefusedRows,
    filter: Filter,
) -> Result<RequestList, DatabaseError> {
    let session = sessions.acquire().await?;
    let outcome = async {
        let count = session.prepare_cached(&count(filter.status)).await?;
        let whole = session.prepare_cached(&page(filter, COLUMNS)).await?;
        let limit = i64::from(filter.limit);
        let limits: [&(dyn ToSql + Sync); 1] = [&limit];
        let (total, rows) = tokio::join!(
            session.query_one(&count, &[]),
            session.query(&whole, &limits),
        );
        let requests = match rows {
            Err(error) if is_about_a_row(&error) => {
                let ids = session.prepare_cached(&page(filter, "id")).await?;
                let ids = session.query(&ids, &limits).await?;
                let ids = ids.iter().map(|row| row.try_get(0));
                each_of(&session, refused, ids.collect::<Result<_, _>>()?).await?
            }
            rows => rows?.iter().map(request).collect::<Result<_, _>>()?,
        };
        Ok(RequestList {
            total: total?.try_get::<_, i64>(0)?.unsigned_abs(),
            requests,
        })
    }
    .await;
    session.finish(outcome)
}

/// The first of each status by its own index, then the first of these: rows of the naive endpoint, however many, are
/// never walked over. An index serves both orders.
fn page(filter: Filter, columns: &str) -> String {
    let order = match filter.order {
        RequestOrder::Newest => "DESC",
        RequestOrder::Oldest => "ASC",
    };
    let first = |status| {
        let matches = condition(status);
        format!("(SELECT {columns} FROM requests WHERE {matches} ORDER BY id {order} LIMIT $1)")
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
