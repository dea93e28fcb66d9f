//! Journal entries on their way into the table: one transaction for a whole batch, harmless when repeated.
//!
//! An entry may be in the table already: an insert that timed out may have been committed after all. Then only its end is
//! added. Where two ends of one request meet, the earlier by the recorded times stands, and a result replaces any other end:
//! it may have been told to a client. The other end is kept beside it. Its key goes to whoever was committed first.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{Attribution, DatabaseError, Store};
use crate::journal::Entry;

/// In the order of their ids, so that two replicas do not wait for each other; then the next statement sees what became of
/// them. Whoever holds one of them for longer than this is not waited for: the entry is, later.
const LOCK: &str = "SELECT FROM requests WHERE id = ANY ($1) ORDER BY id FOR UPDATE";
const REPLAY: &str = "WITH entry AS MATERIALIZED ( \
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::int[], $7::timestamptz[]) \
        AS entry (id, key, payload, received_at, response, attempts, ended_at) \
    ), keyed AS ( \
        INSERT INTO idempotency_keys (key, request_id) SELECT key, id FROM entry WHERE key IS NOT NULL \
        ON CONFLICT (key) DO NOTHING \
    ), met AS MATERIALIZED ( \
        SELECT requests.*, entry.response::json AS response, ended_at, \
            status <> 'done' OR ended_at < completed_at AS replaced \
        FROM entry JOIN requests USING (id) \
        WHERE ended_at IS NOT NULL AND status <> 'received' \
            AND (status <> 'done' OR worker_response::text IS DISTINCT FROM entry.response) \
    ), conflict AS ( \
        INSERT INTO result_conflicts (request_id, kept, kept_at, other, other_error, other_at) \
        SELECT id, CASE WHEN replaced THEN response ELSE worker_response END, \
            CASE WHEN replaced THEN ended_at ELSE completed_at END, \
            CASE WHEN replaced THEN worker_response ELSE response END, \
            CASE WHEN replaced THEN error END, \
            CASE WHEN replaced THEN completed_at ELSE ended_at END \
        FROM met ON CONFLICT (request_id, other_at) DO NOTHING RETURNING request_id \
    ), recorded AS ( \
        INSERT INTO requests (id, origin, payload, status, worker_response, attempts, received_at, completed_at, recorded_at) \
        SELECT id, 'resilient', payload::json, CASE WHEN ended_at IS NULL THEN 'received' ELSE 'done' END, \
            response::json, coalesce(attempts, 0), received_at, ended_at, CASE WHEN ended_at IS NOT NULL THEN now() END \
        FROM entry \
        ON CONFLICT (id) DO UPDATE SET status = 'done', worker_response = EXCLUDED.worker_response, error = NULL, \
            attempts = CASE WHEN requests.status = 'received' THEN requests.attempts ELSE 0 END + EXCLUDED.attempts, \
            completed_at = EXCLUDED.completed_at, recorded_at = now(), lease_until = NULL \
        WHERE EXCLUDED.status = 'done' AND (requests.status <> 'done' OR ( \
            EXCLUDED.completed_at < requests.completed_at \
            AND EXCLUDED.worker_response::text IS DISTINCT FROM requests.worker_response::text)) \
    ) \
    SELECT request_id FROM conflict";
/// Without what may have been the reason.
const REFUSE: &str = "WITH keyed AS ( \
        INSERT INTO idempotency_keys (key, request_id) SELECT $4, $1 WHERE $4::text IS NOT NULL \
        ON CONFLICT (key) DO NOTHING \
    ) \
    INSERT INTO requests (id, origin, status, error, received_at, completed_at) \
    VALUES ($1, 'resilient', 'failed', $2, $3, now()) \
    ON CONFLICT (id) DO UPDATE SET status = 'failed', error = EXCLUDED.error, completed_at = now(), lease_until = NULL \
    WHERE requests.status = 'received'";

