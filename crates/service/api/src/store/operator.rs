//! What operators do to requests, over the readers' sessions: rare, and never in the way of live calls.
//!
//! Each change is one statement that touches the row only as it must be found, so of a cancel and whatever else ends a
//! request one happens. An order to bring back all that failed is a row of `requeue_orders`, not of this process: whichever
//! replica is alive carries it out, all of them together at one pace.

use holdfast_wire::{Degraded, Request, RequestStatus};
use jiff::Timestamp;
use serde_json::value::RawValue;
use tokio::time::Instant;
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use super::reads::{COLUMNS, ReadStore, condition, request};
use super::refused::{ALL_BUT, NONE_BUT, RefusedRows, is_about_a_row};
use super::{DatabaseError, Session, Sessions};
use crate::journal::{Entry, JournalError};

/// Owed again, as if it had just been received: its failures so far no longer count.
const OWED_AGAIN: &str = "status = 'received', attempts = 0, error = NULL, completed_at = NULL, recorded_at = NULL, \
    lease_until = NULL";
/// Not failed: what its work failed by so far no longer says anything about how it ended.
const GIVEN_UP: &str =
    "status = 'cancelled', error = NULL, completed_at = now(), lease_until = NULL";
const ORDER: &str = "WITH ordered AS ( \
        INSERT INTO requeue_orders (status, ordered_at, moved_at) VALUES ('failed', now(), now()) \
        ON CONFLICT (status) DO UPDATE SET ordered_at = now() \
    ) SELECT count(*) FROM requests WHERE origin = 'resilient' AND status = 'failed'";
const END_ORDER: &str = "DELETE FROM requeue_orders WHERE status = 'failed' AND ordered_at = $1 AND NOT EXISTS ( \
    SELECT FROM requests WHERE origin = 'resilient' AND status = 'failed' AND completed_at <= $1 AND id <> ALL ($2))";

/// The operator's view of the table. Clones share its sessions.
#[derive(Clone)]
pub(crate) struct OperatorStore(ReadStore);

/// What became of a change.
#[derive(Debug)]
pub(crate) enum Change {
    /// It was made.
    Made(Request),
    /// The request is not as it must be for that.
    Refused(Request),
    /// There is no such request.
    Absent,
}

/// What one step of an order came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    /// How many requests are owed again.
    pub count: u64,
    /// Which order it was.
    pub ordered_at: Timestamp,
}

impl OperatorStore {
    /// Over the sessions of these readers.
    #[must_use]
    pub(crate) fn new(reads: ReadStore) -> Self {
        Self(reads)
    }

    /// Whether a call makes sense now.
    #[must_use]
    pub(crate) fn may_call(&self) -> bool {
        self.0.may_call()
    }

    /// What is known of Postgres' absence where the journal cannot be read either.
    #[must_use]
    pub(crate) fn unread(&self, error: &JournalError) -> Degraded {
        self.0.without_journal(error)
    }

    /// A failed or cancelled request is owed again.
    ///
    /// # Errors
    /// When Postgres does not answer in time; so do all below.
    pub(crate) async fn retry(&self, id: Uuid) -> Result<Change, Degraded> {
        let retry = format!(
            "UPDATE requests SET {OWED_AGAIN} \
            WHERE id = $1 AND origin = 'resilient' AND status IN ('failed', 'cancelled') RETURNING {COLUMNS}"
        );
        self.change(&retry, id, &[&id]).await
    }

    /// An open request is given up. A call or a replica that is at work on it finds no open row to record in.
    pub(crate) async fn cancel(&self, id: Uuid) -> Result<Change, Degraded> {
        let cancel = format!(
            "UPDATE requests SET {GIVEN_UP} \
            WHERE id = $1 AND origin = 'resilient' AND status = 'received' RETURNING {COLUMNS}"
        );
        self.change(&cancel, id, &[&id]).await
    }

    /// The same for one that so far is in the journal only: the row says so before the entry comes, which then adds nothing.
    pub(crate) async fn cancel_entry(&self, entry: &Entry) -> Result<Change, Degraded> {
        let cancel = format!(
            "WITH keyed AS ( \
                INSERT INTO idempotency_keys (key, request_id) SELECT $2, $1 WHERE $2::text IS NOT NULL \
                ON CONFLICT (key) DO NOTHING \
            ) \
            INSERT INTO requests (id, origin, payload, received_at, status, completed_at) \
            VALUES ($1, 'resilient', $3::text::json, $4, 'cancelled', now()) \
            ON CONFLICT (id) DO UPDATE SET {GIVEN_UP} WHERE requests.status = 'received' RETURNING {COLUMNS}"
        );
        let payload = entry.payload.as_deref().map(RawValue::get);
        let parameters: [&(dyn ToSql + Sync); 4] =
            [&entry.id, &entry.key, &payload, &entry.received_at];
        self.change(&cancel, entry.id, &parameters).await
    }

    /// Orders that all that has failed by now be owed again; returns how many that are.
    pub(crate) async fn order_requeue(&self) -> Result<u64, Degraded> {
        let order = async || {
            let session = self.0.sessions.acquire().await?;
            let outcome = async {
                let statement = session.prepare_cached(ORDER).await?;
                let count: i64 = session.query_one(&statement, &[]).await?.try_get(0)?;
                Ok(count.unsigned_abs())
            }
            .await;
            session.finish(outcome)
        };
        self.0.ask(order()).await
    }

