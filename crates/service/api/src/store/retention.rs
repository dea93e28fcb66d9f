//! Letting go of what has been kept long enough: done requests, and with them the keys that stand for them.
//!
//! Open and failed requests stay, and their keys: the first are owed, the second wait for an operator. In portions,
//! because each must end within the session's statement timeout. What a journal brought is kept from when it came, not from
//! when a replica's clock says it was done.

use std::time::Duration;

use jiff::Timestamp;

use super::DatabaseError;
use super::Store;

/// One statement: a key never stands for a request that is gone. `= ANY (ARRAY (…))`, not `IN (…)`: each row is found by
/// its index, however large the table. From where the last portion ended: what was deleted there may still lie in the index.
const FORGET: &str = "WITH gone AS ( \
        DELETE FROM requests WHERE id = ANY (ARRAY ( \
            SELECT id FROM requests \
            WHERE origin = 'resilient' AND status = 'done' \
                AND coalesce(recorded_at, completed_at) < now() - make_interval(secs => $1) \
                AND coalesce(recorded_at, completed_at) >= coalesce($3::timestamptz, '-infinity') \
            ORDER BY coalesce(recorded_at, completed_at) LIMIT $2 FOR UPDATE SKIP LOCKED \
        )) RETURNING id, coalesce(recorded_at, completed_at) AS since \
    ), keys AS ( \
        DELETE FROM idempotency_keys WHERE request_id = ANY (ARRAY (SELECT id FROM gone)) \
    ), conflicts AS ( \
        DELETE FROM result_conflicts WHERE request_id = ANY (ARRAY (SELECT id FROM gone)) \
    ) \
    SELECT count(*), max(since) FROM gone";
const OLDEST: &str = "SELECT extract(epoch FROM now() - coalesce(recorded_at, completed_at))::float8 FROM requests \
    WHERE origin = 'resilient' AND status = 'done' AND coalesce(recorded_at, completed_at) >= coalesce($1::timestamptz, '-infinity') \
    ORDER BY coalesce(recorded_at, completed_at) LIMIT 1";

/// A portion that was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// How many requests.
    pub rows: u64,
    /// Since when the newest of them was kept; there is nothing older but what somebody had locked.
    pub up_to: Option<Timestamp>,
}

impl Store {
    /// Deletes requests that are done and kept for longer than `keep`, the oldest from `from` on, `portion` at most.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn forget(
        &self,
        keep: Duration,
        portion: u32,
        from: Option<Timestamp>,
    ) -> Result<Forgotten, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let (keep, portion) = (keep.as_secs_f64(), i64::from(portion));
        let outcome = async {
            let statement = session.prepare_cached(FORGET).await?;
            let row = session
                .query_one(&statement, &[&keep, &portion, &from])
                .await?;
            Ok(Forgotten {
                rows: row.try_get::<_, i64>(0)?.unsigned_abs(),
                up_to: row.try_get(1)?,
            })
        }
        .await;
        session.finish(outcome)
    }

    /// For how long the oldest done request from `from` on has been kept; `None` when there is none.
    ///
    /// # Errors
    /// See [`DatabaseError`].
    pub(crate) async fn oldest_kept(
        &self,
        from: Option<Timestamp>,
    ) -> Result<Option<Duration>, DatabaseError> {
        let session = self.sessions.acquire().await?;
        let outcome = async {
            let statement = session.prepare_cached(OLDEST).await?;
            let row = session.query_opt(&statement, &[&from]).await?;
            row.map(|row| row.try_get::<_, f64>(0)).transpose()
        }
        .await;
        let seconds = session.finish(outcome)?;
        Ok(seconds.map(|seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default()))
    }
}