impl Store {
    /// Records all of `entries`, or none; waits for nobody's lock longer than `lock_limit`. Returns those whose end met
    /// another one.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn replay(
        &self,
        entries: &[Entry],
        lock_limit: Duration,
    ) -> Result<Vec<Uuid>, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let columns = Columns::of(entries);
        let begin = format!(
            "BEGIN; SET LOCAL lock_timeout = {}",
            lock_limit.as_millis().max(1)
        );
        let outcome: Result<Vec<Uuid>, tokio_postgres::Error> = async {
            // Before it begins: where a pooler stands between, asking for parameters' types takes a transaction of its own.
            let lock = session.prepare_cached(LOCK).await?;
            let replay = session.prepare_cached(REPLAY).await?;
            session.batch_execute(&begin).await?;
            session.execute(&lock, &[&columns.ids]).await?;
            let Columns {
                ids,
                keys,
                payloads,
                received,
                responses,
                attempts,
                ended,
            } = &columns;
            let rows = session
                .query(
                    &replay,
                    &[ids, keys, payloads, received, responses, attempts, ended],
                )
                .await?;
            session.batch_execute("COMMIT").await?;
            rows.iter().map(|row| row.try_get(0)).collect()
        }
        .await;
        if outcome.is_err() {
            // What is left open goes with the session, where this does not end it.
            let _ = session.batch_execute("ROLLBACK").await;
        }
        session.finish(outcome)
    }

    /// Records that the database refuses `entry` for good: as failed, with `error`.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn refuse(&self, entry: &Entry, error: &str) -> Result<(), DatabaseError> {
        let session = self.sessions.acquire().await?;
        let outcome = async {
            let statement = session.prepare_cached(REFUSE).await?;
            session
                .execute(
                    &statement,
                    &[&entry.id, &error, &entry.received_at, &entry.key],
                )
                .await
        }
        .await;
        session.finish(outcome).map(drop)
    }
}

/// What became of journal entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replayed {
    /// They are recorded; the ends of these met another one.
    Recorded {
        /// Their ids.
        conflicts: Vec<Uuid>,
    },
    /// None is recorded: Postgres is well and refuses one of them.
    Refused(Refusal),
}

/// Why Postgres refuses an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What it said, safe to show.
    pub error: String,
    /// What it is about.
    pub kind: RefusalKind,
}

/// What a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The data: no other answer is to be expected.
    Data,
    /// A lock that somebody holds.
    Lock,
    /// Anything else: rights, the schema, damage. Somebody may mend it.
    Other,
}

impl Replayed {
    /// A refusal is an answer of a database that is well.
    pub(super) fn answered(
        result: Result<Vec<Uuid>, DatabaseError>,
    ) -> Result<Self, DatabaseError> {
        let error = match result {
            Ok(conflicts) => return Ok(Self::Recorded { conflicts }),
            Err(error) => error,
        };
        let DatabaseError::Refused { sqlstate, source } = &error else {
            return Err(error);
        };
        let kind = match Attribution::of(source) {
            Attribution::Server => return Err(error),
            Attribution::Lock => RefusalKind::Lock,
            Attribution::Row if matches!(sqlstate.get(..2), Some("22" | "23" | "54" | "P0")) => {
                RefusalKind::Data
            }
            Attribution::Row | Attribution::Schema => RefusalKind::Other,
        };
        let error = format!("the database refused the statement ({sqlstate})");
        Ok(Self::Refused(Refusal { error, kind }))
    }
}

/// Entries as the arrays of the statement.
struct Columns<'a> {
    ids: Vec<Uuid>,
    keys: Vec<Option<&'a str>>,
    payloads: Vec<Option<&'a str>>,
    received: Vec<Timestamp>,
    responses: Vec<Option<&'a str>>,
    attempts: Vec<Option<i32>>,
    ended: Vec<Option<Timestamp>>,
}

impl<'a> Columns<'a> {
    fn of(entries: &'a [Entry]) -> Self {
        let ends = || entries.iter().map(|entry| entry.end.as_ref());
        let payload = |entry: &'a Entry| entry.payload.as_deref().map(RawValue::get);
        Self {
            ids: entries.iter().map(|entry| entry.id).collect(),
            keys: entries.iter().map(|entry| entry.key.as_deref()).collect(),
            payloads: entries.iter().map(payload).collect(),
            received: entries.iter().map(|entry| entry.received_at).collect(),
            responses: ends()
                .map(|end| end.map(|end| end.response.get()))
                .collect(),
            attempts: ends()
                .map(|end| end.map(|end| i32::try_from(end.attempts).unwrap_or(i32::MAX)))
                .collect(),
            ended: ends().map(|end| end.map(|end| end.completed_at)).collect(),
        }
    }
}