    /// Takes the next step of an order, at most `per_second` and never more than a quarter of a second's worth at once;
    /// `None` if there is none, it is too early, or another replica is at it. What Postgres refuses stays failed.
    pub(crate) async fn requeue(&self, per_second: f64) -> Result<Option<Moved>, Degraded> {
        let (sessions, refused) = (&self.0.sessions, &self.0.refused);
        self.0.ask(requeue(sessions, refused, per_second)).await
    }

    /// Ends the order `ordered_at` if nothing is left of it but what Postgres refuses.
    pub(crate) async fn end_requeue(&self, ordered_at: Timestamp) -> Result<(), Degraded> {
        let end = async || {
            let session = self.0.sessions.acquire().await?;
            let passed_over = self.0.refused.passed_over(Instant::now());
            let outcome = async {
                let statement = session.prepare_cached(END_ORDER).await?;
                session
                    .execute(&statement, &[&ordered_at, &passed_over])
                    .await
            }
            .await;
            session.finish(outcome).map(drop)
        };
        self.0.ask(end()).await
    }

    async fn change(
        &self,
        statement: &str,
        id: Uuid,
        parameters: &[&(dyn ToSql + Sync)],
    ) -> Result<Change, Degraded> {
        let changed = change(&self.0.sessions, statement, parameters);
        if let Some(request) = self.0.ask(changed).await? {
            return Ok(Change::Made(request));
        }
        let found = self.0.find(id).await?;
        Ok(found.map_or(Change::Absent, Change::Refused))
    }
}

async fn change(
    sessions: &Sessions,
    statement: &str,
    parameters: &[&(dyn ToSql + Sync)],
) -> Result<Option<Request>, DatabaseError> {
    let session = sessions.acquire().await?;
    let outcome = async {
        let statement = session.prepare_cached(statement).await?;
        let row = session.query_opt(&statement, parameters).await?;
        row.as_ref().map(request).transpose()
    }
    .await;
    session.finish(outcome)
}

async fn requeue(
    sessions: &Sessions,
    refused: &RefusedRows,
    per_second: f64,
) -> Result<Option<Moved>, DatabaseError> {
    let session = sessions.acquire().await?;
    let outcome = async {
        let passed_over = refused.passed_over(Instant::now());
        match step(&session, per_second, ALL_BUT, &passed_over).await {
            Err(error) if is_about_a_row(&error) => {}
            moved => return moved,
        }
        let candidates = candidates(&session, per_second, &passed_over).await?;
        let mut halves = refused.halves(candidates);
        while let Some(part) = halves.next() {
            match step(&session, per_second, NONE_BUT, &part).await {
                // The pace has been taken for the whole step: the other parts come with the next ones.
                Ok(moved) => return Ok(moved),
                Err(error) => halves.refused(part, error)?,
            }
        }
        Ok(None)
    }
    .await;
    session.finish(outcome)
}

fn most_at_once(per_second: f64) -> f64 {
    (1.0 / per_second).max(0.25)
}

/// Those that failed first come first, so that what fails again is not walked over; by the index of what was given up.
async fn step(
    session: &Session,
    per_second: f64,
    which: &str,
    ids: &[Uuid],
) -> Result<Option<Moved>, tokio_postgres::Error> {
    let failed = condition(RequestStatus::Failed);
    // A row that is skipped because somebody has it is another replica's step.
    let step = format!(
        "WITH due AS MATERIALIZED ( \
            SELECT ordered_at, greatest(moved_at, now() - make_interval(secs => $2)) AS base, \
                floor(extract(epoch FROM least(now() - moved_at, make_interval(secs => $2)))::float8 * $1) AS quota \
            FROM requeue_orders WHERE extract(epoch FROM now() - moved_at)::float8 * $1 >= 1 FOR UPDATE SKIP LOCKED \
        ), moved AS ( \
            UPDATE requests SET {OWED_AGAIN} WHERE id = ANY (ARRAY ( \
                SELECT id FROM requests WHERE {failed} AND completed_at <= (SELECT ordered_at FROM due) AND id {which} ($3::uuid[]) \
                ORDER BY completed_at LIMIT (SELECT quota::bigint FROM due) FOR UPDATE SKIP LOCKED)) \
            RETURNING id \
        ), paced AS ( \
            UPDATE requeue_orders SET moved_at = base + make_interval(secs => quota / $1) FROM due \
            WHERE requeue_orders.ordered_at = due.ordered_at \
        ) SELECT ordered_at, (SELECT count(*) FROM moved) FROM due"
    );
    let statement = session.prepare_cached(&step).await?;
    let most_at_once = most_at_once(per_second);
    let parameters: [&(dyn ToSql + Sync); 3] = [&per_second, &most_at_once, &ids];
    let row = session.query_opt(&statement, &parameters).await?;
    row.map(|row| {
        Ok(Moved {
            ordered_at: row.try_get(0)?,
            count: row.try_get::<_, i64>(1)?.unsigned_abs(),
        })
    })
    .transpose()
}

/// What a step would have moved.
async fn candidates(
    session: &Session,
    per_second: f64,
    passed_over: &[Uuid],
) -> Result<Vec<Uuid>, tokio_postgres::Error> {
    let failed = condition(RequestStatus::Failed);
    let candidates = format!(
        "SELECT id FROM requests WHERE {failed} AND id <> ALL ($2::uuid[]) \
            AND completed_at <= (SELECT ordered_at FROM requeue_orders WHERE status = 'failed') \
        ORDER BY completed_at LIMIT ceil($1::float8)::bigint"
    );
    let statement = session.prepare_cached(&candidates).await?;
    let most = per_second * most_at_once(per_second);
    let rows = session.query(&statement, &[&most, &passed_over]).await?;
    rows.iter().map(|row| row.try_get(0)).collect()
}
